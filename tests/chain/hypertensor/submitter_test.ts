import { ONE } from "../../../mod.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { eventually } from "../../eventually.ts";
import { KEYS, type Served, withServed } from "./served.ts";

/** Goes to the first epoch's second block, and gives the elected node's place among the keys. */
async function elected({ server, chain, nodes }: Served): Promise<number> {
  server.toBlock(server.ledger.facts.slot + 20);
  await eventually(
    async () => (await chain.head()).number === server.head.number,
    () => "the head is not there",
  );
  const view = await chain.view();
  const id = await view.electedValidator(server.subnetId, 1);
  assert(id !== undefined);
  return nodes.indexOf(id);
}

const scores = (nodes: readonly number[]) =>
  nodes.map((nodeId) => ({ nodeId, score: ONE }));

async function proposed(served: Served): Promise<number> {
  const at = await elected(served);
  const { server, chain, nodes, during } = served;
  await during(
    chain.signer(KEYS[at] as typeof KEYS[0]).propose({
      subnetId: server.subnetId,
      scores: scores(nodes),
    }),
  );
  return at;
}

const other = (at: number) => KEYS[(at + 1) % KEYS.length] as typeof KEYS[0];

/** Calls of an account that are in blocks. */
const nonceOf = ({ server }: Served, key: typeof KEYS[0]) =>
  server.ledger.extras.nonces.get(key.address.toLowerCase()) ?? 0;

Deno.test("a proposal and attestations are taken in, once each", () =>
  withServed(async (served) => {
    const { server, chain, nodes, during } = served;
    const at = await proposed(served);
    const signer = chain.signer(KEYS[at] as typeof KEYS[0]);
    await assertRejects(
      during(signer.propose({ subnetId: server.subnetId, scores: [] })),
      { chainError: "SubnetRewardsAlreadySubmitted" },
    );
    for (const [i, key] of KEYS.entries()) {
      if (i === at) continue;
      const receipt = await during(
        chain.signer(key).attest(server.subnetId),
      );
      assert(receipt.block.number <= server.head.number);
      await assertRejects(during(chain.signer(key).attest(server.subnetId)), {
        chainError: "AlreadyAttested",
      });
    }
    const view = await chain.view();
    const submission = await view.submission(server.subnetId, 1);
    assertEquals(submission?.attestations.size, nodes.length);
    assertEquals(submission?.scores, scores(nodes));
  }));

Deno.test("what the chain would refuse costs nothing", () =>
  withServed(async (served) => {
    const { server, chain, nodes } = served;
    const at = await elected(served);
    const key = other(at);
    await assertRejects(
      chain.signer(key).propose({
        subnetId: server.subnetId,
        scores: scores(nodes),
      }),
      { chainError: "InvalidValidator" },
    );
    await assertRejects(chain.signer(key).attest(server.subnetId), {
      chainError: "InvalidSubnetConsensusSubmission",
    });
    await assertRejects(chain.signer(key).attest(server.subnetId + 1), {
      chainError: "InvalidSubnetId",
    });
    assertEquals(nonceOf(served, key), 0);
  }));

Deno.test("a lost receipt is found in the block, and nothing is sent twice", () =>
  withServed(async (served) => {
    const { server, chain, during } = served;
    const key = other(await proposed(served));
    server.faults.transactions = "lost-receipt";
    await during(chain.signer(key).attest(server.subnetId), 100);
    assertEquals(nonceOf(served, key), 1);
  }));

Deno.test("a connection that drops every moment delays a call and doubles none", () =>
  withServed(async (served) => {
    const { server, chain, during } = served;
    const key = other(await proposed(served));
    server.faults.dropEvery = 300;
    // So slowly that the epoch does not end on a busy machine.
    await during(chain.signer(key).attest(server.subnetId), 750);
    assertEquals(nonceOf(served, key), 1);
  }));

Deno.test("a call that the pool forgot is made anew with the same number", () =>
  withServed(async (served) => {
    const { server, chain, metrics, during } = served;
    const key = other(await proposed(served));
    server.faults.transactions = "lost";
    const call = chain.signer(key).attest(server.subnetId);
    await eventually(
      () =>
        metrics.get("meshnode_chain_calls_total", {
          call: "attest",
          outcome: "sent",
        }) > 0,
      () => "nothing was sent",
    );
    server.faults.transactions = undefined;
    await during(call, 100);
    assertEquals(nonceOf(served, key), 1);
  }));

Deno.test("a call that is included late is waited for", () =>
  withServed(async (served) => {
    const { server, chain, during } = served;
    const key = other(await proposed(served));
    server.faults.lateBlocks = 3;
    await during(chain.signer(key).attest(server.subnetId), 50);
    assertEquals(nonceOf(served, key), 1);
  }));

Deno.test("stale and low priority are looked at and tried anew, no funds is the end", () =>
  withServed(async (served) => {
    const { server, chain, during } = served;
    const key = other(await proposed(served));
    server.faults.refuse = ["payment"];
    await assertRejects(during(chain.signer(key).attest(server.subnetId)), {
      code: "CHAIN_SUBMIT_FAILED",
      remedy: "stop",
    });
    server.faults.refuse = ["stale", "badProof"];
    await during(chain.signer(key).attest(server.subnetId), 100);
    assertEquals(nonceOf(served, key), 1);
  }));

Deno.test("no call is sent that could outlive its epoch", () =>
  withServed(async (served) => {
    const { server, chain } = served;
    const key = other(await proposed(served));
    await assertRejects(
      chain.signer(key).attest(server.subnetId, {
        notAfter: server.head.number + 1,
      }),
      { code: "CHAIN_SUBMIT_FAILED", remedy: "stop" },
    );
    assertEquals(nonceOf(served, key), 0);
  }));

Deno.test("a signal ends the wait for a block", () =>
  withServed(async (served) => {
    const { server, chain } = served;
    const key = other(await proposed(served));
    const gone = new AbortController();
    const call = chain.signer(key).attest(server.subnetId, {
      signal: gone.signal,
    });
    gone.abort(new Error("gave up"));
    await assertRejects(call, { message: "gave up" });
  }));

Deno.test("the fee is told without sending anything", () =>
  withServed(async (served) => {
    const { chain, server } = served;
    const [key] = KEYS as [typeof KEYS[0]];
    const { attestOrder } = await import(
      "../../../src/chain/hypertensor/orders.ts"
    );
    const submitter = chain.submitter(key);
    const { fee } = await submitter.estimate(
      attestOrder(server.subnetId, submitter.account),
    );
    assert(fee > 0n && fee < ONE);
    assertEquals(nonceOf(served, key), 0);
  }));
