import { fileURLToPath } from "node:url";
import { epochPosition, firstBlockOf } from "../../src/chain/epoch.ts";
import {
  DEV_SUBNET,
  type DevMesh,
  type DevNode,
  setUpDev,
} from "../../src/cli/dev/setup.ts";
import { localPermissions } from "../../src/cli/permissions.ts";
import { V8_FLAGS } from "../../src/cli/v8_flags.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Lan, Place } from "../bench/loss/lan.ts";
import {
  type Fault,
  type FaultKind,
  faultPlan,
  isNetworkFault,
} from "./faults.ts";
import { type EpochSeen, isDue, judge, type Verdict } from "./judge.ts";
import { NodeUnderFault } from "./node_under_fault.ts";

/** What a run is like. */
export interface RunOptions {
  /** An empty folder for everything. */
  readonly directory: string;
  /** How many epochs are watched. */
  readonly epochs: number;
  /** What the faults follow from. */
  readonly seed: number;
  /** What may be done; faults of the network need the `lan`. */
  readonly kinds: readonly FaultKind[];
  /** Where the nodes' networks can be cut; they are all on loopback without it. */
  readonly lan?: Lan | undefined;
  /** Is given a line for every epoch. */
  readonly print: (line: string) => void;
}

const VALIDATORS = 4;
const BLOCK = 300;
const EPOCH_LENGTH = 20;
const POLL = BLOCK / 3;
/** How long all may take to be online, ms. */
const START_LIMIT = 60_000;

/** Runs validators under faults, and judges what came of it. */
export async function runUnderFaults(options: RunOptions): Promise<Verdict> {
  const { lan } = options;
  const places: Place[] = [];
  while (lan !== undefined && places.length <= VALIDATORS) {
    places.push(await lan.place());
  }
  const mesh = await setUpDev({
    directory: options.directory,
    validators: VALIDATORS,
    blockTime: BLOCK,
    epochLength: EPOCH_LENGTH,
    fresh: false,
    ...(places[0] === undefined ? {} : { bootnodeHost: places[0].address }),
  });
  const claims = new Map<number, Set<number>>();
  const processes = mesh.nodes.map((node, i) =>
    new NodeUnderFault({
      command: commandOf(mesh, node, places, i),
      directory: node.directory,
      chainPath: mesh.chainPath,
      onEvent: (event) => {
        if (event.event !== "consensus") return;
        const [, epoch] = /^epoch (\d+): proposed/.exec(event.text) ?? [];
        if (epoch === undefined) return;
        // The bootnode is the first of the nodes.
        setOf(claims, Number(epoch)).add(i - 1);
      },
    })
  );
  const codes: number[] = [];
  let verdict: Verdict;
  try {
    verdict = await watch(options, mesh, processes, claims, places);
  } finally {
    codes.push(...await Promise.all(processes.map((each) => each.stop())));
    await mesh.chain.close();
    mesh.lock[Symbol.dispose]();
  }
  const broken = [...verdict.broken];
  processes.forEach(({ crashes }, i) => {
    const { name } = mesh.nodes[i] as DevNode;
    if (crashes > 0) broken.push(`${name} ended by itself.`);
    if (codes[i] !== 0) broken.push(`${name} ended with code ${codes[i]}.`);
  });
  return { ...verdict, broken };
}

