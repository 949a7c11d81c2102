import { readIdentityFile } from "../../mod.ts";
import { accountFromSecret } from "../../src/chain/hypertensor/mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { ChainServer } from "../fixtures/chain/server/mod.ts";
import { meshnode, Program, withFolder } from "./program.ts";

const BLOCK = 400;

/** Three registered validators as processes of their own, on a served chain. */
async function withValidators(
  folder: string,
  test: (
    server: ChainServer,
    start: (n: number) => Promise<Program>,
  ) => Promise<void>,
): Promise<void> {
  const server = await ChainServer.start({
    automatic: true,
    blockMilliseconds: BLOCK,
  });
  const programs: Program[] = [];
  let entry: string[] = [];
  const start = async (n: number) => {
    const program = new Program(
      ...["run", "--chain", server.url, "--subnet-id", `${server.subnetId}`],
      ...["--identity", `${folder}/${n}.key`],
      ...["--hotkey", `${folder}/${n}.hotkey`],
      ...["--data", `${folder}/data`, "--heartbeat-period", "1"],
      ...["--listen", "/ip4/127.0.0.1/tcp/0", ...entry],
    );
    programs.push(program);
    await eventually(
      () => /\/ip4\/127/.test(program.out),
      () => program.out + program.err,
    );
    const [address = ""] = /\/ip4\/127\S+/.exec(program.out) ?? [];
    if (entry.length === 0) entry = ["--bootstrap", address];
    return program;
  };
  try {
    for (const n of [1, 2, 3]) {
      const key = `${folder}/${n}.key`;
      const secret = `0x${`${n}`.repeat(64)}`;
      await meshnode("key", "generate", "--output", key);
      await Deno.writeTextFile(`${folder}/${n}.hotkey`, secret, {
        mode: 0o600,
      });
      server.register({
        hotkey: accountFromSecret(secret).address.toLowerCase(),
        coldkey: `0x${`${n}`.repeat(40)}`,
        peerId: (await readIdentityFile(key)).peerId,
        nodeClass: "validator",
      });
    }
    await test(server, start);
  } finally {
    for (const program of programs) program.signal("SIGTERM");
    const codes = await Promise.all(programs.map((each) => each.ended()));
    await server.close();
    assertEquals(codes, programs.map(() => 0));
  }
}

/** Attestations by epoch, as the chain has them. */
const attested = (server: ChainServer) =>
  new Map(
    [...server.ledger.state().submissions].map(([epoch, { attestations }]) => [
      epoch,
      attestations.size,
    ]),
  );

Deno.test("three nodes on a Hypertensor endpoint attest every epoch, also while connections drop", () =>
  withFolder((folder) =>
    withValidators(folder, async (server, start) => {
      const programs = [await start(1)];
      programs.push(...await Promise.all([start(2), start(3)]));
      const said = () =>
        programs.map(({ err }) => err.slice(-1_500)).join("\n--\n");
      const full = () =>
        [...attested(server)].filter(([, count]) => count === 3)
          .map(([epoch]) => epoch);
      await eventually(() => full().length > 0, said, 60_000);
      server.faults.dropEvery = 2_500;
      const first = full().at(-1) as number;
      await eventually(() => full().includes(first + 3), said, 90_000);
      for (const epoch of [first + 1, first + 2, first + 3]) {
        assert(full().includes(epoch), `epoch ${epoch}: ${said()}`);
      }
    })
  ));
