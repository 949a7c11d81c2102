import { generateIdentity } from "../../../mod.ts";
import { ONE } from "../../../src/chain/types.ts";
import { signingVectors } from "../../fixtures/chain/fixtures.ts";
import { assert, assertEquals } from "../../assert.ts";
import { eventually } from "../../eventually.ts";
import { meshnode, Program } from "../../system/program.ts";
import { accountOf, type TestNetwork, withNetwork } from "./network.ts";

const HOTKEY = accountOf(77);
const MNEMONIC_WORD = "bottom";

function registration(
  { subnet, server }: TestNetwork,
  ...more: string[]
): string[] {
  const earlier = server.chain.head.runtime.types.layout === "R25";
  return [
    "register",
    subnet,
    "--hotkey",
    HOTKEY,
    "--peer-id",
    generateIdentity().peerId,
    ...earlier
      ? [
        ...["--bootnode-peer-id", generateIdentity().peerId],
        ...["--client-peer-id", generateIdentity().peerId],
      ]
      : [],
    "--stake",
    "100",
    "--max-burn",
    "1",
    ...more,
  ];
}

function nodes({ server }: TestNetwork) {
  return server.ledger.state().nodes;
}

for (const metadata of ["r26", "r25"] as const) {
  Deno.test(`a node is registered, staked for, and removed (${metadata})`, () =>
    withNetwork(async (network) => {
      const { keyFile, run, subnet, owner } = network;
      const send = async (...args: string[]) => {
        const { code, out, err } = await run(
          [...args, "--key-file", keyFile, "--yes", "--json"],
        );
        assertEquals([code, err], [0, ""], out);
        return JSON.parse(out);
      };
      const registered = await send(...registration(network));
      assertEquals(registered.call.name, "Network.register_subnet_node");
      assertEquals(registered.signer, owner);
      assert(
        registered.sent.events.some(({ name }: { name: string }) =>
          name === "network.SubnetNodeRegistered"
        ),
      );
      const node = nodes(network).find(({ hotkey }) => hotkey === HOTKEY);
      assertEquals(node?.coldkey, owner);
      assertEquals(node?.stake, 100n * ONE);
      await send("stake", "add", subnet, "--hotkey", HOTKEY, "--amount", "5.5");
      await send(
        "stake",
        "remove",
        subnet,
        "--hotkey",
        HOTKEY,
        "--amount",
        "2",
      );
      assertEquals(
        nodes(network).find(({ hotkey }) => hotkey === HOTKEY)?.stake,
        103n * ONE + ONE / 2n,
      );
      const held = await run(["chain", "stake", owner, "--json"]);
      const { unbondings, stakes } = JSON.parse(held.out);
      assertEquals(unbondings[0].amount, String(2n * ONE));
      assertEquals(stakes[0].nodeId, node?.id);
      await send("stake", "delegate", subnet, "--amount", "3");
      assertEquals(
        network.server.ledger.state().delegated.get(owner),
        3n * ONE,
      );
      await send("node", "remove", subnet, String(node?.id));
      assert(!nodes(network).some(({ hotkey }) => hotkey === HOTKEY));
    }, { metadata }));
}

Deno.test("a dry run tells the call, the fee and the conditions, and sends nothing", () =>
  withNetwork(async (network) => {
    const { owner, run } = network;
    const before = nodes(network).length;
    const args = registration(network, "--dry-run", "--from", owner);
    const { code, out, err } = await run(args);
    assertEquals([code, err], [0, ""], out);
    for (
      const part of [
        "Register a node in subnet 128001 (mesh-test).",
        "Call: Network.register_subnet_node",
        "stakeToBeAdded      100000000000000000000",
        "Fee                     about 0.0000000001",
        "yes  The hotkey has no node yet",
        "yes  The free balance covers it",
      ]
    ) assert(out.includes(part), out);
    const json = JSON.parse((await run([...args, "--json"])).out);
    assertEquals(json.possible, true);
    assertEquals(json.spends, "100000010000000000000");
    assert(json.bytes.startsWith("0x17"));
    assert(BigInt(json.fee) > 0n);
    assertEquals(nodes(network).length, before);
  }));

