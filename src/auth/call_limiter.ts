import { type Clock, systemClock } from "../core/clock.ts";
import { loggerOf } from "../core/log.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import type { TokenBucket } from "../core/token_bucket.ts";
import { type Account, Accounts } from "./accounts.ts";
import {
  CALL_QUOTAS,
  type CallQuota,
  type CallQuotas,
  ESCALATION,
} from "./call_quotas.ts";
import type { StandingLevel } from "./standing.ts";

/** What is asked, as far as it is known before anything of it is looked at. */
export interface Asked {
  /** The peer that the connection's handshake proved. */
  readonly peer: string;
  /** Where it connects from; absent when that says nothing, as on this machine. */
  readonly origin?: string | undefined;
  /** A method that is served here, or what else is counted. */
  readonly what:
    | { readonly method: string }
    | "unserved"
    | "streams"
    | "connections";
  /** Bytes of the body. */
  readonly bytes: number;
  /** The method's own quota, when its server has set one. */
  readonly quota?: CallQuota | undefined;
}

/** Why something is refused, and when it may be tried again. */
export interface Limited {
  /** `limited`: too much just now. */
  readonly reason: "limited" | "blocked" | "banned";
  /** Milliseconds. */
  readonly retryAfter: number;
}

/** Options of {@linkcode CallLimiter}. */
export interface CallLimiterOptions {
  /** Quotas other than {@linkcode CALL_QUOTAS}. */
  readonly quotas?: CallQuotas;
  /** Whether new peer ids cost nothing, as without a chain: then addresses answer for their peers. */
  readonly freeIdentities?: boolean;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

const MAX_PEERS = 1_024;
const MAX_ORIGINS = 4_096;
/** The account of all origins for which there is no room. */
const OTHERS = "crowd of others";
/** What a banned peer counts as against its address, where identities are free. */
const ORIGIN_VIOLATIONS = 4;

/**
 * Limits what each peer may ask, by what it cannot choose: the key that its
 * handshake proved and the address it comes from. Nothing else of a call is
 * looked at, so that refusing one costs next to nothing.
 */
export class CallLimiter {
  readonly #quotas: CallQuotas;
  readonly #freeIdentities: boolean;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #log = loggerOf("auth");
  readonly #peers: Accounts;
  readonly #origins: Accounts;
  readonly #banned = new Set<(peerId: string) => void>();

  /** Starts with every quota unused. */
  constructor(options: CallLimiterOptions = {}) {
    this.#quotas = options.quotas ?? CALL_QUOTAS;
    const { all: { perSecond }, peersPerOrigin } = this.#quotas;
    this.#peers = new Accounts(MAX_PEERS, perSecond);
    this.#origins = new Accounts(MAX_ORIGINS, perSecond * peersPerOrigin);
    this.#freeIdentities = options.freeIdentities ?? false;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? new MetricsRegistry();
  }

  /** Peers and origins remembered. */
  get size(): { readonly peers: number; readonly origins: number } {
    return { peers: this.#peers.size, origins: this.#origins.size };
  }

  /** Tells of peers that are banned from now on. Returns what ends the telling. */
  onBanned(listener: (peerId: string) => void): () => void {
    this.#banned.add(listener);
    return () => this.#banned.delete(listener);
  }

  /** Lets something through, or says why not. */
  admit(asked: Asked): Limited | undefined {
    const now = this.#clock.now();
    const account = this.#accountOf(asked, now);
    const limited = this.#held(asked, account, now) ??
      this.#charge(asked, account, now);
    if (limited !== undefined) {
      const { reason } = limited;
      this.#metrics.count("meshnode_limiter_refused_total", { reason });
    }
    return limited;
  }

  /** How a peer stands at present. */
  levelOf(peer: string, origin?: string): StandingLevel {
    const now = this.#clock.now();
    const levels = [
      this.#peers.get(peer),
      origin === undefined ? undefined : this.#origins.get(origin),
    ].map((account) => account?.standing.level(now) ?? "good");
    return levels.includes("banned") ? "banned" : levels[0] as StandingLevel;
  }

  /** Refuses what blocked and banned peers ask; asking on makes it worse. */
  #held(asked: Asked, account: Account, now: number): Limited | undefined {
    const { standing } = account;
    const place = asked.origin === undefined
      ? undefined
      : this.#origins.get(asked.origin)?.standing;
    if (place?.level(now) === "banned") {
      return { reason: "banned", retryAfter: place.left(now) };
    }
    const level = standing.level(now);
    if (level !== "blocked" && level !== "banned") return undefined;
    return this.#refuse(asked, account, { cost: 1, wait: 0 }, now);
  }

