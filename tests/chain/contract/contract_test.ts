// What every chain must do, run unchanged against each kind.
import {
  type ChainView,
  generateIdentity,
  NODE_CLASSES,
  type NodeClass,
  ONE,
} from "../../../mod.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { BLOCK, KINDS, type Subject } from "./subject.ts";

const SLOT = 3;
const LENGTH = 20;
/** Nodes, as soon as the chain can be read. */
async function readAgain(chain: Subject["chain"], subnetId: number) {
  for (let attempt = 1;; attempt++) {
    try {
      return await (await chain.view()).nodes(subnetId);
    } catch (error) {
      if (attempt > 10) throw error;
    }
  }
}

const peer = () => generateIdentity().peerId;

function contract(
  name: string,
  test: (subject: Subject) => Promise<void>,
): void {
  for (const { name: kind, run } of KINDS) {
    Deno.test(`${kind}: ${name}`, () => run(test));
  }
}

/** Three validators in the second block of epoch 1; the elected one's place among them, and all ids. */
async function inEpoch(subject: Subject, epoch = 1) {
  const ids = [0, 1, 2].map((n) => subject.register(n, peer()));
  await subject.toBlock(SLOT + epoch * LENGTH + 1);
  const view = await subject.chain.view();
  const id = await view.electedValidator(subject.subnetId, epoch);
  const at = ids.indexOf(id as number);
  assert(at >= 0);
  return { ids, at, other: (at + 1) % 3 };
}

const scores = (ids: readonly number[]) =>
  ids.map((nodeId) => ({ nodeId, score: ONE }));

contract("constants tell epochs, blocks and who it is", async ({ chain }) => {
  const { epochLength, blockMilliseconds, genesis } = await chain.constants();
  assertEquals([epochLength, blockMilliseconds], [LENGTH, BLOCK]);
  assert(genesis.length > 8);
});

contract("the head moves on, and heads tell of it", async (subject) => {
  const { chain, toBlock } = subject;
  const end = new AbortController();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const { number } of chain.heads(end.signal)) seen.push(number);
  })();
  await toBlock(4);
  await toBlock(9);
  assertEquals((await chain.head()).number, 9);
  await toBlock(10);
  end.abort();
  await reading;
  assert(
    seen.length > 0 && seen.every((each, i) => each > (seen[i - 1] ?? -1)),
  );
});

contract(
  "a view stays at its block",
  async ({ chain, toBlock, subnetId, register }) => {
    await toBlock(5);
    const before = await chain.view();
    const time = await before.time();
    assertEquals(before.block.number, 5);
    assertEquals(before.stale, false);
    register(0, peer());
    await toBlock(7);
    const after = await chain.view();
    assertEquals(after.block.number, 7);
    assertEquals((await after.nodes(subnetId)).length, 1);
    assertEquals(await after.time() - time, 2 * BLOCK);
  },
);

contract("an earlier block is read as it was", async (subject) => {
  const { chain, subnetId, hotkeys, register, remove, toBlock } = subject;
  const main = peer();
  const id = register(0, main);
  await toBlock(5);
  const { block } = await chain.view();
  await toBlock(6);
  remove(id);
  subject.setState("paused");
  subject.addBootnode(peer(), `/ip4/192.0.2.1/tcp/1/p2p/${peer()}`);
  subject.impoverish(hotkeys[0] as string);
  register(1, peer(), "registered");
  for (let n = 7; n < 14; n++) {
    await toBlock(n);
    assertEquals((await chain.view()).block.number, n);
  }
  const now = await chain.view();
  assertEquals((await now.nodes(subnetId)).map((node) => node.hotkey), [
    hotkeys[1],
  ]);
  assertEquals(await now.proofOfStake(subnetId, main, "registered"), false);
  const then = await chain.view(block);
  assertEquals(then.block, block);
  assertEquals((await then.subnet(subnetId))?.state, "active");
  const nodes = await then.nodes(subnetId);
  assertEquals(nodes.map((node) => [node.id, node.hotkey]), [[id, hotkeys[0]]]);
  assertEquals(
    await then.nodeOfHotkey(subnetId, hotkeys[1] as string),
    undefined,
  );
  assertEquals(await then.attestors(subnetId), [id]);
  assertEquals(await then.bootnodes(subnetId), []);
  assertEquals(await then.proofOfStake(subnetId, main, "validator"), true);
  assert(await then.balance(hotkeys[0] as string) > 0n);
});

