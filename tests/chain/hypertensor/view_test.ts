import { ONE } from "../../../mod.ts";
import {
  HypertensorView,
  JsonRpcError,
  StateReader,
} from "../../../src/chain/hypertensor/mod.ts";
import { storedBootnodes } from "../../../src/chain/hypertensor/decode.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { recordedBlock, recordedRuntime, RecordedSource } from "./recorded.ts";

const SUBNET = 128_001;
const HOTKEY = "0x3da8d322cb2435da26e9c9fee670f9fb7fe74e49";
const PEER = "12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4";
const runtime = await recordedRuntime();
const block = await recordedBlock();

function recorded() {
  const source = new RecordedSource();
  const reader = new StateReader(block, runtime, source);
  return { source, reader, view: HypertensorView.of(reader) };
}

Deno.test("constants are the metadata's own", () => {
  assertEquals(runtime.constants, {
    epochLength: 20,
    blockMilliseconds: 6_000,
    genesis: `0x${"45".repeat(32)}`,
  });
});

Deno.test("the recorded state reads as the chain had it", async () => {
  const { view } = recorded();
  const subnet = await view.subnet(SUBNET);
  assertEquals([subnet?.id, subnet?.state, subnet?.slot, subnet?.minStake], [
    SUBNET,
    "active",
    3,
    100n * ONE,
  ]);
  assertEquals(await view.electedValidator(SUBNET, 11), 1);
  assertEquals(await view.electedValidator(SUBNET, 16), undefined);
  const submission = await view.submission(SUBNET, 11);
  assertEquals(submission?.electorate, [1, 2, 3, 4]);
  assertEquals(await view.submission(SUBNET, 16), undefined);
  assert(await view.balance(HOTKEY) > ONE);
  assertEquals(view.stale, false);
});

Deno.test("proof of stake is the chain's own word", async () => {
  const { view } = recorded();
  for (const kind of ["P", "Q", "C"]) {
    assert(await view.proofOfStake(SUBNET, `${PEER}${kind}0uQyqXaaa`, "idle"));
  }
  assert(await view.proofOfStake(SUBNET, `${PEER}P0uQyqXaaa`, "validator"));
  assert(await view.proofOfStake(SUBNET, `${PEER}B0uQyqXaaa`, "validator"));
  assertEquals(
    await view.proofOfStake(SUBNET, "12D3KooWunknown", "idle"),
    false,
  );
});

Deno.test("what cannot be read is an error, never absent", async () => {
  const { view } = recorded();
  for (
    const read of [
      () => view.nodes(SUBNET),
      () => view.electedValidator(SUBNET, 99),
      () => view.proofOfStake(SUBNET, "12D3KooWother", "idle"),
      () => view.attestors(SUBNET),
      () => view.time(),
    ]
  ) await assertRejects(read(), { code: "CHAIN_UNREADABLE" });
});

Deno.test("a question is asked once, and anew after a failure", async () => {
  const { source, view } = recorded();
  await Promise.all([
    view.electedValidator(SUBNET, 11),
    view.electedValidator(SUBNET, 11),
  ]);
  await view.electedValidator(SUBNET, 11);
  assertEquals(source.asked, ["state_getStorage"]);
  source.missing = ["state_getStorage"];
  await assertRejects(view.submission(SUBNET, 11), {
    code: "CHAIN_UNREADABLE",
  });
  source.missing = [];
  assert(await view.submission(SUBNET, 11));
});

Deno.test("without the runtime API the node's own RPC is asked, last of all", async () => {
  const asked: unknown[] = [];
  const view = HypertensorView.of(
    new StateReader(block, runtime, {
      ask: (method, params) => {
        asked.push(method);
        if (method === "network_proofOfStake") {
          assertEquals(params, [SUBNET, [120], 1, null, block.hash]);
          return Promise.resolve(true);
        }
        return Promise.reject(
          new JsonRpcError(method, -32601, "Method not found", undefined),
        );
      },
    }),
  );
  assertEquals(await view.proofOfStake(SUBNET, "x", "idle"), true);
  assertEquals(asked, ["state_call", "network_proofOfStake"]);
});

Deno.test("what was answered can be read again without the chain", async () => {
  const { view, reader } = recorded();
  await view.subnet(SUBNET);
  const stale = HypertensorView.of(
    StateReader.stale(await reader.remembered()),
  );
  assertEquals(stale.stale, true);
  assertEquals(stale.block, view.block);
  assertEquals(await stale.subnet(SUBNET), await view.subnet(SUBNET));
  await assertRejects(stale.electedValidator(SUBNET, 11), {
    code: "CHAIN_UNREADABLE",
  });
});

Deno.test("hostile answers are refused", async () => {
  const answers = (answer: unknown) =>
    HypertensorView.of(
      new StateReader(block, runtime, { ask: () => Promise.resolve(answer) }),
    );
  for (
    const answer of [1, "", "0x0", "zz", {}, [], [{}], "0xff", true, "0x02"]
  ) {
    for (
      const read of [
        () => answers(answer).electedValidator(SUBNET, 1),
        () => answers(answer).subnet(SUBNET),
        () => answers(answer).nodes(SUBNET),
        () => answers(answer).balance(HOTKEY),
      ]
    ) {
      // An empty list of keys is an answer: there are no nodes.
      if (Array.isArray(answer) && answer.length === 0) continue;
      await assertRejects(read(), { code: "CHAIN_UNREADABLE" }, `${answer}`);
    }
    if (answer === true) continue;
    await assertRejects(answers(answer).proofOfStake(SUBNET, "x", "idle"), {
      code: "CHAIN_UNREADABLE",
    });
  }
});

Deno.test("an endless list of keys ends", async () => {
  let last = 0n;
  const view = HypertensorView.of(
    new StateReader(block, runtime, {
      ask: (method, params) => {
        if (method !== "state_getKeysPaged") return Promise.resolve(null);
        const prefix = String(params[0]).slice(0, 74);
        return Promise.resolve(
          Array.from(
            { length: 256 },
            () => `${prefix}${(++last).toString(16).padStart(16, "0")}`,
          ),
        );
      },
    }),
  );
  await assertRejects(view.nodes(SUBNET), { code: "CHAIN_UNREADABLE" });
});

Deno.test("bootnodes are read in both layouts; an address that is none is left out", async () => {
  const hex = (text: string) => `0x${new TextEncoder().encode(text).toHex()}`;
  const binary = "0x047f000001061092a5032600240801122003" +
    "a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
  const r26 = runtime.types.registry.createType(
    "BTreeMap<Bytes, Bytes>",
    new Map([[hex("one"), binary], [hex("two"), "0xffff"]]),
  );
  const found = storedBootnodes(r26, "R26");
  assertEquals(found.map(({ peerId }) => peerId), ["one"]);
  assert(found[0]?.multiaddr.startsWith("/ip4/127.0.0.1/tcp/4242/p2p/12D3"));
  const r25 = (await recordedRuntime("r25")).types.registry.createType(
    "BTreeMap<Bytes, Bytes>",
    new Map([[hex("one"), hex("/ip4/127.0.0.1/tcp/1")]]),
  );
  assertEquals(storedBootnodes(r25, "R25"), [
    { peerId: "one", multiaddr: "/ip4/127.0.0.1/tcp/1" },
  ]);
});
