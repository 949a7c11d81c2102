import {
  ChainCallError,
  ChainSubmitError,
  generateIdentity,
  type NodeClass,
  ONE,
} from "../../../mod.ts";
import { LocalChain } from "../../../src/chain/local/mod.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "../../assert.ts";
import { accountOf, withChain } from "./fixture.ts";

const SUBNET = 1;
const full = (...ids: number[]) =>
  ids.map((nodeId) => ({ nodeId, score: ONE }));

Deno.test("the validator is elected in the slot block, for all readers alike", () =>
  withChain(async ({ path, clock, chain, add, toBlock }) => {
    [1, 2, 3].forEach((n) => add(n));
    const other = LocalChain.open(path, clock);
    try {
      const elected = async (on: LocalChain, epoch: number) =>
        (await on.view()).electedValidator(SUBNET, epoch);
      await toBlock(2);
      assertEquals(await elected(chain, 0), undefined);
      const seen = new Set<number>();
      for (let epoch = 0; epoch < 40; epoch++) {
        await toBlock(3 + epoch * 20);
        const first = await elected(epoch % 2 ? chain : other, epoch);
        assertEquals(await elected(epoch % 2 ? other : chain, epoch), first);
        assertEquals(await elected(chain, epoch + 1), undefined);
        await toBlock(3 + epoch * 20 + 19);
        assertEquals(await elected(chain, epoch), first, "it never changes");
        seen.add(first as number);
      }
      assertEquals([...seen].sort(), [1, 2, 3]);
    } finally {
      await other.close();
    }
  }));

Deno.test("one proposal per epoch, of the elected node, with all errors by name", () =>
  withChain(async ({ chain, add, toBlock, during }) => {
    [1, 2, 3].forEach((n) => add(n));
    add(4, "registered");
    const signer = (n: number) => chain.signer(accountOf(n));
    const refused = (call: Promise<unknown>, chainError: string) =>
      assertRejects(during(call), { name: "ChainCallError", chainError });
    const proposal = { subnetId: SUBNET, scores: full(1, 1, 2, 4, 99, 3) };
    await refused(signer(1).propose(proposal), "NoElectedValidator");
    await toBlock(3);
    const elected = await (await chain.view()).electedValidator(
      SUBNET,
      0,
    ) as number;
    const [first, second] = [1, 2, 3].filter((n) => n !== elected) as [
      number,
      number,
    ];
    await refused(
      signer(first).attest(SUBNET),
      "InvalidSubnetConsensusSubmission",
    );
    await refused(signer(first).propose(proposal), "InvalidValidator");
    await refused(
      signer(elected).propose({ ...proposal, subnetId: 9 }),
      "InvalidSubnetId",
    );
    await refused(
      signer(elected).propose({
        subnetId: SUBNET,
        scores: [{ nodeId: 1, score: 2n ** 128n }],
      }),
      "ScoreOverflow",
    );
    const before = await chain.view();
    const receipt = await during(signer(elected).propose(proposal));
    await refused(
      signer(elected).propose(proposal),
      "SubnetRewardsAlreadySubmitted",
    );
    await refused(signer(elected).attest(SUBNET), "AlreadyAttested");
    await refused(signer(4).attest(SUBNET), "InvalidSubnetNodeClassification");
    chain.setBalance(accountOf(77), ONE);
    await refused(signer(77).attest(SUBNET), "InvalidHotkeySubnetNodeId");
    await during(signer(first).attest(SUBNET));
    await refused(signer(first).attest(SUBNET), "AlreadyAttested");
    await during(signer(second).attest(SUBNET));
    const submission = await (await chain.view()).submission(SUBNET, 0);
    assertEquals(submission?.block, receipt.block.number);
    assertEquals(submission?.scores, full(1, 2, 3));
    assertEquals(submission?.electorate, [1, 2, 3]);
    assertEquals([...submission?.attestations.keys() ?? []], [
      elected,
      first,
      second,
    ]);
    assertEquals(await before.submission(SUBNET, 0), undefined);
    await toBlock(23);
    await refused(
      signer(first).attest(SUBNET),
      "InvalidSubnetConsensusSubmission",
    );
    chain.setState("paused");
    await refused(signer(first).attest(SUBNET), "Paused");
  }));

Deno.test("two processes proposing at once: one is included, one is refused", () =>
  withChain(async ({ path, clock, chain, add, toBlock, during }) => {
    add(1);
    await toBlock(3);
    const other = LocalChain.open(path, clock);
    try {
      const results = await during(Promise.allSettled(
        [chain, other].map((each) =>
          each.signer(accountOf(1)).propose({
            subnetId: SUBNET,
            scores: full(1),
          })
        ),
      ));
      assertEquals(results.map(({ status }) => status).sort(), [
        "fulfilled",
        "rejected",
      ]);
    } finally {
      await other.close();
    }
  }));

