import { toHex } from "../../core/bytes.ts";
import type { Clock } from "../../core/clock.ts";
import { recordDigest } from "../../records/digest.ts";
import type { DhtRecord } from "../../records/record.ts";
import type { HeldRecord } from "../../records/table.ts";

/** Bounds of what is remembered. */
export const CLAIMS = {
  /** How long a claim holds, and a record can be taken back, ms. */
  life: 10_000,
  /** Most claims, and most of one peer. */
  most: 4_096,
  perPeer: 256,
  /** Most bytes of records that may come back. */
  bytes: 16 * 1024 * 1024,
} as const;

/** Who wants to write what. */
interface Claim {
  readonly digest: string;
  readonly peerId: string;
  readonly until: number;
}

/** What was written, and what it took the place of. */
interface Settled extends Claim {
  readonly replaced: HeldRecord | undefined;
}

/**
 * Who may write a record where something was expected, and who may take it
 * back: a place is claimed by one writer at a time, for a few seconds.
 */
export class Claims {
  readonly #clock: Clock;
  /** By place, the oldest first. */
  readonly #claims = new Map<string, Claim>();
  readonly #settled = new Map<string, Settled>();
  #bytes = 0;

  /** Nothing is claimed at first. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Claims a record's place for a peer; `full` when that are too many. */
  claim(record: DhtRecord, peerId: string): "claimed" | "taken" | "full" {
    this.#clear();
    const name = nameOf(record);
    const digest = digestOf(record);
    const present = this.#claims.get(name);
    if (present !== undefined && !isBy(present, digest, peerId)) return "taken";
    if (present === undefined && this.#isFull(peerId)) return "full";
    this.#claims.delete(name);
    this.#claims.set(name, { digest, peerId, until: this.#until() });
    return "claimed";
  }

  /** Whether a record's place is claimed for it by a peer. */
  has(record: DhtRecord, peerId: string): boolean {
    this.#clear();
    const claim = this.#claims.get(nameOf(record));
    return claim !== undefined && isBy(claim, digestOf(record), peerId);
  }

  /** Ends the claim of a record that is stored, and notes what it took the place of. */
  settle(
    record: DhtRecord,
    peerId: string,
    replaced: HeldRecord | undefined,
  ): void {
    const name = nameOf(record);
    this.#claims.delete(name);
    this.#forget(name);
    const [digest, until] = [digestOf(record), this.#until()];
    this.#settled.set(name, { digest, peerId, until, replaced });
    this.#bytes += replaced?.size ?? 0;
    for (const oldest of this.#settled.keys()) {
      if (this.#settled.size <= CLAIMS.most && this.#bytes <= CLAIMS.bytes) {
        break;
      }
      this.#forget(oldest);
    }
  }

  /**
   * Ends a peer's claim for a record, and its right to take the record back;
   * gives what the record took the place of, if it has that right.
   */
  withdraw(
    record: DhtRecord,
    peerId: string,
  ): { readonly replaced: HeldRecord | undefined } | undefined {
    this.#clear();
    const [name, digest] = [nameOf(record), digestOf(record)];
    const claim = this.#claims.get(name);
    if (claim !== undefined && isBy(claim, digest, peerId)) {
      this.#claims.delete(name);
    }
    const settled = this.#settled.get(name);
    if (settled === undefined || !isBy(settled, digest, peerId)) {
      return undefined;
    }
    this.#forget(name);
    return { replaced: settled.replaced };
  }

  /** Somebody else stores the record, too: it is not to be taken back. */
  confirm(record: DhtRecord): void {
    if (this.#settled.size > 0) this.#forget(nameOf(record));
  }

  #until(): number {
    return this.#clock.now() + CLAIMS.life;
  }

  #isFull(peerId: string): boolean {
    if (this.#claims.size >= CLAIMS.most) return true;
    let own = 0;
    for (const claim of this.#claims.values()) {
      if (claim.peerId === peerId) own++;
    }
    return own >= CLAIMS.perPeer;
  }

  #forget(name: string): void {
    this.#bytes -= this.#settled.get(name)?.replaced?.size ?? 0;
    this.#settled.delete(name);
  }

  /** Drops what is over; a clock that was set back keeps nothing longer. */
  #clear(): void {
    const now = this.#clock.now();
    const isOver = ({ until }: Claim) =>
      until <= now || until > now + CLAIMS.life;
    for (const [name, claim] of this.#claims) {
      if (!isOver(claim)) break;
      this.#claims.delete(name);
    }
    for (const [name, settled] of this.#settled) {
      if (!isOver(settled)) break;
      this.#forget(name);
    }
  }
}

function nameOf({ key, subkey }: DhtRecord): string {
  return `${toHex(key)} ${toHex(subkey)}`;
}

function digestOf(record: DhtRecord): string {
  return toHex(recordDigest(record));
}

function isBy(claim: Claim, digest: string, peerId: string): boolean {
  return claim.digest === digest && claim.peerId === peerId;
}
