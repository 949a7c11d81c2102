import {
  CompositeValidator,
  generateIdentity,
  type Identity,
  ManualClock,
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
  const clock = new ManualClock(1_000_000);
  const bus = new CallBus(clock);
  const peers: Peer[] = [];
  for (let i = 0; i < count; i++) {
    const identity = generateIdentity();
    const signature = new SignatureValidator(identity);
    const metrics = new MetricsRegistry();
    const dht = new Dht({
      peerId: identity.peerId,
      calls: bus.of(identity.peerId),
      members: () =>
        peers.map((peer) => peer.identity.peerId)
          .filter((id) => id !== identity.peerId && !bus.dead.has(id)),
      validator: new CompositeValidator([
        signature,
        new PredicateValidator(rule),
      ]),
      clock,
      metrics,
      ...options,
    });
    peers.push({ identity, signature, metrics, dht });
  }
  const at = (i: number) => peers[i] as Peer;
  const later = (seconds: number) => clock.now() / 1000 + seconds;
  return { bus, clock, peers, at, later };
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
  clock: ManualClock,
  step = 5,
): Promise<number> {
  const start = clock.now();
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await clock.advance(0);
  while (!settled) await clock.advance(step);
  return clock.now() - start;
}
