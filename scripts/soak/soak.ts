import { epochPosition } from "../../src/chain/epoch.ts";
import {
  accountFromSecret,
  HypertensorChain,
} from "../../src/chain/hypertensor/mod.ts";
import { ChainUnreadableError } from "../../src/chain/errors.ts";
import { ONE } from "../../src/chain/types.ts";
import { Consensus } from "../../src/consensus/driver.ts";
import type { Scorer } from "../../src/consensus/scorer.ts";
import { systemClock } from "../../src/core/clock.ts";
import { generateIdentity } from "../../src/identity/mod.ts";
import { ServerProcess } from "../../tests/fixtures/chain/server_process.ts";
import { ownHeap } from "./heap.ts";
import { floor, slope } from "./slope.ts";

/** What a soak is like. */
export interface SoakOptions {
  /** How long it takes. */
  readonly seconds: number;
  /** Milliseconds between blocks. */
  readonly blockMilliseconds: number;
  /** Every connection is dropped after so long, seconds. */
  readonly dropEvery: number;
  /** From when on memory is watched, seconds. */
  readonly settled: number;
  /** Is told how it goes, about every this many seconds. */
  readonly every: number;
  /** Hears it. */
  readonly progress: (line: string) => void;
}

/** How a soak went. */
export interface SoakResult {
  /** Epochs that were looked at. */
  readonly epochs: number;
  /** Those in which not all members proposed or attested, with how many did. */
  readonly missed: ReadonlyMap<number, number>;
  /** Connections that were made anew. */
  readonly reconnects: number;
  /** MiB that the heap grows by in an hour; absent when it was too short. */
  readonly heapSlope: number | undefined;
}

const MEMBERS = 3;
const MIB = 2 ** 20;
/** Of so many seconds the least heap counts. */
const STRETCH = 60;
/** Fewer minutes say nothing about a slope. */
const LEAST_SAMPLES = 5;

/** Everybody who may be scored is, by the chain's own list. */
const everybody: Scorer = {
  score: ({ nodes }) =>
    Promise.resolve(
      nodes.filter(({ nodeClass }) => nodeClass === "validator")
        .map(({ id }) => ({ nodeId: id, score: ONE })),
    ),
};

/** Members of a subnet that vote in every epoch, over connections that drop. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const accounts = Array.from(
    { length: MEMBERS },
    (_, i) => accountFromSecret(`0x${String(i + 1).repeat(64)}`),
  );
  await using server = await ServerProcess.start(
    ...["--block-ms", String(options.blockMilliseconds)],
    ...["--drop-every-ms", String(1_000 * options.dropEvery)],
    ...accounts.flatMap(({ address }, i) => [
      "--validator",
      `${address},0x${String(i + 1).repeat(40)},${generateIdentity().peerId}`,
    ]),
  );
  const { url, subnetId } = server;
  const chains = accounts.map(() =>
    HypertensorChain.open({ endpoints: [url] })
  );
  const end = new AbortController();
  const votes = chains.map((chain, i) =>
    new Consensus({
      chain,
      signer: chain.signer(accounts[i] as typeof accounts[0]),
      subnetId,
      directory: { read: () => Promise.resolve([]) },
      scorer: everybody,
    }).run(end.signal)
  );
  try {
    return await watch(chains, subnetId, options);
  } finally {
    end.abort();
    await Promise.all(votes);
    await Promise.all(chains.map((chain) => chain.close()));
  }
}

async function watch(
  chains: readonly HypertensorChain[],
  subnetId: number,
  { seconds, settled, every, progress }: SoakOptions,
): Promise<SoakResult> {
  const [chain] = chains as readonly [HypertensorChain];
  const missed = new Map<number, number>();
  let heap: { readonly x: number; readonly y: number }[] = [];
  const start = performance.now();
  const since = () => (performance.now() - start) / 1_000;
  let first: number | undefined;
  let next = 0;
  let told = 0;
  while (since() < seconds) {
    try {
      const present = await presentEpoch(chain, subnetId);
      // The epoch in which all of them came may have begun without them.
      if (first === undefined) first = next = present + 1;
      for (; next < present; next++) {
        const votes = await votesOf(chain, subnetId, next);
        if (votes < chains.length) missed.set(next, votes);
      }
    } catch (error) {
      // What could not be looked at now is looked at later.
      if (!(error instanceof ChainUnreadableError)) throw error;
    }
    const heapUsed = ownHeap();
    if (since() >= settled) {
      heap = floor([...heap, { x: since(), y: heapUsed }], STRETCH);
    }
    if (since() - told >= every) {
      told = since();
      progress(
        `${told.toFixed(0)} s: ${
          next - (first ?? next)
        } epochs, ${missed.size} missed, ` +
          `${reconnects(chains)} reconnects, ` +
          `heap ${(heapUsed / MIB).toFixed(2)} MiB`,
      );
    }
    await systemClock.sleep(1_000);
  }
  return {
    epochs: next - (first ?? 0),
    missed,
    reconnects: reconnects(chains),
    heapSlope: heap.length < LEAST_SAMPLES
      ? undefined
      : slope(heap) * 3_600 / MIB,
  };
}

function reconnects(chains: readonly HypertensorChain[]): number {
  return chains.reduce((sum, { status }) => sum + status.connections - 1, 0);
}

async function presentEpoch(
  chain: HypertensorChain,
  subnetId: number,
): Promise<number> {
  const view = await chain.view();
  const { epochLength } = await chain.constants();
  const slot = (await view.subnet(subnetId))?.slot ?? 0;
  return epochPosition(view.block.number, slot, epochLength).epoch;
}

async function votesOf(
  chain: HypertensorChain,
  subnetId: number,
  epoch: number,
): Promise<number> {
  const submission = await (await chain.view()).submission(subnetId, epoch);
  return submission?.attestations.size ?? 0;
}