async function watch(
  { epochs, seed, kinds, print, lan }: RunOptions,
  { chain, nodes }: DevMesh,
  processes: readonly NodeUnderFault[],
  claims: Map<number, Set<number>>,
  places: readonly Place[],
): Promise<Verdict> {
  const validators = processes.slice(1);
  const ups = validators.map((each) => each.ups);
  const names = nodes.slice(1).map(({ name }) => name);
  const indexOf = (id: number) =>
    nodes.slice(1).findIndex(({ nodeId }) => nodeId === id);
  const limit = systemClock.now() + START_LIMIT;
  while (!validators.every(({ isUp }) => isUp)) {
    if (systemClock.now() > limit) throw new Error("Not all came online.");
    await systemClock.sleep(POLL);
  }
  const slot = (await (await chain.view()).subnet(DEV_SUBNET))?.slot ?? 0;
  const startOf = (epoch: number) => firstBlockOf(epoch, slot, EPOCH_LENGTH);
  const head = await (await chain.view()).time();
  const present = (await chain.head()).number;
  // The epoch in which all came was scored without some of them.
  const first = epochPosition(present, slot, EPOCH_LENGTH).epoch + 2;
  const timeOf = (block: number) => head + (block - present) * BLOCK;
  const plan = faultPlan(seed, epochs, EPOCH_LENGTH, VALIDATORS, kinds);
  const pending = plan.flatMap((fault) => [
    { at: fault.from, fault, mends: false },
    { at: fault.until, fault, mends: true },
  ]).sort((a, b) => a.at - b.at);
  const begun: { fault: Fault; begun: number }[] = [];
  const proposals = new Map<number, Set<string>>();
  const seen: EpochSeen[] = [];
  while (seen.length < epochs) {
    const view = await chain.view();
    const done = view.block.number - startOf(first);
    while (pending[0] !== undefined && pending[0].at <= done) {
      const { fault, mends } = pending.shift() as typeof pending[0];
      const { kind } = fault;
      // The bootnode has the first place.
      const hurt = fault.validators.map((each) => places[each + 1] as Place);
      const others = places.filter((each) => !hurt.includes(each));
      if (!mends) begun.push({ fault, begun: systemClock.now() });
      const act = mends ? "mend" : "hurt";
      for (const each of fault.validators) validators[each]?.[act](kind);
      if (kind === "headless") processes[0]?.[act]("freeze");
      if (isNetworkFault(kind)) {
        await lan?.[mends ? "join" : "part"](hurt, others);
      }
    }
    const epoch = first + seen.length;
    const submission = await view.submission(DEV_SUBNET, epoch);
    const shown = setOf(proposals, epoch);
    if (submission !== undefined) {
      const { validatorId, block, scores } = submission;
      const text = scores.map(({ nodeId, score }) => `${nodeId}:${score}`);
      shown.add(`${validatorId} at ${block}: ${text}`);
    }
    if (view.block.number < startOf(epoch + 1)) {
      await systemClock.sleep(POLL);
      continue;
    }
    const elected = await view.electedValidator(DEV_SUBNET, epoch);
    const start = timeOf(startOf(epoch));
    const now: EpochSeen = {
      epoch,
      start,
      quarter: start + BLOCK * EPOCH_LENGTH / 4,
      elected: elected === undefined ? undefined : indexOf(elected),
      proposals: shown,
      proposer: submission && indexOf(submission.validatorId),
      claims: setOf(claims, epoch),
      attested: new Set(
        [...submission?.attestations.keys() ?? []].map(indexOf),
      ),
    };
    seen.push(now);
    const from = startOf(epoch) - startOf(first);
    const faults = plan.filter((each) =>
      each.from < from + EPOCH_LENGTH && each.until >= from
    );
    print(
      lineOf(now, names, submission?.block, from, faults, startOf(epoch)) +
        (isDue(now, ups) ? "" : " (quorum not due)"),
    );
  }
  return judge(seen, ups, begun);
}

function lineOf(
  { epoch, elected, attested }: EpochSeen,
  names: readonly string[],
  block: number | undefined,
  from: number,
  faults: readonly Fault[],
  start: number,
): string {
  const told = faults.map(({ kind, validators, from: a, until }) =>
    [
      kind,
      ...validators.map((each) => names[each]),
      `${a - from}..${until - from}`,
    ].join(" ")
  );
  return `epoch ${epoch}: ${names[elected ?? -1] ?? "nobody"} elected, ` +
    (block === undefined ? "no proposal" : `proposed in ${block - start}`) +
    `, attested ${attested.size}/${names.length}` +
    (told.length === 0 ? "" : `, ${told.join(", ")}`);
}

/** The set of an epoch, which others may go on filling. */
function setOf<T>(sets: Map<number, Set<T>>, epoch: number): Set<T> {
  const known = sets.get(epoch) ?? new Set();
  sets.set(epoch, known);
  return known;
}

/** The command line of a node's process. */
function commandOf(
  mesh: DevMesh,
  node: DevNode,
  places: readonly Place[],
  index: number,
): string[] {
  const hosts = places.map(({ address }) => address);
  return [
    ...places[index]?.command ?? [],
    ...[Deno.execPath(), "run", "--no-prompt", `--v8-flags=${V8_FLAGS}`],
    ...localPermissions(mesh.directory, ["127.0.0.1", ...hosts]),
    fileURLToPath(new URL("../../main.ts", import.meta.url)),
    ...["run", "--status-json", "--chain", `local:${mesh.chainPath}`],
    ...["--subnet-id", String(DEV_SUBNET), "--identity", node.identityPath],
    ...["--listen", `/ip4/${hosts[index] ?? "127.0.0.1"}/tcp/${node.port}`],
    "--data",
    ...[node.directory, "--heartbeat-period", "2", "--role"],
    node.nodeId === undefined ? "bootnode" : "validator",
  ];
}