contract("a block that nobody knows cannot be read", async (subject) => {
  const { chain, subnetId, toBlock } = subject;
  await toBlock(5);
  const { number } = await chain.head();
  const unknown = { number, hash: `0x${"5".repeat(64)}` };
  await assertRejects(
    chain.view(unknown).then((view) => view.subnet(subnetId)),
    { code: "CHAIN_UNREADABLE" },
  );
});

contract(
  "the subnet is told with its slot; another one is absent",
  async (subject) => {
    const { chain, subnetId, toBlock, setState } = subject;
    await toBlock(5);
    const read = async () => (await chain.view()).subnet(subnetId);
    const { id, state, slot, minStake } = await read() ?? {};
    assertEquals([id, state, slot, minStake], [
      subnetId,
      "active",
      SLOT,
      100n * ONE,
    ]);
    assertEquals(await (await chain.view()).subnet(subnetId + 7), undefined);
    setState("paused");
    await toBlock(6);
    assertEquals((await read())?.state, "paused");
  },
);

contract(
  "nodes are told with class, peers, owner, stake and reputation",
  async (subject) => {
    const { chain, subnetId, hotkeys, register, toBlock } = subject;
    await toBlock(SLOT + LENGTH);
    const [main, boot, client, queued] = [peer(), peer(), peer(), peer()];
    const first = register(0, main, "validator", {
      bootnodePeerId: boot,
      clientPeerId: client,
      stake: 150n * ONE,
    });
    const second = register(1, queued, "registered");
    await toBlock(SLOT + LENGTH + 1);
    const view = await chain.view();
    const nodes = await view.nodes(subnetId);
    assertEquals(nodes.map(({ id }) => id), [first, second]);
    const [node, later] = nodes;
    assertEquals(node?.hotkey, hotkeys[0]);
    assertEquals(node?.coldkey.length, 42);
    assertEquals(
      [node?.peer, node?.bootnode, node?.client].map((each) => each?.peerId),
      [main, boot, client],
    );
    assertEquals([node?.stake, node?.reputation], [150n * ONE, ONE]);
    assertEquals([node?.nodeClass, later?.nodeClass], [
      "validator",
      "registered",
    ]);
    assertEquals(later?.startEpoch, 2);
    for (const [n, each] of nodes.entries()) {
      assertEquals(
        await view.nodeOfHotkey(subnetId, hotkeys[n] as string),
        each,
      );
    }
    assertEquals(
      await view.nodeOfHotkey(subnetId, hotkeys[3] as string),
      undefined,
    );
    assertEquals(await view.nodes(subnetId + 7), []);
  },
);

contract(
  "a queued node rises by itself, as the chain's rules say",
  async (subject) => {
    const { chain, subnetId, register, signer, toBlock, during } = subject;
    register(0, peer());
    await toBlock(SLOT + 2 * LENGTH + 1);
    const id = register(1, peer(), "registered");
    const classes = new Map<NodeClass, number>();
    for (let epoch = 3; epoch <= 12; epoch++) {
      await toBlock(SLOT + epoch * LENGTH + 1);
      const nodes = await (await chain.view()).nodes(subnetId);
      const { nodeClass } = nodes.find((node) => node.id === id) ?? {};
      assert(nodeClass);
      if (!classes.has(nodeClass)) classes.set(nodeClass, epoch);
      const counted = nodes.filter((node) =>
        NODE_CLASSES.indexOf(node.nodeClass) >= 2
      );
      const view = await chain.view();
      const elected = await view.electedValidator(subnetId, epoch);
      const proposer = elected === id ? 1 : 0;
      await during(
        signer(proposer).propose({
          subnetId,
          scores: scores(counted.map((node) => node.id)),
        }),
      );
      for (const attestor of await (await chain.view()).attestors(subnetId)) {
        if (attestor === elected) continue;
        await during(signer(attestor === id ? 1 : 0).attest(subnetId));
      }
    }
    assertEquals(Object.fromEntries(classes), {
      registered: 3,
      idle: 7,
      included: 9,
      validator: 11,
    });
  },
);

