import type { Connection, StreamMuxer } from "@libp2p/interface";
import type { Clock } from "../core/clock.ts";
import type { Metrics } from "../core/metrics.ts";
import { type Quota, TokenBucket } from "../core/token_bucket.ts";

/**
 * Streams that a peer may open on one connection, for whatever protocol. A
 * node keeps one for calls; kad-dht and ping open one per question, a few
 * dozen when nodes meet.
 */
export const STREAM_QUOTA: Quota = { perSecond: 20, burst: 400 };

/** Streams of one connection that may be open at once. */
export const MOST_STREAMS = 128;

/** Ends a connection on which its peer opens streams faster than allowed. */
export function limitStreams(
  connection: Connection,
  clock: Clock,
  metrics: Metrics,
): void {
  // What a connection offers beyond its declared interface.
  const { muxer } = connection as { readonly muxer?: StreamMuxer };
  const bucket = new TokenBucket(STREAM_QUOTA, clock.now());
  muxer?.addEventListener("stream", () => {
    if (connection.status !== "open" || bucket.take(1, clock.now())) return;
    metrics.count("meshnode_network_cut_off_total", { reason: "streams" });
    connection.abort(new Error("The peer opens too many streams."));
  });
}
