import { generateIdentity } from "../../mod.ts";
import { writeIdentityFile } from "../../src/identity/mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import {
  type ChainMesh,
  outcomesOf,
  withChainMesh,
  WORK,
} from "../node/chain_mesh.ts";
import { meshnode, Program, withFolder } from "./program.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

/** Three validators that work, and an identity that may look at them. */
function withSubnet(
  test: (
    mesh: ChainMesh,
    consensus: (...args: string[]) => string[],
  ) => Promise<void>,
): Promise<void> {
  return withChainMesh(3, async (mesh) => {
    const client = generateIdentity();
    const key = `${mesh.folder}/client.key`;
    await writeIdentityFile(key, client);
    mesh.chain.addOverwatchPeer(client.peerId);
    const [bootstrap = ""] = mesh.members[0]?.node.addresses() ?? [];
    await test(mesh, (...args) => [
      ...["consensus", ...args, "--chain", `local:${mesh.path}`],
      ...["--identity", key, "--bootstrap", bootstrap],
    ]);
  }, {
    node: (n, folder) => ({
      subnet: { work: WORK },
      dataFolder: `${folder}/node-${n}/data`,
    }),
  });
}

const linesOf = ({ out }: { readonly out: string }) =>
  out.trim().split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));

Deno.test(
  "epochs are followed live: votes, quorum, commits, reveals and own decisions",
  libp2p,
  () =>
    withSubnet(async ({ folder, members }, consensus) => {
      await eventually(
        () => members.every((each) => outcomesOf(each).size > 0),
        () => members.map(({ node }) => node.status()),
        60_000,
      );
      const data = ["--data", `${folder}/node-1`];
      const ended = await meshnode(
        ...consensus("watch", ...data, "--json", "--epochs", "3"),
      );
      assertEquals(ended.code, 0, ended.err);
      const events = linesOf(ended);
      const [of, last] = events.filter(({ event }) => event === "ended");
      assert(of !== undefined && last !== undefined, ended.out);
      const told = events.filter(({ epoch }) => epoch === last.epoch);
      const kinds = new Set(told.map(({ event }) => event));
      for (
        const kind of [
          ...["epoch", "phase", "elected", "proposal", "attested", "quorum"],
          ...["commits", "reveals", "own", "ended"],
        ]
      ) assert(kinds.has(kind), `${kind} is missing in ${ended.out}`);
      assertEquals([last.by, last.of], [3, 3]);
      assertEquals(last.commits, 3);
      const own = told.find(({ outcome }) => outcome !== undefined);
      assertEquals(own.outcome, outcomesOf(members[0]!).get(last.epoch));
      const phases = told.flatMap(({ phase }) => phase ?? []);
      assertEquals(phases, ["vote", "commit", "reveal", "score"]);
    }),
);

Deno.test(
  "a dry run says what a node would do, and leaves chain and mesh as they are",
  libp2p,
  () =>
    withSubnet(async ({ chain, members, enlist }, consensus) => {
      // A validator that never runs: whatever appears of it, the dry run did.
      const absent = enlist(generateIdentity());
      const view = () => chain.view();
      await eventually(
        () => members.every((each) => outcomesOf(each).size > 0),
        () => members.map(({ node }) => node.status()),
        60_000,
      );
      const ended = await meshnode(
        ...consensus(
          "dry-run",
          "--node",
          `${absent}`,
          "--epochs",
          "6",
          "--json",
        ),
      );
      assertEquals(ended.code, 0, ended.err);
      const told = linesOf(ended).filter(({ event }) => event === "outcome");
      assertEquals(told.length, 6, ended.out);
      const now = await view();
      let attested = 0;
      for (const { epoch, outcome, elected, agrees, scores, sent } of told) {
        assertEquals(sent, false);
        const submission = await now.submission(1, epoch);
        assert(!submission?.attestations.has(absent));
        if (elected === absent) {
          assertEquals(outcome, "proposed");
          assertEquals(submission, undefined);
        } else if (outcome === "attested") {
          attested++;
          assertEquals(agrees, true);
          assertEquals(
            scores.map(({ nodeId }: { nodeId: number }) => nodeId),
            submission?.scores.map(({ nodeId }) => nodeId),
          );
        }
      }
      assert(attested > 0, ended.out);
      const seen = await members[0]!.node.directory.read();
      assertEquals(
        seen.map(({ peerId }) => peerId),
        members.map(({ identity }) => identity.peerId).sort(),
      );
    }),
);

Deno.test(
  "a watch and a dry run end with a signal as they should, without a mesh too",
  libp2p,
  () =>
    withSubnet(async ({ path }, consensus) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const watching = [
          new Program("consensus", "watch", "--chain", `local:${path}`),
          new Program(...consensus("watch", "--json")),
          new Program(
            ...consensus("dry-run", "--node", "1", "--epochs", "1000"),
          ),
        ];
        await eventually(
          () => watching.every(({ out }) => out !== ""),
          () => watching.map(({ out, err }) => out + err),
        );
        for (const each of watching) each.signal(signal);
        for (const each of watching) {
          assertEquals(await each.ended(), 0, each.err);
        }
      }
    }),
);

Deno.test("commands that look at consensus say what is missing", () =>
  withFolder(async (folder) => {
    const key = `${folder}/client.key`;
    await writeIdentityFile(key, generateIdentity());
    for (
      const [args, code, says] of [
        [["watch"], 2, "--chain"],
        [["watch", "--chain", "x"], 2, "of no kind"],
        [["watch", "--chain", "local:none", "--epochs", "0"], 2, "--epochs"],
        [["watch", "--chain", `local:${folder}/no.db`], 78, "dev"],
        [["watch", "--chain", "local:x", "--data", folder], 78, "voted"],
        [["dry-run", "--chain", "local:x"], 2, "--identity"],
        [["dry-run", "--identity", key], 2, "--chain"],
        [["watch", "--help"], 0, "client peer"],
        [["dry-run", "--help"], 0, "Nothing"],
      ] as const
    ) {
      const ended = await meshnode("consensus", ...args);
      assertEquals(ended.code, code, args.join(" ") + ended.err);
      assert((ended.out + ended.err).includes(says), ended.out + ended.err);
    }
  }));
