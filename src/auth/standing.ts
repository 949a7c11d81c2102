import { ESCALATION } from "./call_quotas.ts";

/** How a peer that asks too much is treated. */
export type StandingLevel = "good" | "suspicious" | "blocked" | "banned";

/** Violations that a block and a ban count as. */
const BLOCK_VIOLATIONS = 3;
const BAN_VIOLATIONS = 5;
/** Suspicion counts once in so long, ms. */
const SUSPICION_PERIOD = 5_000;

/**
 * What a peer asked of late beyond its quota, the violations that this was,
 * and what came of it. All of it passes with time.
 */
export class Standing {
  readonly #perSecond: number;
  #refused = 0;
  #refusedAt: number;
  #violations = 0;
  #violationsAt: number;
  #suspectedAt = -Infinity;
  #level: StandingLevel = "good";
  #until = -Infinity;
  #bannedUntil = -Infinity;

  /** Measures against so many tokens a second. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#refusedAt = now;
    this.#violationsAt = now;
  }

  /** The level at a time in milliseconds. */
  level(now: number): StandingLevel {
    if (now >= this.#until) this.#level = "good";
    return this.#level;
  }

  /** Milliseconds until the level is good again. */
  left(now: number): number {
    return Math.max(0, this.#until - now);
  }

  /** Notes that something was refused, and gives the level that follows. */
  refused(cost: number, now: number): StandingLevel {
    const elapsed = Math.max(0, now - this.#refusedAt);
    this.#refused = cost +
      this.#refused * Math.exp(-elapsed / ESCALATION.average);
    this.#refusedAt = now;
    // What was let through is the quota itself; bursts are no offence.
    const ratio = 1 +
      1_000 * this.#refused / ESCALATION.average / this.#perSecond;
    if (ratio >= ESCALATION.ban) return this.#ban(now);
    const level = this.level(now);
    if (level === "blocked" || level === "banned") return level;
    if (ratio >= ESCALATION.block) {
      return this.violate(BLOCK_VIOLATIONS, now, "blocked");
    }
    if (
      ratio < ESCALATION.suspicious ||
      now - this.#suspectedAt < SUSPICION_PERIOD
    ) return level;
    this.#suspectedAt = now;
    return this.violate(1, now, "suspicious");
  }

  /** Counts violations, and gives the level that follows, at least the given one. */
  violate(
    violations: number,
    now: number,
    level: "suspicious" | "blocked",
  ): StandingLevel {
    this.#violations = this.#decayed(now) + violations;
    this.#violationsAt = now;
    if (this.#violations >= ESCALATION.mostViolations) return this.#ban(now);
    this.#level = level;
    this.#until = now +
      (level === "blocked" ? ESCALATION.blockTime : ESCALATION.average);
    return level;
  }

  /** Whether nothing is held against the peer, so that forgetting it changes nothing. */
  isClean(now: number): boolean {
    return this.level(now) === "good" && this.#decayed(now) < 0.5 &&
      now - this.#bannedUntil > ESCALATION.longBanTime;
  }

  #ban(now: number): StandingLevel {
    if (this.level(now) === "banned") return "banned";
    const again = now - this.#bannedUntil <= ESCALATION.longBanTime;
    this.#violations = this.#decayed(now) + BAN_VIOLATIONS;
    this.#violationsAt = now;
    this.#level = "banned";
    this.#until = now + (again ? ESCALATION.longBanTime : ESCALATION.banTime);
    this.#bannedUntil = this.#until;
    return "banned";
  }

  #decayed(now: number): number {
    const elapsed = Math.max(0, now - this.#violationsAt);
    return this.#violations * 2 ** (-elapsed / ESCALATION.halfLife);
  }
}