Deno.test("what the chain would refuse is told before anything is spent, all at once", () =>
  withNetwork(async (network) => {
    const { owner, run, keyFile } = network;
    const taken = nodes(network)[0]?.peer.peerId ?? "";
    const args = [
      ...["register", network.subnet, "--hotkey", accountOf(1)],
      ...["--peer-id", taken, "--stake", "99", "--max-burn", "0"],
    ];
    const dry = await run([...args, "--dry-run", "--from", owner]);
    assertEquals(dry.code, 65, dry.err);
    for (
      const error of [
        "HotkeyHasOwner",
        "PeerIdExist",
        "MinStakeNotReached",
        "MaxBurnAmountExceeded",
        "MustUnstakeToRegister",
      ]
    ) assert(dry.out.includes(`(${error})`), dry.out);
    const balance = network.server.ledger.balance(owner);
    const { code, err } = await run([...args, "--key-file", keyFile, "--yes"]);
    assertEquals(code, 65, err);
    assert(err.includes("Nothing was sent"), err);
    assert(err.includes("hint: "), err);
    assertEquals(network.server.ledger.balance(owner), balance);
  }));

Deno.test("an account that cannot pay is told so", () =>
  withNetwork(async (network) => {
    const poor = accountOf(0xdead);
    const { code, out } = await network.run(
      registration(network, "--dry-run", "--from", poor),
    );
    assertEquals(code, 65);
    assert(out.includes("NO   The free balance covers it (NotEnoughBalance)"));
  }));

Deno.test("nothing is spent without a yes", () =>
  withNetwork(async (network) => {
    const { asked, keyFile, run, subnet } = network;
    const { signer } = await signingVectors();
    const before = nodes(network).length;
    const args = registration(network);
    // Without a terminal nobody is asked, not even for the key.
    const alone = await run([...args, "--key-file", keyFile]);
    assertEquals(alone.code, 2);
    assert(alone.err.includes("--yes") && alone.err.includes("--dry-run"));
    assertEquals(asked, []);
    const declined = await run([...args, "--key-file", keyFile], [false]);
    assertEquals(declined.code, 1);
    assert(declined.out.includes("Stake                   100 TENSOR"));
    assert(declined.err.includes("nothing was done"), declined.err);
    assertEquals(nodes(network).length, before);
    // The key is asked for where no file is given, and is shown nowhere.
    const agreed = await run(
      ["stake", "delegate", subnet, "--amount", "1"],
      [signer.mnemonic, true],
    );
    assertEquals(agreed.code, 0, agreed.err);
    assert(agreed.out.includes("Done: included in block"), agreed.out);
    assertEquals(asked, [
      "Send it?",
      "Mnemonic or private key of the signing account",
      "Send it?",
    ]);
    assert(!`${agreed.out}${agreed.err}`.includes(MNEMONIC_WORD));
  }));

Deno.test("a subnet's owner changes its bootnodes", () =>
  withNetwork(async (network) => {
    const { keyFile, run, server, subnet } = network;
    const { peerId } = generateIdentity();
    const address = `/ip4/192.0.2.1/tcp/4001/p2p/${peerId}`;
    const sign = ["--key-file", keyFile, "--yes"];
    const update = ["subnet", "update-bootnodes", subnet];
    const added = await run([...update, "--add", address, ...sign]);
    assertEquals(added.code, 0, added.err);
    assertEquals(server.ledger.state().bootnodes, [
      { peerId, multiaddr: address },
    ]);
    const listed = await run(["chain", "bootnodes", subnet, "--addresses"]);
    assertEquals(listed.out, address);
    const removed = await run([...update, "--remove", peerId, ...sign]);
    assertEquals(removed.code, 0, removed.err);
    assert(removed.out.includes("left without a bootnode"), removed.out);
    assertEquals(server.ledger.state().bootnodes, []);
  }));

