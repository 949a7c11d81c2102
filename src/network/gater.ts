import type {
  ConnectionGater,
  MultiaddrConnection,
  PeerId,
} from "@libp2p/interface";
import type { Clock } from "../core/clock.ts";
import { deadline } from "../core/deadline.ts";
import type { Metrics } from "../core/metrics.ts";
import { InboundLimits, type InboundQuotas } from "./inbound_limits.ts";
import { originOf } from "./origin.ts";
import { Refusals } from "./refusals.ts";

/** Where a peer's connection comes from, and how long its answer is waited for. */
export interface AdmissionContext {
  /** The group of addresses that it comes from, or was dialled at. */
  readonly origin: string;
  /** Whether that is this machine, where one origin stands for many nodes. */
  readonly loopback: boolean;
  /** Who opened it: the peer, or this node. */
  readonly direction: "inbound" | "outbound";
  /** Ends the question. */
  readonly signal: AbortSignal;
}

/** Whose connections are allowed. */
export interface Admission {
  /** Whether any key will do: then that one is let in says nothing for its address. */
  readonly open?: boolean;
  /**
   * Why a peer is refused, as a few words of a closed set for logs and
   * metrics; `undefined` when it is admitted. Asked after the handshake proved
   * the peer's id.
   */
  refusal(
    peerId: string,
    context: AdmissionContext,
  ): Promise<string | undefined>;
}

/** What {@linkcode connectionGater} is made of. */
export interface GaterOptions {
  /** Whose connections are allowed; everybody's by default. */
  readonly admission: Admission | undefined;
  /** Whether the node left the mesh: then nobody is let in, nor called. */
  readonly isAway: () => boolean;
  /** What one origin may do; {@linkcode INBOUND_QUOTAS} by default. */
  readonly quotas: InboundQuotas | undefined;
  /** The time. */
  readonly clock: Clock;
  /** Where to count. */
  readonly metrics: Metrics;
}

/** How long the question for one connection may take, ms. */
const ADMISSION_TIMEOUT = 5_000;
const AWAY = "away";

/**
 * Refuses connections: too many of one origin before the handshake, and peers
 * that are not admitted after it, before any protocol is spoken.
 */
export function connectionGater(options: GaterOptions): ConnectionGater {
  const { admission, isAway, quotas, clock, metrics } = options;
  const limits = new InboundLimits(quotas, clock, metrics);
  const refusals = new Refusals(metrics, clock);
  const refuses = async (
    direction: "inbound" | "outbound",
    peer: PeerId,
    connection: MultiaddrConnection,
  ): Promise<boolean> => {
    if (isAway()) {
      refusals.note(direction, AWAY, peer.toString());
      return true;
    }
    if (admission === undefined) return false;
    using limit = deadline(ADMISSION_TIMEOUT);
    const { group: origin, loopback } = originOf(connection.remoteAddr);
    const { signal } = limit;
    const context = { origin, loopback, direction, signal };
    const reason = await admission.refusal(peer.toString(), context)
      .catch(() => "unknown");
    if (reason === undefined) return false;
    refusals.note(direction, reason, peer.toString());
    return true;
  };
  return {
    denyInboundConnection: (connection) => {
      const origin = originOf(connection.remoteAddr);
      const reason = isAway() ? AWAY : limits.begin(connection, origin);
      if (reason === undefined) return false;
      refusals.note("inbound", reason, origin.group);
      return true;
    },
    denyInboundEncryptedConnection: async (peer, connection) => {
      const refused = await refuses("inbound", peer, connection);
      const earned = admission !== undefined && admission.open !== true;
      limits.decided(connection, earned && !refused);
      return refused;
    },
    denyOutboundEncryptedConnection: (peer, connection) =>
      refuses("outbound", peer, connection),
    // The default of libp2p refuses private addresses in browsers only; a mesh
    // may well be private, so nothing is refused for its address.
    denyDialMultiaddr: () => isAway(),
  };
}
