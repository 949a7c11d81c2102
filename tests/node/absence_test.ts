import {
  createClient,
  generateIdentity,
  LocalChain,
  type LocalChainFacts,
} from "../../mod.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { eventually } from "../eventually.ts";
import {
  type ChainMesh,
  type Member,
  outcomesOf,
  withChainMesh,
} from "./chain_mesh.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

const LONG = 60_000;

const statusOf = (members: readonly Member[]) =>
  members.map(({ node, reports }) => [
    ...[node.status().state, node.status().network, node.members().length],
    reports.map((each) => each.kind === "life" ? each.text : each.kind),
  ]);

/** The last epoch that a whole mesh attested, before or at the present one. */
async function lastWhole({ chain, members }: ChainMesh): Promise<number> {
  const view = await chain.view();
  const last = Math.max(
    -1,
    ...members.flatMap((each) => [...outcomesOf(each).keys()]),
  );
  for (let epoch = last; epoch >= 0; epoch--) {
    const submission = await view.submission(1, epoch);
    if (submission?.attestations.size === members.length) return epoch;
  }
  return -1;
}

async function attestedAfter(mesh: ChainMesh, epoch: number): Promise<number> {
  let whole = -1;
  await eventually(
    async () => (whole = await lastWhole(mesh)) > epoch,
    () => JSON.stringify(statusOf(mesh.members)),
    LONG,
  );
  return whole;
}

const told = ({ reports }: Member, text: RegExp) =>
  reports.some((each) => each.kind === "life" && text.test(each.text));

const STANDINGS: readonly [LocalChainFacts["state"], RegExp][] = [
  ["paused", /the subnet is paused/],
  ["registered", /not activated/],
  ["removed", /no such subnet/],
];

for (const [standing, says] of STANDINGS) {
  Deno.test(
    `a node leaves the mesh of a subnet that is ${standing}, and comes back by itself`,
    libp2p,
    () =>
      withChainMesh(3, async (mesh) => {
        const { chain, members, path } = mesh;
        const before = await attestedAfter(mesh, -1);
        const addresses = members.flatMap(({ node }) => node.addresses());
        const guest = generateIdentity();
        chain.addOverwatchPeer(guest.peerId);
        chain.setState(standing);
        await eventually(
          () =>
            members.every((each) =>
              told(each, says) && each.node.status().network === "away" &&
              each.node.status().connections === 0
            ),
          () => JSON.stringify(statusOf(members)),
          LONG,
        );
        for (const { node } of members) {
          assertEquals(node.status().state, "offline");
          assertEquals(node.status().consensus, "awaiting-activation");
          assertEquals(node.members(), []);
          const other = members.find((each) => each.node !== node) as Member;
          await assertRejects(
            node.rpc.call(other.node.peerId, "dht.ping", new Uint8Array()),
          );
        }
        await using client = await createClient({
          identity: guest,
          bootstrap: addresses,
          ...(standing === "removed"
            ? {}
            : { chain: { chain: LocalChain.open(path) } }),
        });
        await assertRejects(client.joined(1_500), { code: "MESH_UNREACHABLE" });
        chain.setState("active");
        await attestedAfter(mesh, before + 1);
        for (const { node } of members) {
          assertEquals(node.status().state, "online");
          assertEquals(node.members().length, 2);
        }
      }, { node: () => ({ whileInactive: "leave" }) }),
  );
}

Deno.test(
  "by default a node stays in the mesh of a paused subnet, and votes again by itself",
  libp2p,
  () =>
    withChainMesh(2, async (mesh) => {
      const { chain, members } = mesh;
      const before = await attestedAfter(mesh, -1);
      chain.setState("paused");
      await eventually(
        () =>
          members.every(({ node }) =>
            node.status().consensus === "awaiting-activation"
          ),
        () => JSON.stringify(statusOf(members)),
        LONG,
      );
      for (const { node } of members) {
        assertEquals(node.status().state, "online");
        assertEquals(node.members().length, 1);
      }
      chain.setState("active");
      await attestedAfter(mesh, before + 1);
    }),
);

Deno.test(
  "a node that is started while its subnet is paused leaves at once, with a journal, too",
  libp2p,
  () =>
    withChainMesh(1, async (mesh) => {
      const { chain, members, add, folder } = mesh;
      const dataFolder = `${folder}/data`;
      const identity = generateIdentity();
      const first = await add({ dataFolder, identity });
      await attestedAfter(mesh, -1);
      chain.setState("paused");
      await eventually(
        () => first.node.status().network === "away",
        () => JSON.stringify(statusOf(members)),
        LONG,
      );
      await first.node.stop();
      const again = await mesh.restart(first, { dataFolder });
      await eventually(
        () => again.node.status().network === "away",
        () => JSON.stringify(statusOf([again])),
        LONG,
      );
      assert(told(again, /paused/));
      chain.setState("active");
      await eventually(
        () => again.node.status().state === "online",
        () => JSON.stringify(statusOf([again])),
        LONG,
      );
    }, { node: () => ({ whileInactive: "leave" }) }),
);

Deno.test(
  "a node that is removed leaves, and comes back when it is registered again",
  libp2p,
  () =>
    withChainMesh(2, async (mesh) => {
      const { chain, members, enlist } = mesh;
      const [stays, goes] = members as [Member, Member];
      await attestedAfter(mesh, -1);
      chain.remove(goes.id);
      await eventually(
        () =>
          told(goes, /was removed/) && goes.node.status().network === "away",
        () => JSON.stringify(statusOf(members)),
        LONG,
      );
      await eventually(
        () => stays.node.members().length === 0,
        () => JSON.stringify(statusOf(members)),
        LONG,
      );
      assertEquals(stays.node.status().state, "online");
      enlist(goes.identity, "validator", goes.id);
      await eventually(
        () => stays.node.members().length === 1,
        () => JSON.stringify(statusOf(members)),
        LONG,
      );
      await eventually(
        () => goes.node.status().state === "online",
        () => JSON.stringify(statusOf(members)),
        LONG,
      );
    }, { node: () => ({ whileInactive: "leave" }) }),
);

Deno.test(
  "a node rises from registered to validator, heartbeats all along, and says each step",
  libp2p,
  () =>
    withChainMesh(2, async (mesh) => {
      const { chain, members, add } = mesh;
      const late = await add({}, "registered");
      await eventually(
        () =>
          [/waits in the queue/, /is idle/, /is included/, /is a validator/]
            .every((each) => told(late, each)),
        () => JSON.stringify(statusOf(members)),
        120_000,
      );
      const steps = late.reports.flatMap((each) =>
        each.kind === "life" ? each.nodeClass ?? [] : []
      );
      assertEquals([...new Set(steps)], [
        "registered",
        "idle",
        "included",
        "validator",
      ]);
      await eventually(
        () =>
          [...outcomesOf(late).values()].some((is) =>
            is === "attested" || is === "proposed"
          ),
        () => JSON.stringify([...outcomesOf(late)]),
        LONG,
      );
      assert([...outcomesOf(late).values()].includes("observed"));
      const view = await chain.view();
      const nodes = await view.nodes(1);
      assertEquals(
        nodes.find(({ id }) => id === late.id)?.nodeClass,
        "validator",
      );
    }, {
      chain: { queueEpochs: 1, idleEpochs: 1, includedEpochs: 1 },
      node: () => ({}),
    }),
);
