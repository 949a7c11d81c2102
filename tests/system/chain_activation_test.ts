import { generateIdentity } from "../../mod.ts";
import { epochPosition } from "../../src/chain/epoch.ts";
import {
  accountFromSecret,
  HypertensorChain,
  type Order,
} from "../../src/chain/hypertensor/mod.ts";
import { encodeNetworkCall } from "../../src/chain/hypertensor/network_call.ts";
import { writeIdentityFile } from "../../src/identity/mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { ServerProcess } from "../fixtures/chain/server_process.ts";
import { Program, withFolder } from "./program.ts";

const OWNER = `0x${"9".repeat(64)}`;
const SECRETS = ["1", "2", "3"].map((digit) => `0x${digit.repeat(64)}`);
const ONE_TENSOR = "1000000000000000000";
/** Until processes came up and epochs passed, on a slow machine, ms. */
const PATIENCE = 120_000;

Deno.test("three processes wait for a subnet's activation, then attest every epoch", () =>
  withFolder(async (folder) => {
    const identities = SECRETS.map(() => generateIdentity());
    const owner = accountFromSecret(OWNER);
    await using server = await ServerProcess.start(
      ...["--block-ms", "500", "--subnet-state", "registered"],
      ...["--owner", owner.address],
      ...["--balance", `${owner.address},${ONE_TENSOR}`],
      ...SECRETS.flatMap((secret, i) => [
        "--validator",
        `${accountFromSecret(secret).address},0x${String(i + 1).repeat(40)},${
          identities[i]?.peerId
        }`,
      ]),
    );
    const { url, subnetId } = server;
    const chain = HypertensorChain.open({ endpoints: [url] });
    const programs: Program[] = [];
    const start = async (i: number, bootstrap: readonly string[]) => {
      const key = `${folder}/${i}.key`;
      const hotkey = `${folder}/${i}.hotkey`;
      await writeIdentityFile(key, identities[i] as typeof identities[0]);
      await Deno.writeTextFile(hotkey, `${SECRETS[i]}\n`);
      const program = new Program(
        ...["run", "--chain", url, "--subnet-id", String(subnetId)],
        ...["--identity", key, "--hotkey", hotkey, "--data", folder],
        ...["--listen", "/ip4/127.0.0.1/tcp/0", "--heartbeat-period", "2"],
        ...bootstrap,
      );
      programs.push(program);
      return program;
    };
    const told = () =>
      programs.map(({ out, err }) => `${out}\n${err}`).join("\n---\n");
    const epoch = async () => {
      const view = await chain.view();
      const { epochLength } = await chain.constants();
      const slot = (await view.subnet(subnetId))?.slot ?? 0;
      return epochPosition(view.block.number, slot, epochLength).epoch;
    };
    const attested = async (n: number) =>
      (await (await chain.view()).submission(subnetId, n))?.attestations.size;
    try {
      const first = await start(0, []);
      const address = () => /\/ip4\/\S+\/p2p\/\S+/.exec(first.out)?.[0];
      await eventually(() => address() !== undefined, told, PATIENCE);
      for (const i of [1, 2]) {
        await start(i, ["--bootstrap", address() as string]);
      }
      await eventually(
        () => programs.every(({ out }) => out.includes("Peer ")),
        told,
        PATIENCE,
      );
      const before = await epoch();
      assertEquals(await attested(before), undefined, "nobody votes yet");
      const { block } = await chain.submitter(owner).submit(
        activation(subnetId),
      );
      assert(block.number > 0);
      const subnet = await (await chain.view()).subnet(subnetId);
      assertEquals(subnet?.state, "active");
      // Two full epochs one after the other, with everybody's vote.
      await eventually(
        async () => {
          const present = await epoch();
          const votes: (number | undefined)[] = [];
          for (let n = before; n < present; n++) votes.push(await attested(n));
          return votes.some((each, i) => each === 3 && votes[i + 1] === 3);
        },
        told,
        PATIENCE,
      );
      for (const program of programs) program.signal("SIGTERM");
      for (const program of programs) {
        assertEquals(await program.ended(), 0, told());
      }
    } finally {
      for (const program of programs) program.signal("SIGKILL");
      await Promise.all(programs.map((program) => program.ended()));
      await chain.close();
    }
  }));

function activation(subnetId: number): Order {
  return {
    name: "activate",
    encode: ({ types }) =>
      encodeNetworkCall(types, {
        name: "activate_subnet",
        args: { subnet_id: subnetId },
      }),
    check: () => Promise.resolve(),
  };
}
