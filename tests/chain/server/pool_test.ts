import { ONE } from "../../../mod.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { eventually } from "../../eventually.ts";
import type { ChainServer, Hex } from "../../fixtures/chain/server/mod.ts";
import {
  ACCOUNTS,
  type Client,
  foundValidators,
  withServer,
} from "./client.ts";

const FEE = 108_157_099n;

/** A server in epoch 0 with the elected node's place, and its proposal. */
async function elected({ server, client }: {
  server: ChainServer;
  client: Client;
}): Promise<{ at: number; other: number; proposal: Hex; attestation: Hex }> {
  foundValidators(server);
  server.toBlock(3);
  const { subnetId } = server;
  const id = await client.read("network", "subnetElectedValidator", [
    subnetId,
    0,
  ]) as number;
  const scores = [1, 2, 3].map((subnetNodeId) => ({
    subnetNodeId,
    score: ONE,
  }));
  const rest = [null, null, null, null];
  return {
    at: id - 1,
    other: id % 3,
    proposal: client.call("propose_attestation", subnetId, scores, ...rest),
    attestation: client.call("attest", subnetId, null),
  };
}

const free = (server: ChainServer, n: number) =>
  server.ledger.balance(ACCOUNTS[n] as string);

/** Submits and notes every status. */
async function watched(client: Client, bytes: Hex) {
  const statuses: unknown[] = [];
  await client.provider.isReady;
  await client.provider.subscribe(
    "author_extrinsicUpdate",
    "author_submitAndWatchExtrinsic",
    [bytes],
    (_error, status) => statuses.push(status),
  );
  return statuses;
}

const names = (statuses: readonly unknown[]) =>
  statuses.map((each) =>
    typeof each === "string" ? each : Object.keys(each as object)[0]
  );

Deno.test("a proposal and an attestation are in the next block, and cost nothing", () =>
  withServer(async ({ server, client }) => {
    const { at, other, proposal, attestation } = await elected({
      server,
      client,
    });
    await client.ask(
      "author_submitExtrinsic",
      await client.signed(at, proposal),
    );
    server.produce();
    assertEquals(await client.outcomes(), [
      "ValidatorSubmission",
      "ExtrinsicSuccess",
    ]);
    await client.ask(
      "author_submitExtrinsic",
      await client.signed(other, attestation),
    );
    server.produce();
    assertEquals(await client.outcomes(), ["Attestation", "ExtrinsicSuccess"]);
    assertEquals([free(server, at), free(server, other)], [ONE, ONE]);
    const { attests } = await client.read(
      "network",
      "subnetConsensusSubmission",
      [server.subnetId, 0],
    ) as { attests: object };
    assertEquals(
      Object.keys(attests).sort(),
      [
        String(at + 1),
        String(other + 1),
      ].sort(),
    );
  }));

Deno.test("a refused call is in a block, costs its fee and its number, and names the error", () =>
  withServer(async ({ server, client }) => {
    const { at, other, proposal, attestation } = await elected({
      server,
      client,
    });
    const outcome = async (n: number, call: Hex) => {
      await client.ask("author_submitExtrinsic", await client.signed(n, call));
      server.produce();
      const [name] = await client.outcomes();
      return name;
    };
    assertEquals(
      await outcome(other, attestation),
      "InvalidSubnetConsensusSubmission",
    );
    assertEquals(await outcome(other, proposal), "InvalidValidator");
    assertEquals(await outcome(at, proposal), "ValidatorSubmission");
    assertEquals(await outcome(at, proposal), "SubnetRewardsAlreadySubmitted");
    assertEquals(await outcome(at, attestation), "AlreadyAttested");
    assertEquals(free(server, other), ONE - 2n * FEE);
    assertEquals(free(server, at), ONE - 2n * FEE);
    assertEquals(server.chain.nonce(ACCOUNTS[at] as string), 3);
  }));

Deno.test("the pool refuses what is used up, unpaid, forged, of another chain or version", () =>
  withServer(async ({ server, client }) => {
    const { at, attestation } = await elected({ server, client });
    const refused = async (bytes: Hex, data: string, code = 1010) => {
      await assertRejects(client.ask("author_submitExtrinsic", bytes), {
        code,
        data,
      });
    };
    const signed = (change: Parameters<Client["signed"]>[2] = {}) =>
      client.signed(at, attestation, change);
    const good = await signed();
    await client.ask("author_submitExtrinsic", good);
    await refused(good, "Transaction Already Imported", 1013);
    await refused(
      await client.signed(at, attestation.replace(/00$/, "0100") as Hex, {
        nonce: 0,
      }),
      "Priority is too low: (0 vs 0)",
      1014,
    );
    server.produce();
    await refused(await signed({ nonce: 0 }), "stale");
    await refused(await signed({ specVersion: 2 }), "badProof");
    await refused(
      await signed({ genesisHash: `0x${"1".repeat(64)}` }),
      "badProof",
    );
    const forged = good.slice(0, 60) + (good[60] === "0" ? "1" : "0") +
      good.slice(61);
    await refused(forged as Hex, "badProof");
    await refused(`0x${"00".repeat(9)}`, "Extrinsic has invalid format", 1001);
    await refused(`${good}00`, "Extrinsic has invalid format", 1001);
    await refused(await client.signed(4, attestation), "payment");
    server.faults.wording = "long";
    await refused(await signed({ nonce: 0 }), "Transaction is outdated");
  }));

