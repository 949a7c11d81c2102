import {
  CompositeValidator,
  generateIdentity,
  type Identity,
  MetricsRegistry,
  PredicateValidator,
  type RecordPredicate,
  SignatureValidator,
} from "../../mod.ts";
import {
  Dht,
  type DhtOptions,
  type Found,
  type ReplicaAnswer,
  StoreError,
  type StoreRequest,
} from "../../src/dht/mod.ts";
import { VirtualClock } from "../fixtures/virtual/virtual_clock.ts";
import { CallBus } from "./call_bus.ts";

/** One peer of {@linkcode setUp}. */
export interface Peer {
  readonly identity: Identity;
  readonly signature: SignatureValidator;
  readonly metrics: MetricsRegistry;
  readonly dht: Dht;
}

/** DHTs of one process, which know each other and share a clock. */
export function setUp(
  count: number,
  rule: RecordPredicate = () => true,
  options: Partial<DhtOptions> = {},
) {
  const clock = new VirtualClock(1_000_000);
  const bus = new CallBus(clock);
  const peers: Peer[] = [];
  /** One more peer, known to the others at once. */
  const add = (own: Partial<DhtOptions> = {}): Peer => {
    const identity = generateIdentity();
    const { peerId } = identity;
    const signature = new SignatureValidator(identity);
    const metrics = new MetricsRegistry();
    const dht = new Dht({
      peerId,
      calls: bus.of(peerId),
      members: () =>
        peers.map(({ identity }) => identity.peerId)
          .filter((id) => id !== peerId && bus.reaches(peerId, id)),
      validator: new CompositeValidator([
        signature,
        new PredicateValidator(rule),
      ]),
      clock,
      metrics,
      ...options,
      ...own,
    });
    const peer = { identity, signature, metrics, dht };
    peers.push(peer);
    return peer;
  };
  for (let i = 0; i < count; i++) add();
  const at = (i: number) => peers[i] as Peer;
  const later = (seconds: number) => clock.now() / 1000 + seconds;
  return { bus, clock, peers, at, later, add };
}

/** Runs the background work of peers; `add` takes in another one. */
export function runAll(peers: readonly Peer[]) {
  const end = new AbortController();
  const running = peers.map(({ dht }) => dht.run(end.signal));
  return {
    add: ({ dht }: Peer) => {
      running.push(dht.run(end.signal));
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await Promise.all(running);
    },
  };
}

/** What each replica answered, whether the store succeeded or not. */
export async function answersTo(
  dht: Dht,
  request: StoreRequest,
): Promise<readonly ReplicaAnswer[]> {
  try {
    return (await dht.store(request, { awaitAll: true })).replicas;
  } catch (error) {
    if (error instanceof StoreError) return error.result.replicas;
    throw error;
  }
}

/** The outcomes alone. */
export const outcomesOf = (answers: readonly ReplicaAnswer[]) =>
  answers.map(({ outcome }) => outcome);

/** The values found. */
export const values = (found: Found | undefined) =>
  found?.kind === "dictionary"
    ? found.entries.map(({ value }) => value)
    : found?.value;

/** Moves the clock on until the promise is settled; gives the milliseconds that took. */
export async function timeTo(
  promise: Promise<unknown>,
  clock: VirtualClock,
  step = 5,
): Promise<number> {
  const start = clock.now();
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await clock.advance(0);
  while (!settled) await clock.advance(step);
  return clock.now() - start;
}
