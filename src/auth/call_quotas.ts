import type { Quota } from "../core/token_bucket.ts";

/** What calls of one kind may take, and what a call costs. */
export interface CallQuota extends Quota {
  /** Bytes of a body that cost one token, besides the one of the call itself. */
  readonly bytesPerToken: number;
}

/** Quotas of what one peer may ask of this node. */
export interface CallQuotas {
  /** All its calls together. */
  readonly all: CallQuota;
  /** Calls of single methods; others have only the quota of all. */
  readonly methods: Readonly<Record<string, CallQuota>>;
  /** Methods that are not served here. */
  readonly unserved: CallQuota;
  /** Streams that it opens for calls. */
  readonly streams: CallQuota;
  /** Connections that it opens. */
  readonly connections: CallQuota;
  /** How many times the quota of one peer all peers of one address share. */
  readonly peersPerOrigin: number;
}

const KIB = 1024;

/**
 * The defaults of {@linkcode CallQuotas}. Checking a call's signature and
 * answering it costs about 0.3 ms of one core here; checking a record's, 0.1 ms.
 */
export const CALL_QUOTAS: CallQuotas = {
  // One peer takes a fifth of a core at most, for long. The burst is what a
  // node does that hands over its records or reads a whole epoch at once.
  all: { perSecond: 500, burst: 10_000, bytesPerToken: 16 * KIB },
  methods: {
    // Each member measures five others per heartbeat, and clocks now and then.
    "dht.ping": { perSecond: 20, burst: 200, bytesPerToken: KIB },
    // 4 KiB hold a dozen signed records: 400 tokens are half a core's checks.
    "dht.store": { perSecond: 400, burst: 8_000, bytesPerToken: 4 * KIB },
    // A signature is checked, and a record read.
    "dht.store-if": { perSecond: 100, burst: 1_000, bytesPerToken: 4 * KIB },
    // An answer has up to 2 MiB; a large dictionary takes dozens of them.
    "dht.list": { perSecond: 50, burst: 1_000, bytesPerToken: KIB },
    // Kept open: a new one follows a broken one, or another key.
    "dht.watch": { perSecond: 5, burst: 128, bytesPerToken: KIB },
    // The answer is larger than the question: up to 256 keys.
    "dht.find": { perSecond: 400, burst: 8_000, bytesPerToken: KIB },
  },
  // A version that serves less than its callers want is asked again and again.
  unserved: { perSecond: 5, burst: 50, bytesPerToken: KIB },
  // One is kept open; a new one follows a broken one.
  streams: { perSecond: 2, burst: 40, bytesPerToken: KIB },
  // A handshake costs 5 ms; nodes that restart or meet at once need a few.
  connections: { perSecond: 1, burst: 40, bytesPerToken: KIB },
  // A site runs some nodes behind one address.
  peersPerOrigin: 8,
};

/** When more is asked than the quotas allow: as the Mesh Template intends it. */
export const ESCALATION = {
  /** What is refused is averaged over so long, ms. */
  average: 10_000,
  /** Least pause that a refused peer is asked for, ms: who keeps it is never suspicious. */
  leastPause: 2_000,
  /** Times the quota from which a refused peer is suspicious. */
  suspicious: 1.5,
  /** Times the quota from which it is blocked. */
  block: 3,
  /** Times the quota from which it is banned. */
  ban: 5,
  /** Violations from which it is banned: one per suspicious 5 s, more per block and ban. */
  mostViolations: 10,
  /** Violations are halved in so long, ms. */
  halfLife: 600_000,
  /** How long calls of a blocked peer are refused, ms. */
  blockTime: 300_000,
  /** How long a banned peer gets no connection, ms. */
  banTime: 3_600_000,
  /** The same, for a peer that was banned of late, ms. */
  longBanTime: 86_400_000,
} as const;