  #charge(asked: Asked, account: Account, now: number): Limited | undefined {
    const { all } = this.#quotas;
    const { what, origin, bytes } = asked;
    const own = this.#ownQuota(asked);
    const charges: Charge[] = [];
    if (own !== undefined) {
      const bucket = account.bucket(own.name, own.quota, now);
      charges.push(charge(bucket, own.quota, bytes));
    }
    if (what !== "streams" && what !== "connections") {
      charges.push(charge(account.bucket("all", all, now), all, bytes));
      if (origin !== undefined) {
        charges.push(charge(this.#shared(origin, now), all, bytes));
      }
    }
    const waits = charges.map((each) => each.bucket.wait(each.cost, now));
    const wait = Math.max(...waits);
    if (wait === 0) {
      for (const each of charges) each.bucket.take(each.cost, now);
      return undefined;
    }
    // What is beyond a small quota weighs more than what is beyond a large one.
    const beyond = own !== undefined && (waits[0] ?? 0) > 0;
    const weight = beyond
      ? Math.sqrt(Math.max(1, all.perSecond / own.quota.perSecond))
      : 1;
    const cost = weight *
      charge(account.bucket("all", all, now), all, bytes).cost;
    return this.#refuse(asked, account, { cost, wait }, now);
  }

  #refuse(
    asked: Asked,
    { standing }: Account,
    { cost, wait }: { readonly cost: number; readonly wait: number },
    now: number,
  ): Limited {
    const before = standing.level(now);
    const level = standing.refused(cost, now);
    if (level !== before) this.#changed(asked, level, standing.left(now), now);
    return level === "blocked" || level === "banned"
      ? { reason: level, retryAfter: standing.left(now) }
      : {
        reason: "limited",
        retryAfter: Math.max(ESCALATION.leastPause, wait),
      };
  }

  #changed(
    { peer, origin }: Asked,
    level: StandingLevel,
    left: number,
    now: number,
  ): void {
    this.#metrics.count("meshnode_limiter_escalations_total", { level });
    if (level === "suspicious" || level === "good") return;
    this.#log.warn(
      "Peer {peer} asks too much and is {level} for {seconds} s.",
      { peer, level, seconds: Math.round(left / 1_000) },
    );
    if (level !== "banned") return;
    if (this.#freeIdentities && origin !== undefined) {
      this.#originOf(origin, now).standing
        .violate(ORIGIN_VIOLATIONS, now, "suspicious");
    }
    this.#banned.forEach((tell) => tell(peer));
  }

  /** The quota besides that of all; methods need not have one. */
  #ownQuota(
    { what, quota }: Asked,
  ): { readonly name: string; readonly quota: CallQuota } | undefined {
    const { methods, unserved, streams, connections } = this.#quotas;
    if (typeof what === "object") {
      const { method } = what;
      const own = Object.hasOwn(methods, method) ? methods[method] : quota;
      return own && { name: `method ${method}`, quota: own };
    }
    return { name: what, quota: { unserved, streams, connections }[what] };
  }

  /** What the peers of an origin share. */
  #shared(origin: string, now: number): TokenBucket {
    const { all: { perSecond, burst }, peersPerOrigin } = this.#quotas;
    return this.#originOf(origin, now).bucket("shared", {
      perSecond: perSecond * peersPerOrigin,
      burst: burst * peersPerOrigin,
    }, now);
  }

  /** The peer's account; beyond the bound, one that the peers of its place share. */
  #accountOf({ peer, origin }: Asked, now: number): Account {
    const known = this.#peers.get(peer);
    if (known !== undefined) return known;
    const account = this.#peers.open(peer, now) ??
      this.#originOf(`crowd of ${origin ?? "this machine"}`, now);
    const { peers, origins } = this.size;
    const gauge = "meshnode_limiter_accounts";
    this.#metrics.gauge(gauge, peers, { of: "peers" });
    this.#metrics.gauge(gauge, origins, { of: "origins" });
    return account;
  }

  #originOf(origin: string, now: number): Account {
    return this.#origins.open(origin, now) ?? this.#origins.force(OTHERS, now);
  }
}

interface Charge {
  readonly bucket: TokenBucket;
  readonly cost: number;
}

/** What a body costs; at most the burst, lest a large one wait for ever. */
function charge(
  bucket: TokenBucket,
  { bytesPerToken, burst }: CallQuota,
  bytes: number,
): Charge {
  const cost = 1 + Math.floor(bytes / bytesPerToken);
  return { bucket, cost: Math.min(cost, burst) };
}
