import {
  CompositeValidator,
  Dht,
  generateIdentity,
  type Identity,
  ManualClock,
  MetricsRegistry,
  PredicateValidator,
  SignatureValidator,
} from "../../mod.ts";
import { heartbeatRule } from "../../src/heartbeat/mod.ts";
import { CallBus } from "../dht/call_bus.ts";

/** One peer of {@linkcode makeMesh}. */
export interface MeshPeer {
  readonly identity: Identity;
  readonly dht: Dht;
  readonly metrics: MetricsRegistry;
}

/** DHTs of one process that hold heartbeats. */
export function makeMesh(
  count: number,
  clock = new ManualClock(1_700_000_000_000),
): { bus: CallBus; clock: ManualClock; peers: MeshPeer[] } {
  const bus = new CallBus();
  const peers: MeshPeer[] = [];
  for (let i = 0; i < count; i++) {
    const identity = generateIdentity();
    const metrics = new MetricsRegistry();
    const dht = new Dht({
      peerId: identity.peerId,
      calls: bus.of(identity.peerId),
      members: () =>
        peers.map((peer) => peer.identity.peerId)
          .filter((id) => id !== identity.peerId && !bus.dead.has(id)),
      validator: new CompositeValidator([
        new SignatureValidator(identity),
        new PredicateValidator(heartbeatRule()),
      ]),
      clock,
      metrics,
    });
    peers.push({ identity, dht, metrics });
  }
  return { bus, clock, peers };
}