Deno.test("a new node is queued, then idle, included and validator in epochs 7, 9 and 11", () =>
  withChain(async ({ chain, add, toBlock, during }) => {
    [1, 2, 3].forEach((n) => add(n));
    const classes = new Map<NodeClass, number>();
    for (let epoch = 0; epoch <= 12; epoch++) {
      await toBlock(3 + epoch * 20);
      if (epoch === 2) add(4, "registered");
      const view = await chain.view();
      const newcomer = (await view.nodes(SUBNET)).find(({ id }) => id === 4);
      if (newcomer && !classes.has(newcomer.nodeClass)) {
        classes.set(newcomer.nodeClass, epoch);
      }
      const elected = await view.electedValidator(SUBNET, epoch) as number;
      await during(
        chain.signer(accountOf(elected)).propose({
          subnetId: SUBNET,
          scores: full(1, 2, 3, 4),
        }),
      );
      for (const n of [1, 2, 3].filter((id) => id !== elected)) {
        await during(chain.signer(accountOf(n)).attest(SUBNET))
          .catch((error) => assert(error instanceof ChainCallError));
      }
    }
    assertEquals([...classes], [
      ["registered", 2],
      ["idle", 7],
      ["included", 9],
      ["validator", 11],
    ]);
    assertEquals(await (await chain.view()).attestors(SUBNET), [1, 2, 3, 4]);
  }));

Deno.test("stake is a started node's three peers, an overwatch peer, or a bootnode", () =>
  withChain(async ({ chain, add, toBlock }) => {
    const ids = Array.from({ length: 6 }, () => generateIdentity().peerId);
    const [main, boot, client, overwatch, bootnode, stranger] = ids as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    chain.register({
      hotkey: accountOf(9),
      coldkey: accountOf(10),
      peerId: main,
      bootnodePeerId: boot,
      clientPeerId: client,
      nodeClass: "validator",
    });
    chain.addOverwatchPeer(overwatch);
    chain.addBootnode(bootnode, "/ip4/127.0.0.1/tcp/1");
    await toBlock(3);
    const queued = add(11, "registered");
    const staked = async (
      peerId: string,
      minClass: NodeClass,
      subnet = SUBNET,
    ) => await (await chain.view()).proofOfStake(subnet, peerId, minClass);
    for (const peerId of [main, boot, client, overwatch, bootnode]) {
      assert(await staked(peerId, "validator"));
      assert(!await staked(peerId, "idle", 2), "of another subnet");
    }
    assert(!await staked(stranger, "registered"));
    assert(!await staked(queued, "registered"), "it starts an epoch later");
    await toBlock(23);
    assert(await staked(queued, "registered"));
    assert(!await staked(queued, "idle"));
  }));

Deno.test("registering is refused as the chain does", () =>
  withChain(({ chain, add }) => {
    const peerId = add(1);
    const node = {
      hotkey: accountOf(5),
      coldkey: accountOf(6),
      peerId: generateIdentity().peerId,
    };
    const refused = (change: object, chainError: string) =>
      assertThrows(() => chain.register({ ...node, ...change }), {
        chainError,
      });
    refused({ peerId }, "PeerIdExist");
    refused({ clientPeerId: node.peerId }, "PeerIdExist");
    refused({ peerId: "x" }, "InvalidPeerId");
    refused({ hotkey: accountOf(1) }, "HotkeyHasOwner");
    refused({ hotkey: node.coldkey }, "ColdkeyMatchesHotkey");
    refused({ hotkey: "0x12" }, "InvalidAccount");
    refused({ stake: 1n }, "MinStakeNotReached");
    assertEquals(chain.register(node), 2);
    return Promise.resolve();
  }));

Deno.test("the chain survives restarts, long sleep included", () =>
  withChain(async ({ path, clock, chain, add, toBlock }) => {
    [1, 2, 3].forEach((n) => add(n));
    await toBlock(3);
    const { genesis } = await chain.constants();
    await chain.close();
    await toBlock(1_000_003);
    const again = LocalChain.create(path, {}, clock);
    assertEquals((await again.constants()).genesis, genesis);
    const view = await again.view();
    assertEquals(view.block.number, 1_000_003);
    assertNotEquals(await view.electedValidator(SUBNET, 50_000), undefined);
    assertEquals((await view.nodes(SUBNET)).length, 3);
    await again.close();
    assertThrows(() => LocalChain.create(path, { epochLength: 7 }, clock), {
      code: "LOCAL_CHAIN_DIFFERS",
    });
  }));