Deno.test("a subnet is registered with bootnodes and first coldkeys", () =>
  withNetwork(async ({ keyFile, run, server, owner }) => {
    const { peerId } = generateIdentity();
    const args = [
      ...["subnet", "register", "--name", "storage", "--repo", "r.example"],
      ...["--max-cost", "400", "--min-stake", "100", "--max-stake", "1000"],
      ...["--delegate-share", "10%"],
      ...[1, 2, 3].flatMap((
        n,
      ) => ["--initial-coldkey", `${accountOf(n)}=${n}`]),
      ...["--bootnode", `/ip4/192.0.2.1/tcp/1/p2p/${peerId}`],
      ...["--key-file", keyFile, "--yes"],
    ];
    const done = await run(args);
    assertEquals(done.code, 0, done.err);
    const [subnet] = server.ledger.state().subnets;
    assertEquals(subnet?.owner, owner);
    assertEquals(subnet?.name, "storage");
    assertEquals(subnet?.minStake, 100n * ONE);
    assertEquals(subnet?.maxStake, 1_000n * ONE);
    assertEquals(subnet?.initialColdkeys.get(accountOf(3)), 3);
    assertEquals(subnet?.bootnodes[0]?.peerId, peerId);
    const again = await run(args);
    assertEquals(again.code, 65, again.out);
    assert(again.err.includes("Another subnet has this name"), again.err);
  }));

Deno.test("calls are made by the real program", () =>
  withNetwork(async ({ keyFile, server, subnet, owner }) => {
    const chain = ["--chain", server.url];
    const done = await meshnode(
      ...["stake", "delegate", subnet, "--amount", "2", "--yes"],
      ...["--key-file", keyFile, ...chain],
    );
    assertEquals([done.code, done.err], [0, ""], done.out);
    assertEquals(server.ledger.state().delegated.get(owner), 2n * ONE);
    await Deno.chmod(keyFile, 0o644);
    const refused = await meshnode(
      ...["stake", "delegate", subnet, "--amount", "2"],
      ...["--key-file", keyFile, ...chain],
    );
    assertEquals(refused.code, 2, refused.err);
    assert(refused.err.includes("--yes"), refused.err);
    const shown = await meshnode("chain", "status", "--json", ...chain);
    assertEquals(JSON.parse(shown.out).network.subnets, 1, shown.err);
  }));

Deno.test("a subnet is followed over a served chain, and its stop is clean", () =>
  withNetwork(async ({ server, subnet }) => {
    const program = new Program(
      ...["chain", "watch", subnet, "--json", "--blocks"],
      ...["--chain", "ws://127.0.0.1:9", "--chain", server.url],
    );
    const lines = () => program.out.split("\n").filter((line) => line);
    await eventually(
      () => lines().length > 3,
      () => program.out + program.err,
      30_000,
    );
    program.signal("SIGINT");
    assertEquals([await program.ended(), program.err], [0, ""]);
    const blocks = lines().map((line) => JSON.parse(line).block);
    assertEquals(blocks, [...blocks].sort((a, b) => a - b));
  }));

Deno.test("a refusal that nobody could foresee is explained", () =>
  withNetwork(async (network) => {
    const { keyFile, run, server } = network;
    const args = registration(network);
    // Somebody else is faster, after the conditions were shown.
    const { code, err } = await run([...args, "--key-file", keyFile], [() => {
      server.register({
        hotkey: HOTKEY,
        coldkey: accountOf(5_000),
        peerId: generateIdentity().peerId,
      });
      return true;
    }]);
    assertEquals(code, 65, err);
    assert(err.includes("The hotkey belongs to a node already"), err);
    assert(err.includes("hint: Use a hotkey of its own"), err);
  }));
