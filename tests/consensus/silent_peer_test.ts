import {
  CompositeValidator,
  Consensus,
  Dht,
  type DhtOptions,
  Directory,
  generateIdentity,
  HeartbeatAnnouncer,
  heartbeatRule,
  type Identity,
  ONE,
  PingAggregator,
  PredicateValidator,
  type Presence,
  SignatureValidator,
} from "../../mod.ts";
import { LocalChain } from "../../src/chain/local/mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { accountOf } from "../chain/local/fixture.ts";
import { CallBus } from "../dht/call_bus.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";

const SUBNET = 1;
const BLOCK = 300;
const LENGTH = 20;
const SLOT = 3;
/** Blocks that may pass until the proposal: far fewer than until the cut-off. */
const SOON = 2;

/** One node, which can be started again and again. */
class Node {
  readonly #world: World;
  readonly #id: number;
  readonly identity: Identity = generateIdentity();
  #presence: Presence | undefined;
  #end = new AbortController();
  #tasks: Promise<void>[] = [];
  #chain: LocalChain | undefined;

  constructor(world: World, id: number) {
    this.#world = world;
    this.#id = id;
  }

  get peerId(): string {
    return this.identity.peerId;
  }

  /** Begins a life; nothing but its presence is left of an earlier one. */
  start(options: Partial<DhtOptions> = {}): Dht {
    const { bus, clock, path, nodes } = this.#world;
    const { identity, peerId } = this;
    const dht = new Dht({
      peerId,
      calls: bus.of(peerId),
      members: () =>
        nodes.map((each) => each.peerId)
          .filter((each) => each !== peerId && bus.reaches(peerId, each)),
      validator: new CompositeValidator([
        new SignatureValidator(identity),
        new PredicateValidator(heartbeatRule()),
      ]),
      clock,
      ...options,
    });
    const directory = new Directory(dht);
    const heartbeat = new HeartbeatAnnouncer({
      ...{ identity, records: dht, directory, clock },
      pings: new PingAggregator({ ping: () => Promise.resolve(1), clock }),
      info: { role: "validator", throughput: 1 },
      period: 60,
      memory: {
        recall: () => this.#presence,
        keep: (presence) => this.#presence = presence,
      },
    });
    heartbeat.setState("online");
    this.#chain = LocalChain.open(path, clock);
    const consensus = new Consensus({
      chain: this.#chain,
      signer: this.#chain.signer(accountOf(this.#id)),
      subnetId: SUBNET,
      ...{ directory, clock },
    });
    this.#end = new AbortController();
    const { signal } = this.#end;
    this.#tasks = [heartbeat.run(signal), consensus.run(signal)];
    return dht;
  }

  /** Ends a life without a word. */
  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#tasks);
    await this.#chain?.close();
    this.#chain = undefined;
  }
}

interface World {
  readonly bus: CallBus;
  readonly clock: VirtualClock;
  readonly path: string;
  readonly nodes: Node[];
}

/** Four nodes of which the first alone is a validator, and so always elected. */
async function withWorld(
  test: (
    world: World & {
      readonly chain: LocalChain;
      readonly to: (block: number) => Promise<void>;
    },
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new VirtualClock();
  const genesis = clock.now();
  const path = `${folder}/chain.db`;
  const options = {
    blockMilliseconds: BLOCK,
    epochLength: LENGTH,
    // Nobody else is ever promoted.
    includedEpochs: 1_000,
  };
  const chain = LocalChain.create(path, options, clock);
  const nodes: Node[] = [];
  const world = { bus: new CallBus(clock), clock, path, nodes };
  try {
    for (let id = 1; id <= 4; id++) {
      const node = new Node(world, id);
      nodes.push(node);
      chain.register({
        hotkey: accountOf(id),
        coldkey: accountOf(100 + id),
        peerId: node.peerId,
        nodeClass: id === 1 ? "validator" : "included",
      });
    }
    nodes.forEach((node) => node.start());
    await test({
      ...world,
      chain,
      to: (block) => clock.advance(genesis + block * BLOCK - clock.now()),
    });
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await chain.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** In which block of an epoch it was proposed, and who has a score. */
async function proposal(chain: LocalChain, epoch: number) {
  const submission = await (await chain.view()).submission(SUBNET, epoch);
  assert(submission, `epoch ${epoch} has no proposal`);
  const { block, scores } = submission;
  assert(scores.every(({ score }) => score === ONE));
  return {
    after: block - (SLOT + LENGTH * epoch),
    nodes: scores.map(({ nodeId }) => nodeId),
  };
}

for (const isComplete of [true, false]) {
  const table = isComplete ? "connected" : "named by others";
  Deno.test(`a validator that came back just before its epoch proposes at once next to a silent peer, ${table}`, () =>
    withWorld(async ({ chain, nodes, bus, to }) => {
      const [elected, , , frozen] = nodes as [Node, Node, Node, Node];
      for (let epoch = 3; epoch < 7; epoch++) {
        const begin = SLOT + LENGTH * epoch;
        await to(begin - 6);
        await elected.stop();
        bus.silent.add(frozen.peerId);
        await to(begin - 3);
        const connected = nodes.filter((each) =>
          each !== elected && (isComplete || each !== frozen)
        ).map(({ peerId }) => peerId);
        elected.start({
          members: () => connected,
          isComplete: () => isComplete,
        });
        await to(begin + LENGTH / 4);
        const { after, nodes: scored } = await proposal(chain, epoch);
        assert(after <= SOON, `proposed in block ${after} of the epoch`);
        assertEquals(scored, [1, 2, 3, 4]);
        bus.silent.clear();
      }
    }));
}

Deno.test("what too few replicas were heard of is read again, and decides at the latest when half of the time is over", () =>
  withWorld(async ({ chain, nodes, bus, to }) => {
    const [elected, ...others] = nodes as [Node, ...Node[]];
    const answerAgain = [-1, 1, Infinity];
    const proposals = [];
    for (const [i, again] of answerAgain.entries()) {
      const epoch = 3 + 2 * i;
      const begin = SLOT + LENGTH * epoch;
      await to(begin - LENGTH);
      await elected.stop();
      others.forEach(({ peerId }) => bus.silent.add(peerId));
      // In time to gather what the epoch is scored by, from nobody.
      await to(begin - 7);
      elected.start();
      if (Number.isFinite(again)) {
        await to(begin + again);
        bus.silent.clear();
      }
      await to(begin + LENGTH / 4);
      proposals.push(await proposal(chain, epoch));
      bus.silent.clear();
    }
    const [before, within, never] = proposals;
    assertEquals(before?.nodes, [1, 2, 3, 4]);
    assertEquals(within?.nodes, [1, 2, 3, 4]);
    assertEquals(never?.nodes, [1], "what it knows itself");
    assert(
      proposals.every(({ after }) => after <= 3),
      `${proposals[2]?.after}`,
    );
  }));