contract(
  "somebody is elected in the slot block, never before, and stays it",
  async (subject) => {
    const { chain, subnetId, register, toBlock } = subject;
    const ids = [0, 1, 2].map((n) => register(n, peer()));
    const elected = async (epoch: number) =>
      await (await chain.view()).electedValidator(subnetId, epoch);
    for (const epoch of [1, 2]) {
      await toBlock(SLOT + epoch * LENGTH - 1);
      assertEquals(await elected(epoch), undefined);
      await toBlock(SLOT + epoch * LENGTH);
      const id = await elected(epoch);
      assert(ids.includes(id as number));
      await toBlock(SLOT + epoch * LENGTH + 9);
      assertEquals(await elected(epoch), id);
      assertEquals(await elected(epoch + 1), undefined);
    }
  },
);

contract(
  "one proposal an epoch, with the proposer's own attestation",
  async (subject) => {
    const { chain, subnetId, signer, during } = subject;
    const { ids, at } = await inEpoch(subject);
    assertEquals(await (await chain.view()).submission(subnetId, 1), undefined);
    const list = scores([...ids].reverse());
    const { block } = await during(
      signer(at).propose({ subnetId, scores: list }),
    );
    const submission = await (await chain.view()).submission(subnetId, 1);
    assertEquals(submission?.validatorId, ids[at]);
    assertEquals(submission?.block, block.number);
    assertEquals(submission?.scores, list);
    assertEquals([...submission?.attestations.keys() ?? []], [ids[at]]);
    assertEquals(submission?.electorate, ids);
    assertEquals(submission?.prioritizeQueueNodeId, undefined);
    await assertRejects(during(signer(at).propose({ subnetId, scores: [] })), {
      code: "CHAIN_CALL_REFUSED",
      chainError: "SubnetRewardsAlreadySubmitted",
    });
  },
);

contract(
  "an empty proposal is legal, and those who do not count are left out",
  async (subject) => {
    const { chain, subnetId, signer, register, during } = subject;
    const { ids, at } = await inEpoch(subject);
    const idle = register(3, peer(), "registered");
    await during(
      signer(at).propose({ subnetId, scores: scores([...ids, idle, 999]) }),
    );
    const { scores: kept } =
      await (await chain.view()).submission(subnetId, 1) ?? {};
    assertEquals(kept, scores(ids));
    await subject.toBlock(SLOT + 2 * LENGTH);
    const elected = await (await chain.view()).electedValidator(subnetId, 2);
    await during(
      signer(ids.indexOf(elected as number)).propose({ subnetId, scores: [] }),
    );
    const empty = await (await chain.view()).submission(subnetId, 2);
    assertEquals(empty?.scores, []);
  },
);

contract(
  "each validator attests once, and only what was proposed",
  async (subject) => {
    const { chain, subnetId, signer, during } = subject;
    const { ids, at, other } = await inEpoch(subject);
    const refused = (call: Promise<unknown>, chainError: string) =>
      assertRejects(during(call), { code: "CHAIN_CALL_REFUSED", chainError });
    await refused(
      signer(other).attest(subnetId),
      "InvalidSubnetConsensusSubmission",
    );
    await refused(
      signer(other).propose({ subnetId, scores: [] }),
      "InvalidValidator",
    );
    await refused(
      signer(3).attest(subnetId),
      "InvalidHotkeySubnetNodeId",
    );
    await during(signer(at).propose({ subnetId, scores: scores(ids) }));
    await refused(signer(at).attest(subnetId), "AlreadyAttested");
    const { block } = await during(signer(other).attest(subnetId));
    await refused(signer(other).attest(subnetId), "AlreadyAttested");
    const submission = await (await chain.view()).submission(subnetId, 1);
    assertEquals(submission?.attestations.size, 2);
    assertEquals(
      submission?.attestations.get(ids[other] as number)?.block,
      block.number,
    );
  },
);

