import {
  decode,
  encode,
  type Found,
  type GetOptions,
  type PutOptions,
  type RecordStore,
  type ReplicaAnswer,
  RpcError,
  StoreError,
  type StoreRequest,
  type StoreResult,
} from "../../mod.ts";
import { outsideWindow } from "../../src/auth/authorizer.ts";
import { raceSignal } from "../../src/core/deadline.ts";
import { encodePong } from "../../src/dht/wire.ts";
import { majority } from "../../src/dht/writer.ts";
import type { SeededRandom } from "../fixtures/virtual/seeded_random.ts";
import type { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { Links } from "./links.ts";
import { type Held, ownerOf, Replica, type Senses } from "./sim_replica.ts";

/** Seconds by which a caller's clock may be wrong, as the authorizer has it. */
const FRESH = 60;
/** After so many milliseconds an unanswered call has failed. */
export const TIMEOUT = 3_000;

/** After a quorum the others have at least so long, ms: what the DHT gives slow peers. */
const PATIENCE = 250;

/** Who answered, and what they hold by owner. */
type Answer = readonly [string, Map<string, Held>];

/**
 * The records of a simulation: every node holds every record, as in a mesh of
 * so few. Messages take time, get lost and overtake each other.
 */
export class SimMesh {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #replicas = new Map<string, Replica>();
  /** Who is connected to whom. */
  readonly links: Links;
  /** The share of messages that get lost. */
  loss = 0;
  /** Longest way of a message, ms. */
  delay = 200;

  /** Nobody is there at first. */
  constructor(clock: VirtualClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
    this.links = new Links(clock, random);
    // As the DHT's repair: who is new gets what it has to hold.
    this.links.onConnected = (a, b) => {
      void this.#hand(a, b);
      void this.#hand(b, a);
    };
  }

  /** Adds a node, which is down, and what its replica knows of the time. */
  add(peerId: string, senses: Senses): void {
    this.#replicas.set(peerId, new Replica(senses));
    this.links.add(peerId);
  }

  /** Drops what an epoch left, everywhere. */
  forget(epoch: number): void {
    for (const replica of this.#replicas.values()) replica.forget(epoch);
  }

  /** How many other nodes hold a record under a key. */
  holders(key: string, owner: string): number {
    let count = 0;
    for (const [peerId, replica] of this.#replicas) {
      if (peerId !== owner && replica.holds(key, owner)) count++;
    }
    return count;
  }

  /** Records as a node stores and reads them. */
  store(peerId: string): RecordStore {
    return {
      store: (request, options) => this.#store(peerId, request, options),
      get: (key, options) => this.#get(peerId, String(key), options),
    };
  }

  /** Asks a peer for its time, as the clock's watch does. */
  async ping(from: string, to: string): Promise<Uint8Array> {
    // Always the same way: who is asked first must not change a seed's world.
    const way = this.delay / 2;
    await this.#clock.sleep(way);
    const callee = this.#replicas.get(to);
    if (callee === undefined || !this.links.passes(from, to)) {
      throw new RpcError("RPC_TIMEOUT", `${to} does not answer.`);
    }
    const ahead = this.#ahead(from, to);
    if (Math.abs(ahead) > FRESH) {
      throw new RpcError("RPC_UNAUTHORIZED", outsideWindow(ahead).message);
    }
    const answer = encodePong(callee.now() / 1_000);
    await this.#clock.sleep(way);
    return answer;
  }

  /** Seconds by which one's clock is ahead of the other's. */
  #ahead(from: string, to: string): number {
    const [a, b] = [from, to].map((each) => this.#replicas.get(each)?.now());
    return ((a ?? 0) - (b ?? 0)) / 1_000;
  }

  /** One way of a message. Whether it arrived. */
  async #send(from: string, to: string): Promise<boolean> {
    if (from === to) return true;
    const lost = this.#random.happens(this.loss);
    await this.#clock.sleep(this.#random.between(1, this.delay));
    return !lost && this.links.passes(from, to);
  }

  /** A call; `undefined` when nothing came back. */
  async #call<T>(
    from: string,
    to: string,
    act: (replica: Replica) => T | Promise<T>,
  ): Promise<T | undefined> {
    const begun = this.#clock.now();
    const answer = await this.#send(from, to) &&
        Math.abs(this.#ahead(from, to)) <= FRESH
      ? { value: await act(this.#replicas.get(to) as Replica) }
      : undefined;
    if (answer !== undefined && await this.#send(to, from)) return answer.value;
    await this.#clock.sleep(begun + TIMEOUT - this.#clock.now());
    return undefined;
  }

  async #store(
    from: string,
    request: StoreRequest,
    { signal, awaitAll = false }: PutOptions = {},
  ): Promise<StoreResult> {
    signal?.throwIfAborted();
    // As it arrives: what it is made of is not what it is read as.
    const sent = { ...request, value: decode(encode(request.value)) };
    const peers = [from, ...this.links.members(from)];
    const quorum = majority(peers.length);
    const answers = new Map<string, ReplicaAnswer>();
    const decided = Promise.withResolvers<void>();
    const stored = () =>
      [...answers.values()].filter(({ outcome }) => outcome === "stored")
        .length;
    const done = Promise.all(peers.map(async (peerId) => {
      const outcome = await this.#call(
        from,
        peerId,
        (replica) => this.#take(peerId, replica, sent, from),
      ) ?? "unreachable";
      answers.set(peerId, { peerId, outcome });
      if (stored() >= quorum) decided.resolve();
    })).then(() => decided.resolve());
    await raceSignal(awaitAll ? done : decided.promise, signal);
    const result = {
      stored: stored() >= quorum,
      quorum,
      replicas: peers.flatMap((peer) => answers.get(peer) ?? []),
    };
    if (!result.stored) throw new StoreError(result);
    return result;
  }

  #take(
    peerId: string,
    replica: Replica,
    request: StoreRequest,
    sender: string,
  ) {
    return replica.take(
      request,
      sender,
      async (key, owner) =>
        (await this.#read(peerId, key, {}))
          .find(({ subkey }) => ownerOf(subkey) === owner)?.value,
    );
  }

  async #get(
    from: string,
    key: string,
    options: GetOptions = {},
  ): Promise<Found | undefined> {
    options.signal?.throwIfAborted();
    const entries = await raceSignal(
      this.#read(from, key, options),
      options.signal,
    );
    if (entries.length === 0) return undefined;
    return {
      kind: "dictionary",
      entries: entries.map((held) => ({ subkeyBytes: held.subkey, ...held })),
    };
  }

  /**
   * Asks every replica. Once so many were heard that any store that succeeded
   * is seen, the others get as long again, as in the DHT.
   */
  async #read(
    from: string,
    key: string,
    { subkeys, enough, onHeard, patience = PATIENCE }: GetOptions,
  ): Promise<Held[]> {
    const owners = subkeys && new Set(subkeys.map(ownerOf));
    const reader = this.#replicas.get(from) as Replica;
    const peers = [from, ...this.links.members(from)];
    const quorum = peers.length - majority(peers.length) + 1;
    const begun = this.#clock.now();
    const answers: Answer[] = [];
    const decided = Promise.withResolvers<void>();
    const suffice = () => decided.resolve();
    if (enough?.aborted) suffice();
    enough?.addEventListener("abort", suffice, { once: true });
    let calm = () => {};
    const all = Promise.all(peers.map(async (peerId) => {
      const found = await this.#call(
        from,
        peerId,
        (replica) => replica.find(key, owners),
      );
      if (found === undefined) return;
      const believed = found.filter((held) => reader.believes(key, held));
      const byOwner = believed.map((held) =>
        [ownerOf(held.subkey), held] as const
      );
      answers.push([peerId, new Map(byOwner)]);
      if (answers.length !== quorum) return;
      const took = this.#clock.now() - begun;
      calm = this.#clock.after(Math.max(took, patience - took), suffice);
    })).then(suffice);
    await decided.promise;
    calm();
    enough?.removeEventListener("abort", suffice);
    onHeard?.(answers.length >= quorum);
    const newest = newestOf(answers);
    void all.then(() => {
      for (const [owner, held] of newestOf(answers)) {
        this.#repair(from, key, owner, held, answers);
      }
    });
    return [...newest.values()];
  }

  async #hand(from: string, to: string): Promise<void> {
    for (const request of this.#replicas.get(from)?.all() ?? []) {
      if (this.#replicas.get(to)?.hasAsNew(request)) continue;
      await this.#call(
        from,
        to,
        (replica) => this.#take(to, replica, request, from),
      );
    }
  }

  /** As the DHT's: the word of one other alone is not passed on. */
  #repair(
    from: string,
    key: string,
    owner: string,
    held: Held,
    answers: readonly Answer[],
  ): void {
    const has = (theirs: ReadonlyMap<string, Held>) =>
      (theirs.get(owner)?.expiration ?? 0) >= held.expiration;
    const holders = answers.filter(([, theirs]) => has(theirs));
    if (holders.length === answers.length) return;
    if (holders.length < 2 && holders[0]?.[0] !== from) return;
    for (const [peerId, theirs] of answers) {
      if (has(theirs)) continue;
      void this.#call(
        from,
        peerId,
        (replica) => this.#take(peerId, replica, { key, ...held }, from),
      );
    }
  }
}

function newestOf(answers: readonly Answer[]): Map<string, Held> {
  const newest = new Map<string, Held>();
  for (const [, held] of answers) {
    for (const [owner, each] of held) {
      const before = newest.get(owner);
      if (before === undefined || before.expiration < each.expiration) {
        newest.set(owner, each);
      }
    }
  }
  return newest;
}
