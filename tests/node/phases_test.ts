import {
  epochPosition,
  type MeshNode,
  type Phases,
  StoreError,
} from "../../mod.ts";
import { heartbeatSubkey } from "../../src/heartbeat/heartbeat_record.ts";
import type { MeshValue } from "../../src/records/values.ts";
import {
  commitKey,
  commitment,
  revealKey,
  revealValue,
} from "../../src/validation/commit_reveal.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { eventually } from "../eventually.ts";
import {
  type ChainMesh,
  type Member,
  outcomesOf,
  withChainMesh,
  WORK,
} from "./chain_mesh.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

/** Commits in blocks 10 to 13 of 20, reveals in 14 to 17; usually 3 to 9, and 10 and 11. */
const LATE: Phases = { commit: 0.5, reveal: 0.7, score: 0.9, cutOff: 0.25 };

const positionOf = async (chain: ChainMesh["chain"]) =>
  epochPosition((await chain.head()).number, 3, 20);

/** Does something in some blocks of an epoch, again in the next one if that took too long. */
async function within<T>(
  { chain }: ChainMesh,
  from: number,
  to: number,
  act: (epoch: number) => Promise<T | undefined>,
): Promise<T> {
  const position = () => positionOf(chain);
  for (let round = 0; round < 10; round++) {
    await eventually(
      async () => {
        const { elapsed } = await position();
        return elapsed >= from && elapsed <= from + 1;
      },
      () => `block ${from} of an epoch was missed`,
      30_000,
    );
    const { epoch } = await position();
    const result = await act(epoch);
    const after = await position();
    if (result === undefined) continue;
    if (after.epoch === epoch && after.elapsed <= to) return result;
  }
  throw new Error("The machine is too slow for this test.");
}

const SALT = new Uint8Array(32).fill(7);
const DATA = Uint8Array.of(1, 2, 3);

/** Stores a record of a node, and tells whether its replicas took it; undefined when a window opened or closed between them. */
async function stored(
  node: MeshNode,
  key: string,
  value: MeshValue,
): Promise<boolean | undefined> {
  try {
    const { stored } = await node.dht.store({
      ...{ key, value, subkey: heartbeatSubkey(node.identity) },
      expiration: Date.now() / 1_000 + 10,
    }, { awaitAll: true });
    return stored;
  } catch (error) {
    assert(error instanceof StoreError, String(error));
    const { replicas } = error.result;
    if (replicas.some(({ outcome }) => outcome === "stored")) return undefined;
    assert(
      // Too early, it may be sent again; too late, never.
      replicas.every(({ outcome }) =>
        outcome === "refused" || outcome === "later"
      ),
      JSON.stringify(replicas),
    );
    return false;
  }
}

const commit = (node: MeshNode) => (epoch: number) =>
  stored(
    node,
    commitKey(epoch),
    commitment(epoch, node.peerId, { salt: SALT, data: DATA }),
  );
const reveal = (node: MeshNode) => (epoch: number) =>
  stored(node, revealKey(epoch), revealValue({ salt: SALT, data: DATA }));

Deno.test(
  "a subnet's own phases move the windows in which commits and reveals are taken",
  libp2p,
  () =>
    withChainMesh(3, async (mesh) => {
      const { node } = mesh.members[0] as Member;
      await eventually(
        () => mesh.members.every((each) => each.node.members().length === 2),
        () => mesh.members.map((each) => each.node.members().length),
      );
      // Where the documentation's windows are open.
      assertEquals(await within(mesh, 4, 8, commit(node)), false);
      // Where the subnet's are: the reveal waits until the commits are over.
      const taken = await within(mesh, 10, 17, async (epoch) => {
        const committed = await commit(node)(epoch);
        const early = await reveal(node)(epoch);
        if (committed === undefined || early === undefined) return undefined;
        if ((await positionOf(mesh.chain)).elapsed > 13) return undefined;
        await eventually(
          async () => (await positionOf(mesh.chain)).elapsed >= 14,
          () => "the reveal window never opened",
        );
        const revealed = await reveal(node)(epoch);
        return revealed === undefined
          ? undefined
          : [committed, early, revealed];
      });
      assertEquals(taken, [true, false, true]);
      assertEquals(await within(mesh, 15, 19, commit(node)), false);
    }, {
      chain: { blockMilliseconds: 400 },
      node: () => ({ subnet: { phases: LATE } }),
    }),
);

Deno.test(
  "nodes with phases of their own commit, reveal and attest in them",
  libp2p,
  () =>
    withChainMesh(3, async ({ members }) => {
      const revealed = ({ reports }: Member) =>
        reports.filter((each) =>
          each.kind === "work" && each.outcome === "revealed"
        ).length;
      await eventually(
        () =>
          members.every((each) =>
            revealed(each) > 1 &&
            [...outcomesOf(each).values()].filter((is) =>
                is === "attested" || is === "proposed"
              ).length > 1
          ),
        () => JSON.stringify(members.map(({ reports }) => reports)),
        60_000,
      );
    }, { node: () => ({ subnet: { phases: LATE, work: WORK } }) }),
);

Deno.test(
  "phases that leave no block to one of them are refused at the start",
  libp2p,
  () =>
    withChainMesh(0, async ({ add }) => {
      await assertRejects(
        add({ subnet: { phases: { ...LATE, commit: 0.51, reveal: 0.54 } } }),
        { code: "PHASES_INVALID" },
      );
    }),
);