Deno.test("a call is good for the blocks of its era, on its own branch", () =>
  withServer(async ({ server, client }) => {
    const { at, attestation } = await elected({ server, client });
    server.toBlock(20);
    const { head } = server;
    const era = { block: head.number, blockHash: head.hash, period: 8 };
    const good = await client.signed(at, attestation, { era });
    const statuses = await watched(client, good);
    server.faults.transactions = "stuck";
    server.toBlock(27);
    assertEquals(await client.ask<Hex[]>("author_pendingExtrinsics"), [good]);
    server.produce();
    await eventually(
      () => names(statuses).includes("invalid"),
      () => JSON.stringify(statuses),
    );
    assertEquals(await client.ask("author_pendingExtrinsics"), []);
    await assertRejects(
      client.ask(
        "author_submitExtrinsic",
        await client.signed(at, attestation, { era, nonce: 0 }),
      ),
      { code: 1010 },
    );
    const foreign = { ...era, block: 28, blockHash: `0x${"2".repeat(64)}` };
    await assertRejects(
      client.ask(
        "author_submitExtrinsic",
        await client.signed(at, attestation, { era: foreign }),
      ),
      { code: 1010, data: "badProof" },
    );
  }));

Deno.test("a number that comes too early waits for those before it", () =>
  withServer(async ({ server, client }) => {
    const { at, attestation } = await elected({ server, client });
    const early = await watched(
      client,
      await client.signed(at, attestation, { nonce: 1 }),
    );
    server.produce();
    await eventually(() => early.length > 0, () => "no status");
    assertEquals(early, ["future"]);
    const [of] = [ACCOUNTS[at] as string];
    assertEquals(await client.ask("system_accountNextIndex", of), 0);
    await client.ask(
      "author_submitExtrinsic",
      await client.signed(at, attestation),
    );
    assertEquals(await client.ask("system_accountNextIndex", of), 2);
    server.produce(3);
    await eventually(
      () => names(early).includes("finalized"),
      () => JSON.stringify(early),
    );
    assertEquals(names(early), ["future", "inBlock", "finalized"]);
  }));

Deno.test("what a retracted block held is included anew", () =>
  withServer(async ({ server, client }) => {
    const { at, proposal } = await elected({ server, client });
    const statuses = await watched(client, await client.signed(at, proposal));
    const { hash, number } = server.produce();
    const other = server.reorganise();
    assertEquals(other.number, number);
    assert(other.hash !== hash);
    server.produce(2);
    await eventually(
      () => names(statuses).includes("finalized"),
      () => JSON.stringify(statuses),
    );
    assertEquals(statuses, [
      "ready",
      { inBlock: hash },
      { retracted: hash },
      { inBlock: other.hash },
      { finalized: other.hash },
    ]);
    assertEquals(server.chain.nonce(ACCOUNTS[at] as string), 1);
    const submission = await client.read(
      "network",
      "subnetConsensusSubmission",
      [server.subnetId, 0],
    ) as { block: number };
    assertEquals(submission.block, number);
    assertThrowsFinal(server);
  }));

/** What is final stays. */
function assertThrowsFinal(server: ChainServer): void {
  let thrown: unknown;
  try {
    server.reorganise(3);
  } catch (error) {
    thrown = error;
  }
  assert(thrown instanceof Error);
}

Deno.test("calls can be late, lost, or heard of by nobody", () =>
  withServer(async ({ server, client }) => {
    const { at, proposal } = await elected({ server, client });
    const account = ACCOUNTS[at] as string;
    server.faults.transactions = "lost";
    const lost = await watched(client, await client.signed(at, proposal));
    server.produce(2);
    await eventually(() => lost.length > 0, () => "no status");
    assertEquals([lost, server.chain.nonce(account)], [["ready"], 0]);
    server.faults.transactions = undefined;
    server.faults.lateBlocks = 2;
    const late = await watched(client, await client.signed(at, proposal));
    const { number } = server.head;
    server.produce(2);
    assertEquals(server.chain.nonce(account), 0);
    server.produce();
    await eventually(() => names(late).includes("inBlock"), () => "not in");
    assertEquals(server.head.included.length, 1);
    assertEquals(server.head.number, number + 3);
    server.faults.lateBlocks = 0;
    server.faults.transactions = "lost-receipt";
    const before = server.accepted;
    const unheard = await watched(client, await client.signed(at, proposal));
    server.produce();
    await eventually(() => server.accepted > before, () => "still connected");
    assertEquals(server.chain.nonce(account), 2);
    assert(!names(unheard).includes("inBlock"), "nobody was told");
    server.faults.refuse = ["stale"];
    await assertRejects(
      client.ask(
        "author_submitExtrinsic",
        await client.signed(at, proposal),
      ),
      { code: 1010, data: "stale" },
    );
  }));