contract("a call that would come too late is not made", async (subject) => {
  const { chain, subnetId, signer, toBlock, during } = subject;
  const { ids, at } = await inEpoch(subject);
  const { number } = await chain.head();
  await assertRejects(
    during(
      signer(at).propose({ subnetId, scores: [] }, { notAfter: number }),
    ),
    { code: "CHAIN_SUBMIT_FAILED", remedy: "stop" },
  );
  await toBlock(SLOT + LENGTH + 8);
  assertEquals(await (await chain.view()).submission(subnetId, 1), undefined);
  const last = SLOT + 2 * LENGTH - 1;
  const { block } = await during(
    signer(at).propose({ subnetId, scores: scores(ids) }, { notAfter: last }),
  );
  assert(block.number <= last);
});

contract(
  "what an earlier epoch brought is told in a later one, and is closed",
  async (subject) => {
    const { chain, subnetId, signer, toBlock, during } = subject;
    const { ids, at, other } = await inEpoch(subject);
    await during(signer(at).propose({ subnetId, scores: scores(ids) }));
    await toBlock(SLOT + 2 * LENGTH);
    const view = await chain.view();
    const submission = await view.submission(subnetId, 1);
    assertEquals(submission?.validatorId, ids[at]);
    assertEquals(await view.submission(subnetId, 2), undefined);
    assertEquals(await view.electedValidator(subnetId, 1), ids[at]);
    await assertRejects(during(signer(other).attest(subnetId)), {
      chainError: "InvalidSubnetConsensusSubmission",
    });
  },
);

contract("who is no validator yet attests nothing", async (subject) => {
  const { subnetId, signer, register, during } = subject;
  const { ids, at } = await inEpoch(subject);
  register(3, peer(), "idle");
  await during(signer(at).propose({ subnetId, scores: scores(ids) }));
  await assertRejects(during(signer(3).attest(subnetId)), {
    chainError: "InvalidSubnetNodeClassification",
  });
});

contract(
  "scores that do not fit, foreign and paused subnets are refused",
  async (subject) => {
    const { subnetId, signer, setState, toBlock, during, chain } = subject;
    const { ids, at, other } = await inEpoch(subject);
    const refused = (call: Promise<unknown>, chainError: string) =>
      assertRejects(during(call), { code: "CHAIN_CALL_REFUSED", chainError });
    await refused(
      signer(at).propose({
        subnetId,
        scores: [{ nodeId: ids[0] as number, score: 2n ** 128n }],
      }),
      "ScoreOverflow",
    );
    await refused(
      signer(other).attest(subnetId + 7),
      "InvalidSubnetId",
    );
    setState("paused");
    await toBlock((await chain.head()).number + 1);
    await refused(signer(at).propose({ subnetId, scores: [] }), "Paused");
  },
);

contract("the electorate may attest, ascending by id", async (subject) => {
  const { chain, subnetId } = subject;
  const { ids } = await inEpoch(subject);
  const view = await chain.view();
  assertEquals(await view.attestors(subnetId), ids);
  assertEquals(await view.attestors(subnetId + 7), []);
});

contract("the subnet's bootnodes are told", async (subject) => {
  const { chain, subnetId, addBootnode, toBlock } = subject;
  const boot = peer();
  const address = `/ip4/192.0.2.1/tcp/31330/p2p/${boot}`;
  addBootnode(boot, address);
  await toBlock(5);
  const view = await chain.view();
  assertEquals(await view.bootnodes(subnetId), [
    { peerId: boot, multiaddr: address },
  ]);
  assertEquals(await view.bootnodes(subnetId + 7), []);
});

contract(
  "stake is a started node's three peers, an overwatch peer, or a bootnode",
  async (subject) => {
    const { chain, subnetId, register, toBlock } = subject;
    const [main, boot, client, queued, own, watch] = Array.from(
      { length: 6 },
      peer,
    ) as [string, string, string, string, string, string];
    await toBlock(SLOT + LENGTH);
    register(0, main, "idle", { bootnodePeerId: boot, clientPeerId: client });
    register(1, queued, "registered");
    subject.addBootnode(own, `/ip4/192.0.2.1/tcp/1/p2p/${own}`);
    subject.addOverwatchPeer(watch);
    await toBlock(SLOT + 2 * LENGTH);
    const view = await chain.view();
    const staked = (id: string, least: NodeClass, of: ChainView = view) =>
      of.proofOfStake(subnetId, id, least);
    for (const id of [main, boot, client]) {
      assertEquals(await staked(id, "idle"), true);
      assertEquals(await staked(id, "validator"), false);
    }
    assertEquals(await staked(queued, "registered"), true);
    assertEquals(await staked(queued, "idle"), false);
    assertEquals(await staked(own, "validator"), true);
    assertEquals(await staked(watch, "validator"), true);
    assertEquals(await staked(peer(), "registered"), false);
    assertEquals(await view.proofOfStake(subnetId + 7, main, "idle"), false);
  },
);