Deno.test("missing, damaged and foreign files are told apart, and left alone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assertThrows(() => LocalChain.open(`${folder}/none.db`), {
      code: "LOCAL_CHAIN_MISSING",
    });
    const path = `${folder}/bad.db`;
    await Deno.writeTextFile(path, "this is not a database, not at all");
    for (const open of [LocalChain.open, LocalChain.create]) {
      assertThrows(() => open(path), { code: "LOCAL_CHAIN_DAMAGED" });
    }
    assertEquals(
      await Deno.readTextFile(path),
      "this is not a database, not at all",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("heads come with the clock, skip what was slept through, and end", () =>
  withChain(async ({ chain, clock, toBlock }) => {
    const end = new AbortController();
    const numbers: number[] = [];
    const reading = (async () => {
      for await (const { number } of chain.heads(end.signal)) {
        numbers.push(number);
      }
    })();
    await toBlock(3);
    await clock.advance(1);
    assertEquals(numbers, [0, 1, 2, 3]);
    end.abort();
    await reading;
  }));

Deno.test("faults are what real chains do", () =>
  withChain(async ({ chain, add, toBlock, during }) => {
    add(1);
    await toBlock(3);
    const { faults } = chain;
    const signer = chain.signer(accountOf(1));
    const propose = () =>
      during(signer.propose({ subnetId: SUBNET, scores: full(1) }));
    const submission = async () => (await chain.view()).submission(SUBNET, 0);
    faults.unreadable = true;
    await assertRejects(chain.head(), { code: "CHAIN_UNREADABLE" });
    faults.unreadable = false;
    for (const calls of ["stale", "dropped"] as const) {
      faults.calls = calls;
      await assertRejects(propose(), {
        name: "ChainSubmitError",
        remedy: "look",
      });
      assertEquals(await submission(), undefined);
    }
    faults.calls = undefined;
    chain.setBalance(accountOf(1), 0n);
    await assertRejects(propose(), {
      name: "ChainSubmitError",
      remedy: "stop",
    });
    chain.setBalance(accountOf(1), ONE);
    const { number } = await chain.head();
    await assertRejects(
      during(signer.propose({ subnetId: SUBNET, scores: [] }, {
        notAfter: number,
      })),
      ChainSubmitError,
    );
    faults.calls = "lost-receipt";
    await assertRejects(propose(), {
      name: "ChainSubmitError",
      remedy: "look",
    });
    assertNotEquals(await submission(), undefined, "it is in nevertheless");
  }));

Deno.test("a call waits for its block, and no longer than it is wanted", () =>
  withChain(async ({ chain, add, toBlock }) => {
    add(1);
    await toBlock(3);
    const cancel = new AbortController();
    const call = chain.signer(accountOf(1)).propose(
      { subnetId: SUBNET, scores: [] },
      { signal: cancel.signal },
    );
    cancel.abort(new Error("enough"));
    await assertRejects(call, { message: "enough" });
  }));

Deno.test("an earlier block is read as it was, also by another process and after a restart", () =>
  withChain(async ({ path, clock, chain, add, toBlock }) => {
    const peerId = add(1);
    add(2, "registered");
    await toBlock(5);
    const early = await chain.view();
    await toBlock(8);
    chain.remove(1);
    chain.setState("paused");
    chain.setBalance(accountOf(1), 7n);
    chain.addBootnode(generateIdentity().peerId, "/ip4/127.0.0.1/tcp/1");
    // The queued node rises in the slot block of epoch 5, which nobody looks at.
    await toBlock(3 + 5 * 20 + 7);
    await chain.head();
    await chain.close();
    const again = LocalChain.open(path, clock);
    try {
      const at = await again.view(early.block);
      assertEquals((await at.nodes(SUBNET)).map(({ id }) => id), [1, 2]);
      assertEquals((await at.subnet(SUBNET))?.state, "active");
      assertEquals(await at.attestors(SUBNET), [1]);
      assertEquals(await at.bootnodes(SUBNET), []);
      assertEquals(await at.balance(accountOf(1)), ONE);
      assert(await at.proofOfStake(SUBNET, peerId, "validator"));
      const now = await again.view();
      assertEquals((await now.nodes(SUBNET)).map(({ id }) => id), [2]);
      assertEquals((await now.subnet(SUBNET))?.state, "paused");
      assertEquals(await now.balance(accountOf(1)), 7n);
      assert(!await now.proofOfStake(SUBNET, peerId, "registered"));
    } finally {
      await again.close();
    }
  }));

Deno.test("a class is that of the slot block, however late somebody looks", () =>
  withChain(async ({ chain, add, toBlock }) => {
    add(1, "registered");
    const classAt = async (block: number) => {
      await toBlock(block);
      const view = await chain.view();
      return async () => (await view.nodes(SUBNET))[0]?.nodeClass;
    };
    const before = await classAt(3 + 5 * 20 - 1);
    const after = await classAt(3 + 5 * 20 + 9);
    assertEquals([await before(), await after()], ["registered", "idle"]);
  }));

Deno.test("a block that is not there yet, or never was, cannot be read", () =>
  withChain(async ({ chain, toBlock }) => {
    await toBlock(4);
    const head = await chain.head();
    for (
      const wrong of [
        { ...head, number: 3 },
        { ...head, hash: `0x${"0".repeat(64)}` },
        { number: 5, hash: head.hash },
      ]
    ) await assertRejects(chain.view(wrong), { code: "CHAIN_UNREADABLE" });
    assertEquals((await chain.view(head)).block, head);
  }));
