import {
  type ChainConstants,
  commitKey,
  commitment,
  generateIdentity,
  ManualClock,
  MemoryJournal,
  type PutOptions,
  type ReplicaOutcome,
  revealKey,
  StoreError,
  type StoreRequest,
  type StoreResult,
} from "../../mod.ts";
import type { Observer } from "../../src/consensus/observer.ts";
import { PHASES } from "../../src/consensus/phases.ts";
import { Worker, type WorkOptions } from "../../src/consensus/worker.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { observation } from "./observations.ts";

const CONSTANTS: ChainConstants = {
  epochLength: 20,
  blockMilliseconds: 6_000,
  genesis: "0x00",
};
const QUORUM = 2;
const never = new AbortController().signal;

/** A worker of three replicas, of which its own always takes what it stores. */
function makeWorker(
  others: readonly [ReplicaOutcome, ReplicaOutcome],
  provider: WorkOptions["provider"] = {
    perform: () => Promise.resolve(Uint8Array.of(7)),
  },
) {
  const identity = generateIdentity();
  const asked: { request: StoreRequest; options: PutOptions }[] = [];
  const store = (request: StoreRequest, options: PutOptions = {}) => {
    asked.push({ request, options });
    const replicas = [
      { peerId: identity.peerId, outcome: "stored" as const },
      ...others.map((outcome, i) => ({ peerId: `other ${i}`, outcome })),
    ];
    const stored = replicas.filter(({ outcome }) => outcome === "stored");
    const result: StoreResult = {
      stored: stored.length >= QUORUM,
      quorum: QUORUM,
      replicas,
    };
    // As the DHT does.
    return result.stored
      ? Promise.resolve(result)
      : Promise.reject(new StoreError(result));
  };
  const clock = new ManualClock(1_700_000_000_000);
  const observer = { constants: () => Promise.resolve(CONSTANTS) };
  const worker = new Worker(
    {
      provider,
      identity,
      records: { store, get: () => Promise.resolve(undefined) },
      randomBytes: (size) => new Uint8Array(size).fill(1),
    },
    1,
    observer as unknown as Observer,
    PHASES,
    clock,
  );
  const journal = new MemoryJournal();
  return { worker, journal, asked, identity };
}

Deno.test("work is done once, and what it came to is committed and revealed", async () => {
  let performed = 0;
  const { worker, journal, asked, identity } = makeWorker(
    ["stored", "stored"],
    {
      perform: () => {
        performed++;
        return Promise.resolve(Uint8Array.of(7));
      },
    },
  );
  for (let life = 0; life < 2; life++) {
    await worker.perform(4, observation(83), journal, never);
  }
  assertEquals(performed, 1);
  const both = { stored: true, complete: true };
  assertEquals(await worker.publish(4, "commit", journal, never), both);
  assertEquals(await worker.publish(4, "reveal", journal, never), both);
  const [commit, reveal] = asked.map(({ request }) => request);
  const data = Uint8Array.of(7);
  const salt = new Uint8Array(32).fill(1);
  assertEquals(commit?.key, commitKey(4));
  assertEquals(
    commit?.value,
    commitment(4, identity.peerId, { salt, data }),
  );
  assertEquals(reveal?.key, revealKey(4));
  assertEquals(reveal?.expiration, commit?.expiration);
});

Deno.test("a commit waits for every replica's answer, and is complete when all have it", async () => {
  const cases: [ReplicaOutcome, ReplicaOutcome, boolean, boolean][] = [
    ["stored", "stored", true, true],
    ["stored", "unreachable", true, false],
    ["unreachable", "unreachable", false, false],
    ["later", "refused", false, false],
  ];
  for (const [first, second, stored, complete] of cases) {
    const { worker, journal, asked } = makeWorker([first, second]);
    await worker.perform(0, observation(3), journal, never);
    assertEquals(
      await worker.publish(0, "commit", journal, never),
      { stored, complete },
      `${first}, ${second}`,
    );
    assert(asked[0]?.options.awaitAll);
  }
});

Deno.test("a reveal that fewer replicas took than the quorum is known to be held", async () => {
  const { worker, journal } = makeWorker(["older", "unreachable"]);
  await worker.perform(0, observation(3), journal, never);
  assertEquals(await worker.publish(0, "reveal", journal, never), {
    stored: true,
    complete: true,
  });
});

Deno.test("what the journal forgot is not published, and a result that fits no record is refused", async () => {
  const { worker, journal, asked } = makeWorker(["stored", "stored"], {
    perform: () => Promise.resolve(new Uint8Array(16 * 1024 + 1)),
  });
  await assertRejects(
    () => worker.publish(0, "reveal", journal, never),
    { code: "WORK_FORGOTTEN" },
  );
  await assertRejects(
    () => worker.perform(0, observation(3), journal, never),
    { code: "WORK_TOO_LARGE" },
  );
  assertEquals(asked, []);
});
