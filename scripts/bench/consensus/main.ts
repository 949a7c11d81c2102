// deno-lint-ignore-file no-console
// What deciding an epoch costs a node among 256, in processor time, and how
// large its journal becomes. Chain and mesh are in memory and answer at once:
// what is measured is the driver, the scoring of heartbeats, commits and
// reveals, the comparison, and the journal on the disk.
import process from "node:process";
import {
  Consensus,
  Directory,
  JOURNAL_FILE,
  MetricsRegistry,
  type NodeScore,
  openJournal,
  type Scorer,
} from "../../../mod.ts";
import { quantile } from "../dht/statistics.ts";
import { argumentsOf, numberOf, told } from "../usage.ts";
import { BenchWorld, LENGTH, type Proposing, SUBNET } from "./world.ts";

/** Epochs before which the program is not warm. */
const WARM = 20;
const HELP = `deno task bench:consensus [EPOCHS]

  EPOCHS   of each case, more than ${WARM}; 200`;
const EPOCHS = told(HELP, (args) => {
  const [epochs = "200"] = argumentsOf(args, 1);
  return numberOf("EPOCHS", epochs, { isWhole: true, least: WARM + 1 });
});

/** What differs in a proposal of each case. */
const CASES: Readonly<Record<string, { elected: number; propose: Proposing }>> =
  {
    "attests what agrees": { elected: 2, propose: (scores) => scores },
    "is elected and proposes": { elected: 1, propose: (scores) => scores },
    "16 nodes differ": { elected: 2, propose: (scores) => changed(scores, 16) },
    "all 256 differ": { elected: 2, propose: (scores) => changed(scores, 256) },
  };

function changed(scores: readonly NodeScore[], count: number): NodeScore[] {
  return scores.map(({ nodeId, score }) => ({
    nodeId,
    score: nodeId <= count ? score + 1n : score,
  }));
}

/** Of the flag --expose-gc. */
const { gc = () => {} } = globalThis as { readonly gc?: () => void };

/** Waits for everything that was begun, the disk included. */
const settled = async () => {
  for (let i = 0; i < 3; i++) await new Promise((done) => setTimeout(done));
};

async function measure(name: string): Promise<void> {
  const { elected, propose } = CASES[name] as typeof CASES[string];
  const folder = await Deno.makeTempDir();
  const world = new BenchWorld(propose);
  world.elected = elected;
  const outcomes = new Map<string, number>();
  const scorer: Scorer = {
    score: ({ epoch, live, work }) => {
      const right = new Set(
        work.filter(({ standing }) => standing === "valid")
          .map(({ peerId }) => peerId),
      );
      const full = live.length === 256 && (epoch === 0 || right.size === 256);
      if (!full) throw new Error(`${live.length} live, ${right.size} right`);
      return Promise.resolve(world.honest(epoch));
    },
  };
  const { chain, signer, records, clock } = world;
  const ending = new AbortController();
  const consensus = new Consensus({
    ...{ chain, signer, subnetId: SUBNET, scorer, clock },
    directory: new Directory(records, new MetricsRegistry()),
    work: {
      provider: { perform: ({ seed }) => Promise.resolve(seed) },
      records,
      identity: world.identities[0] as typeof world.identities[0] & object,
    },
    journal: (signal) => openJournal(folder, signal),
    onReport: (report) => {
      if (report.kind !== "outcome") return;
      outcomes.set(report.outcome, (outcomes.get(report.outcome) ?? 0) + 1);
    },
  });
  const running = consensus.run(ending.signal);
  await settled();
  const times: number[] = [];
  let largest = 0;
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    world.begin(epoch);
    // What the world leaves behind is not our node's to clear away.
    gc();
    const before = process.cpuUsage();
    for (let i = 0; i < LENGTH; i++) {
      await world.nextBlock();
      await settled();
    }
    const { user, system } = process.cpuUsage(before);
    if (epoch >= WARM) times.push((user + system) / 1_000);
    if (epoch % 10 === 0) largest = Math.max(largest, await sizeOf(folder));
  }
  largest = Math.max(largest, await sizeOf(folder));
  ending.abort();
  await running;
  const told = [...outcomes].map(([outcome, n]) => `${n} ${outcome}`);
  console.log(
    `${name.padEnd(24)} ${quantile(times, 0.5).toFixed(1).padStart(8)} ` +
      `${quantile(times, 0.99).toFixed(1).padStart(8)} ` +
      `${(largest / 1_000).toFixed(0).padStart(9)} ` +
      `${((await sizeOf(folder)) / 1_000).toFixed(0).padStart(9)}  ${told}`,
  );
  await Deno.remove(folder, { recursive: true });
}

/** Bytes of the journal with its log. */
async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for (const suffix of ["", "-wal", "-shm"]) {
    const stat = await Deno.stat(`${folder}/${JOURNAL_FILE}${suffix}`)
      .catch(() => undefined);
    size += stat?.size ?? 0;
  }
  return size;
}

console.log(
  `${EPOCHS} epochs of 256 nodes, load ${Deno.loadavg()[0]?.toFixed(2)}`,
);
console.log(
  "our node                  p50, ms  p99, ms  most, kB  end, kB  outcomes",
);
for (const name of Object.keys(CASES)) await measure(name);
