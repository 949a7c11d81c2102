import { type RecordStore, StoreError } from "../../mod.ts";
import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { BLOCK } from "./sim_chain.ts";

/** What a node does that it should not. */
export const LIES = [
  /** Scores as nobody else does. */
  "scores",
  /** Commits to what another one committed to. */
  "copies",
  /** Reveals when it pleases, in the window or after it. */
  "late",
  /** Never reveals. */
  "withholds",
  /** Has a clock that is wrong by more than is allowed. */
  "clock",
] as const;

/** See {@linkcode LIES}. */
export type Lie = typeof LIES[number];

/** Seconds by which a wrong clock is wrong. */
export const WRONG_CLOCKS = [5, 20, 50, 90, 600] as const;

/** The records of a node, as one who lies so uses them. */
export function lyingRecords(
  lie: Lie | undefined,
  store: RecordStore,
  clock: VirtualClock,
  random: SeededRandom,
): RecordStore {
  return {
    get: (key, options) => store.get(key, options),
    store: async (request, options) => {
      const key = String(request.key);
      if (lie === "copies" && key.startsWith("commit")) {
        const found = await store.get(key, options);
        const other = found?.kind === "dictionary" && found.entries[0];
        // There is nothing to copy yet.
        if (!other) throw nobody();
        return store.store({ ...request, value: other.value }, options);
      }
      if (key.startsWith("reveal")) {
        if (lie === "withholds") throw nobody();
        if (lie === "late") {
          await clock.sleep(random.between(0, 5 * BLOCK), options?.signal);
        }
      }
      return store.store(request, options);
    },
  };
}

function nobody(): StoreError {
  return new StoreError({ stored: false, quorum: 1, replicas: [] });
}