contract("who was removed is gone", async (subject) => {
  const { chain, subnetId, hotkeys, remove, toBlock } = subject;
  const { ids, at, other } = await inEpoch(subject);
  assert(at !== other);
  remove(ids[other] as number);
  await toBlock(SLOT + LENGTH + 3);
  const view = await chain.view();
  const left = ids.filter((id) => id !== ids[other]);
  assertEquals((await view.nodes(subnetId)).map(({ id }) => id), left);
  assertEquals(
    await view.nodeOfHotkey(subnetId, hotkeys[other] as string),
    undefined,
  );
});

contract(
  "a call without its fee is stopped, and says what to do",
  async (subject) => {
    const { subnetId, signer, hotkeys, impoverish, during, toBlock } = subject;
    const { at } = await inEpoch(subject);
    impoverish(hotkeys[at] as string);
    await toBlock(SLOT + LENGTH + 3);
    assertEquals(
      await (await subject.chain.view()).balance(hotkeys[at] as string),
      0n,
    );
    await assertRejects(during(signer(at).propose({ subnetId, scores: [] })), {
      code: "CHAIN_SUBMIT_FAILED",
      remedy: "stop",
    });
  },
);

contract(
  "balances are told, absent accounts have none",
  async ({ chain, hotkeys }) => {
    const view = await chain.view();
    assert(await view.balance(hotkeys[0] as string) > 0n);
    assertEquals(await view.balance(`0x${"77".repeat(20)}`), 0n);
  },
);

contract(
  "what cannot be read is an error with a name, never absent",
  async (subject) => {
    const { chain, subnetId, away, toBlock } = subject;
    await toBlock(SLOT + LENGTH);
    const view = await chain.view();
    await away(true);
    for (
      const read of [
        () => view.electedValidator(subnetId, 1),
        () => view.submission(subnetId, 1),
        () => view.nodes(subnetId),
        () => chain.view().then((each) => each.subnet(subnetId)),
      ]
    ) await assertRejects(read(), { code: "CHAIN_UNREADABLE" });
    await away(false);
    assertEquals(await readAgain(chain, subnetId), []);
  },
);

contract(
  "a signal ends reads and calls with its own reason",
  async (subject) => {
    const { chain, subnetId, signer } = subject;
    const { at } = await inEpoch(subject);
    const gone = AbortSignal.abort(new Error("gave up"));
    const view = await chain.view();
    await assertRejects(view.submission(subnetId, 1, { signal: gone }), {
      message: "gave up",
    });
    const leaving = new AbortController();
    const call = signer(at).propose({ subnetId, scores: [] }, {
      signal: leaving.signal,
    });
    leaving.abort(new Error("left"));
    await assertRejects(call, { message: "left" });
  },
);

contract("after the close nothing waits", async (subject) => {
  const { chain, subnetId, signer } = subject;
  const { at } = await inEpoch(subject);
  const call = signer(at).propose({ subnetId, scores: [] });
  call.catch(() => {});
  const heads = (async () => {
    for await (const _ of chain.heads(new AbortController().signal));
  })();
  await chain.close();
  await heads;
  await assertRejects(call);
  await assertRejects(chain.view(), { code: "CHAIN_UNREADABLE" });
});

contract(
  "a block is found by its height, and only once it is there",
  async (subject) => {
    const { chain, toBlock } = subject;
    await toBlock(9);
    assertEquals(await chain.blockAt?.(9), await chain.head());
    const earlier = await chain.blockAt?.(5);
    assertEquals(earlier?.number, 5);
    const view = await chain.view(earlier);
    assertEquals(
      (await (await chain.view()).time()) - await view.time(),
      4 * BLOCK,
    );
    assertEquals(await chain.blockAt?.(10), undefined);
  },
);
