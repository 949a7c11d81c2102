import type { ConnectionGater } from "@libp2p/interface";
import { loggerOf } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";

/** Whose connections are allowed. */
export interface Admission {
  /**
   * Why a peer is refused, as a few words for logs and metrics; `undefined`
   * when it is admitted. Asked after the handshake proved the peer's id.
   */
  refusal(peerId: string, signal?: AbortSignal): Promise<string | undefined>;
}

/** How long the question for one connection may take, ms. */
const ADMISSION_TIMEOUT = 5_000;

/** Refuses connections after the handshake, before any protocol is spoken. */
export function connectionGater(
  admission: Admission,
  metrics: Metrics,
): ConnectionGater {
  const log = loggerOf("network");
  const denies = (direction: "inbound" | "outbound") =>
  async (
    peer: { toString(): string },
  ): Promise<boolean> => {
    const peerId = peer.toString();
    const reason = await admission
      .refusal(peerId, AbortSignal.timeout(ADMISSION_TIMEOUT))
      .catch(() => "unknown");
    if (reason === undefined) return false;
    metrics.count("meshnode_network_refused_total", { direction, reason });
    log.debug("Refused the {direction} connection of {peerId}: {reason}", {
      direction,
      peerId,
      reason,
    });
    return true;
  };
  return {
    denyInboundEncryptedConnection: denies("inbound"),
    denyOutboundEncryptedConnection: denies("outbound"),
    // The default of libp2p refuses private addresses in browsers only; a mesh
    // may well be private, so nothing is refused for its address.
    denyDialMultiaddr: () => false,
  };
}
