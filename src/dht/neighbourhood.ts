import { base58btc } from "multiformats/bases/base58";
import { compare } from "../core/bytes.ts";
import { dhtIdOfBytes, distance } from "../records/dht_id.ts";

const MAX_REMEMBERED = 8_192;

/** A peer and where it stands in the key space. */
interface Standing {
  readonly peerId: string;
  readonly place: Uint8Array;
  /** The first 32 bits of the place, which nearly always decide. */
  readonly head: number;
}

/**
 * Computes which peers hold a key.
 *
 * A peer's place is the SHA-1 of its peer id's bytes, so that nobody chooses
 * where to stand, and everyone who knows the same peers agrees.
 */
export class Neighbourhood {
  readonly #self: Standing;
  readonly #members: () => Iterable<string>;
  readonly #places = new Map<string, Standing>();
  #known: readonly string[] = [];
  #standings: readonly Standing[];
  #present: ReadonlySet<string>;

  /** `members` gives the other peers; it is asked anew for every key. */
  constructor(self: string, members: () => Iterable<string>) {
    this.#self = this.#stand(self);
    this.#members = members;
    this.#standings = [this.#self];
    this.#present = new Set([self]);
  }

  /** Everybody who can hold a record, ourselves first. */
  peers(): readonly string[] {
    this.#refresh();
    return this.#standings.map(({ peerId }) => peerId);
  }

  /** The peers nearest to a key, nearest first, ourselves included. */
  nearest(key: Uint8Array, count: number): string[] {
    this.#refresh();
    return nearest(key, this.#standings, count);
  }

  /** The same for many keys, among some peers only. */
  among(
    peers: Iterable<string>,
  ): (key: Uint8Array, count: number) => string[] {
    const standings = [...new Set(peers)].map((peer) => this.#stand(peer));
    return (key, count) => nearest(key, standings, count);
  }

  /** Whether a peer is there, ourselves included. */
  has(peerId: string): boolean {
    this.#refresh();
    return this.#present.has(peerId);
  }

  /** A peer's place, 20 bytes. */
  placeOf(peerId: string): Uint8Array {
    return this.#stand(peerId).place;
  }

  /** Places are computed once, as long as the peers stay the same. */
  #refresh(): void {
    const members = this.#members();
    if (members === this.#known) return;
    const listed = Array.isArray(members) ? members : [...members];
    const same = listed.length === this.#known.length &&
      listed.every((peer, i) => peer === this.#known[i]);
    if (!same) {
      this.#present = new Set([this.#self.peerId, ...listed]);
      this.#standings = [...this.#present].map((peer) => this.#stand(peer));
    }
    this.#known = listed;
  }

  #stand(peerId: string): Standing {
    const known = this.#places.get(peerId);
    if (known !== undefined) return known;
    if (this.#places.size >= MAX_REMEMBERED) this.#places.clear();
    const place = dhtIdOfBytes(base58btc.baseDecode(peerId));
    const standing = { peerId, place, head: headOf(place) };
    this.#places.set(peerId, standing);
    return standing;
  }
}

function headOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

interface Ranked {
  readonly standing: Standing;
  /** Distance of the heads. */
  readonly far: number;
}

/** One pass that keeps the best, instead of sorting everybody. */
function nearest(
  key: Uint8Array,
  standings: readonly Standing[],
  count: number,
): string[] {
  const head = headOf(key);
  const best: Ranked[] = [];
  for (const standing of standings) {
    const far = (standing.head ^ head) >>> 0;
    const last = best[count - 1];
    if (last !== undefined && far > last.far) continue;
    const next = { standing, far };
    let at = best.length;
    while (at > 0 && isNearer(next, best[at - 1] as Ranked, key)) at--;
    if (at >= count) continue;
    best.splice(at, 0, next);
    if (best.length > count) best.pop();
  }
  return best.map(({ standing }) => standing.peerId);
}

function isNearer(a: Ranked, b: Ranked, key: Uint8Array): boolean {
  if (a.far !== b.far) return a.far < b.far;
  return compare(
    distance(a.standing.place, key),
    distance(b.standing.place, key),
  ) < 0;
}
