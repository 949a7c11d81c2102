import {
  type ConsensusReport,
  createNode,
  generateIdentity,
  type Identity,
  LocalChain,
  type MeshNode,
  type NodeOptions,
} from "../../mod.ts";
import type { LocalChainOptions } from "../../src/chain/local/mod.ts";
import { accountOf } from "../chain/local/fixture.ts";

/** Blocks of 200 ms, epochs of 4 s. */
export const FAST: LocalChainOptions = {
  blockMilliseconds: 200,
  epochLength: 20,
};

/** A node on a chain, with what it told. */
export interface Member {
  /** Its key. */
  readonly identity: Identity;
  /** Its id on the chain. */
  readonly id: number;
  /** The running node. */
  readonly node: MeshNode;
  /** What it told of consensus. */
  readonly reports: ConsensusReport[];
}

/** Validators over real connections on a chain in a file. */
export interface ChainMesh {
  /** A folder of its own, removed at the end. */
  readonly folder: string;
  /** Where the chain is. */
  readonly path: string;
  /** The chain, for the test. */
  readonly chain: LocalChain;
  /** The nodes so far. */
  readonly members: Member[];
  /** Registers an identity, a validator by default, with the accounts of its own or of a number. */
  readonly enlist: (
    identity: Identity,
    nodeClass?: "registered" | "validator",
    accounts?: number,
  ) => number;
  /** Registers and starts one more, a validator by default. */
  readonly add: (
    options?: NodeOptions,
    nodeClass?: "registered" | "validator",
  ) => Promise<Member>;
  /** Starts one again that was stopped. */
  readonly restart: (member: Member, options?: NodeOptions) => Promise<Member>;
}

/** Gives a mesh of so many validators to a test, and ends it. */
export async function withChainMesh(
  count: number,
  test: (mesh: ChainMesh) => Promise<void>,
  options: {
    readonly chain?: LocalChainOptions;
    readonly node?: (n: number, folder: string) => NodeOptions;
  } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/chain.db`;
  const chain = LocalChain.create(path, { ...FAST, ...options.chain });
  const members: Member[] = [];
  let enlisted = 0;
  const enlist: ChainMesh["enlist"] = (
    { peerId },
    nodeClass = "validator",
    n = ++enlisted,
  ) =>
    chain.register({
      ...{ hotkey: accountOf(n), coldkey: accountOf(100 + n) },
      ...{ peerId, nodeClass },
    });
  const start = async (
    identity: Identity,
    id: number,
    more: NodeOptions,
  ): Promise<Member> => {
    const own = LocalChain.open(path);
    const reports: ConsensusReport[] = [];
    const node = await createNode({
      identity,
      chain: {
        chain: own,
        signer: own.signer(accountOf(id)),
        minClass: "registered",
      },
      heartbeatPeriod: 1,
      bootstrap: members[0]?.node.addresses() ?? [],
      ...options.node?.(id, folder),
      ...more,
      onConsensus: (report) => reports.push(report),
    });
    const member = { identity, id, node, reports };
    members.push(member);
    return member;
  };
  const add: ChainMesh["add"] = async (more = {}, nodeClass) => {
    const identity = more.identity ?? generateIdentity();
    return await start(identity, enlist(identity, nodeClass), more);
  };
  const restart: ChainMesh["restart"] = ({ identity, id }, more = {}) =>
    start(identity, id, more);
  try {
    for (let i = 0; i < count; i++) await add();
    await test({ folder, path, chain, members, enlist, add, restart });
  } finally {
    await Promise.all(members.map(({ node }) => node.stop()));
    await chain.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** How the epochs ended for a node, by epoch. */
export function outcomesOf({ reports }: Member): Map<number, string> {
  return new Map(
    reports.flatMap((each) =>
      each.kind === "outcome" ? [[each.epoch, each.outcome] as const] : []
    ),
  );
}

/** Work that takes no time. */
export const WORK = {
  perform: ({ seed }: { readonly seed: Uint8Array }) =>
    Promise.resolve(seed.slice()),
};
