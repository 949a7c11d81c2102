import {
  createNode,
  generateIdentity,
  type Identity,
  LocalChain,
  type LocalChainFaults,
  type MeshNode,
  MetricsRegistry,
  type NodeOptions,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { accountOf } from "../chain/local/fixture.ts";
import { eventually } from "../eventually.ts";
import { Hostile } from "./hostile.ts";
import { MemoryWatch } from "./memory.ts";

/** What a test of an attack has at hand. */
export interface Scene {
  /** The node that is attacked. */
  readonly target: MeshNode;
  /** What the target counted. */
  readonly metrics: MetricsRegistry;
  /** An honest node that works with the target all the while. */
  readonly friend: MeshNode;
  /** The key of an attacker that has stake. */
  readonly staked: Identity;
  /** The chain that both nodes read. */
  readonly chain: LocalChain;
  /** Faults of the target's chain. */
  readonly faults: LocalChainFaults;
  /** Connects a hostile peer to the target. */
  attack(identity?: Identity): Promise<Hostile>;
  /** Waits until the honest pair has done some more work. */
  work(): Promise<void>;
}

/** Options of a libp2p test: it keeps a BroadcastChannel and unreferenced timers of its own. */
export const libp2p = { sanitizeOps: false, sanitizeResources: false };

/** A call that the honest pair makes, which no attack may fail. */
const WORK = "work";
/** Time for one of the honest pair's calls on a machine that has much to do, ms. */
const PATIENCE = 30_000;

class HonestWork {
  readonly #target: MeshNode;
  readonly #friend: MeshNode;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly failures: string[] = [];
  done = 0;

  constructor(target: MeshNode, friend: MeshNode) {
    this.#target = target;
    this.#friend = friend;
    target.rpc.register(WORK, (body) => Promise.resolve(body));
    friend.rpc.register(WORK, (body) => Promise.resolve(body));
    this.#running = this.#run();
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    for (let i = 0; !signal.aborted; i++) {
      try {
        await this.#round(i);
        this.done++;
      } catch (error) {
        if (!signal.aborted) this.failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async #round(i: number): Promise<void> {
    const [target, friend] = [this.#target, this.#friend];
    const body = Uint8Array.of(i & 255);
    const options = { timeout: PATIENCE, signal: this.#ending.signal };
    for (const [from, to] of [[target, friend], [friend, target]] as const) {
      assertEquals(await from.rpc.call(to.peerId, WORK, body, options), body);
    }
    if (i % 10 !== 0) return;
    const key = `honest ${i % 50}`;
    const expiration = Date.now() / 1_000 + 60;
    await friend.dht.store({ key, value: i, expiration });
    const found = await target.dht.get(key);
    assert(found?.kind === "plain", `${key} is not found`);
    assertEquals(found.value, i);
  }
}

/**
 * Sets two honest nodes up that work with each other, lets the test attack one
 * of them, and asserts that the work went on, that the pair is connected still
 * and that nothing of the attack is left in memory.
 */
export async function underAttack(
  test: (scene: Scene) => Promise<void>,
  options: NodeOptions = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/chain.db`;
  const chain = LocalChain.create(path, {
    blockMilliseconds: 500,
    // Records may live for a good while.
    epochLength: 2_000,
  });
  const [first, second, staked] = [1, 2, 3].map((n) => {
    const identity = generateIdentity();
    chain.register({
      ...{ hotkey: accountOf(n), coldkey: accountOf(100 + n) },
      ...{ peerId: identity.peerId, nodeClass: "validator" },
    });
    return identity;
  }) as [Identity, Identity, Identity];
  const metrics = new MetricsRegistry();
  const own = LocalChain.open(path);
  const start = (identity: Identity, more: NodeOptions) =>
    createNode({
      heartbeatPeriod: 2,
      subnet: { rules: "any" },
      ...options,
      identity,
      ...more,
    });
  const target = await start(first, { metrics, chain: { chain: own } });
  const friend = await start(second, {
    chain: { chain: LocalChain.open(path) },
    bootstrap: target.addresses(),
  });
  const hostiles: Hostile[] = [];
  const honest = new HonestWork(target, friend);
  const work = async () => {
    const goal = honest.done + 3;
    await eventually(
      () => honest.done >= goal || honest.failures.length > 0,
      () => "the honest pair does nothing",
      PATIENCE,
    );
    assertEquals(honest.failures, []);
  };
  try {
    await eventually(
      () => target.members().length === 1 && friend.members().length === 1,
      () => target.members(),
    );
    // The first round may have come before they met.
    honest.failures.length = 0;
    await work();
    const memory = new MemoryWatch();
    await test({
      ...{ target, metrics, friend, staked, chain, work },
      faults: own.faults,
      attack: async (identity = generateIdentity()) => {
        const hostile = await Hostile.connect(identity, target);
        hostiles.push(hostile);
        return hostile;
      },
    });
    await work();
    await Promise.all(hostiles.splice(0).map((hostile) => hostile.stop()));
    await work();
    assert(
      target.members().includes(friend.peerId),
      "the pair lost each other",
    );
    await memory.settled();
  } finally {
    await honest.end();
    await Promise.all(hostiles.map((hostile) => hostile.stop()));
    await Promise.all([target.stop(), friend.stop()]);
    await chain.close();
    await Deno.remove(folder, { recursive: true });
  }
}
