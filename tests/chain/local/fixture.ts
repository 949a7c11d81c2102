import { generateIdentity, ManualClock } from "../../../mod.ts";
import {
  LocalChain,
  type LocalChainOptions,
} from "../../../src/chain/local/mod.ts";

const GENESIS = 1_700_000_000_000;
/** Milliseconds of a block. */
export const BLOCK = 6_000;

/** An account that no other node has. */
export function accountOf(n: number): string {
  return `0x${n.toString(16).padStart(40, "0")}`;
}

/** A chain in a temporary file with a clock that the test moves. */
export async function withChain(
  test: (chain: {
    path: string;
    clock: ManualClock;
    chain: LocalChain;
    /** Registers a node, a validator by default. */
    add: (n: number, nodeClass?: "registered" | "validator") => string;
    /** Moves on to the given block. */
    toBlock: (block: number) => Promise<void>;
    /** Moves on while a call waits for its block. */
    during: <T>(call: Promise<T>) => Promise<T>;
  }) => Promise<void>,
  options: LocalChainOptions = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/chain.db`;
  const clock = new ManualClock(GENESIS);
  const chain = LocalChain.create(path, options, clock);
  try {
    await test({
      path,
      clock,
      chain,
      add: (n, nodeClass = "validator") => {
        const { peerId } = generateIdentity();
        const hotkey = accountOf(n);
        const coldkey = accountOf(1_000 + n);
        chain.register({ hotkey, coldkey, peerId, nodeClass });
        return peerId;
      },
      toBlock: (block) => clock.advance(GENESIS + block * BLOCK - clock.now()),
      during: async (call) => {
        // A failure may come before it is waited for.
        call.catch(() => {});
        await clock.advance(BLOCK);
        return await call;
      },
    });
  } finally {
    await chain.close();
    await Deno.remove(folder, { recursive: true });
  }
}
