import { compactStripLength, hexToU8a } from "@polkadot/util";
import { ONE } from "../../../mod.ts";
import { assert, assertEquals } from "../../assert.ts";
import {
  type RecordedAnswer,
  recordedAnswers,
  recordedMetadata,
} from "../../fixtures/chain/fixtures.ts";
import { type Client, recorded, withServer } from "./client.ts";
import type { ChainServer } from "../../fixtures/chain/server/mod.ts";

const GENESIS = recorded.genesisHash as `0x${string}`;
const answers = await recordedAnswers();
/** The recorded chain: four validators with these keys, one of them late. */
const HOTKEYS = [
  "0x3da8d322cb2435da26e9c9fee670f9fb7fe74e49",
  "0xdbc23ae43a150ff8884b02cea117b22d1c3b9796",
  "0x68e527780872cda0216ba0d8fbd58b67a5d5e351",
  "0x5a83529ff76ac5723a87008c4d9b436ad4ca7d28",
];
const COLDKEY = "0x3cd0a705a2dc65e5b1e1205896baa2be8a07c6e0";
const PEER = "12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4";

/** A chain at the recorded block that looks like the recorded one. */
function withRecorded(
  test: (given: {
    server: ChainServer;
    client: Client;
    ask: (answer: RecordedAnswer) => Promise<unknown>;
  }) => Promise<void>,
): Promise<void> {
  return withServer(async ({ server, client }) => {
    HOTKEYS.forEach((hotkey, i) =>
      server.register({
        hotkey,
        coldkey: i === 0 ? COLDKEY : `0x${String(i).repeat(40)}`,
        peerId: `${PEER}P${i}uQyqXaaa`,
        bootnodePeerId: `${PEER}Q${i}uQyqXaaa`,
        clientPeerId: `${PEER}C${i}uQyqXaaa`,
        nodeClass: "validator",
      })
    );
    server.ledger.setBootnode(`${PEER}B0uQyqXaaa`, "/ip4/127.0.0.1/tcp/8081");
    // No rule of the ledger's makes reputations; values can be set by name.
    server.chain.override("Network", "ColdkeyReputation", [COLDKEY], {
      startEpoch: 2,
      score: "0x06f05b59d3b20550",
      lifetimeNodeCount: 1,
      totalActiveNodes: 1,
      totalIncreases: 4,
      totalDecreases: 0,
      averageAttestation: ONE,
      lastValidatorEpoch: 6,
      owScore: 500_000_000_000_000n,
    });
    server.toBlock(225);
    await test({
      server,
      client,
      // Block hashes are those of the recorded chain's run.
      ask: ({ method, params }) =>
        client.ask(
          method,
          ...params.filter((each) => !/^0x[0-9a-f]{64}$/.test(String(each))),
        ),
    });
  }, { genesis: GENESIS, finality: 0 });
}

/** The form of an answer: which fields it has, and of what kind they are. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, shape(each)]).sort(),
    );
  }
  if (typeof value === "string" && value.startsWith("0x")) return "hex";
  return value === null ? "null" : typeof value;
}

Deno.test("every recorded question gets an answer of the same form", () =>
  withRecorded(async ({ ask, server, client }) => {
    let asked = 0;
    for (const answer of answers) {
      const { label, result } = answer;
      if (label === "consensus submission") {
        await propose(server, client);
      }
      assertEquals(shape(await ask(answer)), shape(result), label);
      asked++;
    }
    assert(asked > 40, "they were there at all");
  }));

/** Puts a proposal into the epoch that was recorded, by the ledger's own rules. */
function propose(server: ChainServer, client: Client): Promise<void> {
  const { ledger, subnetId, head } = server;
  const id = ledger.state().elections.get(11);
  const hotkey = HOTKEYS[(id as number) - 1] as string;
  ledger.propose(head.number, hotkey, {
    subnetId,
    scores: [1, 2, 3, 4].map((nodeId) => ({ nodeId, score: ONE })),
  });
  server.produce();
  return client.provider.isReady.then(() => {});
}

Deno.test("storage that both chains have alike is the same byte for byte", () =>
  withRecorded(async ({ ask }) => {
    const alike = [
      "slot",
      "elected validator, none yet",
      "consensus submission, none",
      "node data",
      "node id of hotkey",
      "hotkey of node id",
      "hotkey owner",
      "min stake",
      "node id of peer id",
      "election slots",
      "coldkey reputation",
    ];
    for (const label of alike) {
      const answer = answers.find((each) => each.label === label);
      assert(answer, label);
      assertEquals(await ask(answer), answer.result, label);
    }
  }));

Deno.test("proof of stake is answered as recorded", () =>
  withRecorded(async ({ ask }) => {
    const questions = answers.filter(({ label }) =>
      label.startsWith("proof of stake")
    );
    assert(questions.length >= 8);
    for (const answer of questions) {
      assertEquals(await ask(answer), answer.result, answer.label);
    }
  }));

Deno.test("the types that are served read recorded answers to the last byte", () =>
  withRecorded(({ server }) => {
    const { registry } = server.head.runtime.types;
    for (
      const [label, type] of [
        ["subnet info", "Option<ServedSubnet>"],
        ["all subnets", "Vec<ServedSubnet>"],
        ["all nodes of the subnet", "Vec<ServedNode>"],
        ["one node", "Option<ServedNode>"],
        ["elected validator info", "Option<ServedNode>"],
        ["validators and attestors", "Vec<ServedNode>"],
        ["bootnodes", "ServedBootnodes"],
      ] as const
    ) {
      const answer = answers.find((each) => each.label === label);
      const [, bytes] = compactStripLength(hexToU8a(answer?.result));
      const value = registry.createType(type, bytes);
      assertEquals(value.toU8a().toHex(), bytes.toHex(), label);
    }
    return Promise.resolve();
  }));

Deno.test("the metadata is the recorded one but for the time of a block", () =>
  withServer(async ({ client }) => {
    assertEquals(
      await client.ask("state_getMetadata"),
      await recordedMetadata("r26"),
    );
    const call = "Metadata_metadata_at_version";
    const answer = await client.ask<string>("state_call", call, "0x0f000000");
    const v15 = await recordedMetadata("r26-v15");
    assert(answer.startsWith("0x01") && answer.endsWith(v15.slice(2)));
    assertEquals(await client.ask("state_call", call, "0x10000000"), "0x00");
    const versions = await client.ask<string>(
      "state_call",
      "Metadata_metadata_versions",
      "0x",
    );
    assertEquals([...hexToU8a(versions)], [8, 14, 0, 0, 0, 15, 0, 0, 0]);
  }));

Deno.test("recorded transactions are accepted, and mean what they say", () =>
  withServer(async ({ server, client }) => {
    const from = recorded.signer.address.toLowerCase();
    for (const { label, signed, hash, nonce } of recorded.extrinsics) {
      server.ledger.pay(from, ONE);
      server.ledger.extend({ nonces: new Map([[from, nonce]]) });
      assertEquals(await client.ask("author_submitExtrinsic", signed), hash);
      server.produce();
      const [outcome] = await client.outcomes();
      // The account has no node here, and not enough for a stake.
      assertEquals(
        outcome,
        {
          attest: "InvalidHotkeySubnetNodeId",
          propose_attestation: "NoElectedValidator",
          register_subnet_node: "NotEnoughBalanceToStake",
        }[label],
      );
      assertEquals(
        await client.ask("system_accountNextIndex", from),
        nonce + 1,
        "a failed call has used its number up",
      );
    }
  }, { genesis: GENESIS }));
