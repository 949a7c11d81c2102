import type { NodeClass } from "../chain/types.ts";
import type { StakeAnswer } from "./stake.ts";

/** A stranger of whom the chain said that it has stake. */
export interface StakedStranger {
  /** Base58. */
  readonly peerId: string;
  /** The class that was asked for. */
  readonly minClass: NodeClass;
}

/** How long the chain's "no" is believed, ms; as the Mesh Template does. */
const NOT_STAKED_LIFE = 20_000;
const MAX_REFUSED = 4_096;
/** Peers of overwatch nodes: few, and each is asked about with every block. */
const MAX_STAKED = 128;

/** What the chain said of peers that are not among the subnet's nodes. */
export class Strangers {
  readonly #staked = new Map<string, StakedStranger>();
  readonly #refused = new Map<string, number>();

  /** The answer that is known at a time in milliseconds. */
  get(
    peerId: string,
    minClass: NodeClass,
    now: number,
  ): Exclude<StakeAnswer, "unknown"> | undefined {
    const key = `${minClass} ${peerId}`;
    if (this.#staked.has(key)) return "staked";
    return (this.#refused.get(key) ?? -Infinity) > now
      ? "not-staked"
      : undefined;
  }

  /** Notes an answer: "yes" until it is taken back, "no" for a while. */
  set(peerId: string, minClass: NodeClass, staked: boolean, now: number): void {
    const key = `${minClass} ${peerId}`;
    this.forget(peerId, minClass);
    if (staked) {
      put(this.#staked, key, { peerId, minClass }, MAX_STAKED);
    } else put(this.#refused, key, now + NOT_STAKED_LIFE, MAX_REFUSED);
  }

  /** Drops an answer: the peer is no stranger any more. */
  forget(peerId: string, minClass: NodeClass): void {
    const key = `${minClass} ${peerId}`;
    this.#staked.delete(key);
    this.#refused.delete(key);
  }

  /** Those to be asked about again. */
  staked(): StakedStranger[] {
    return [...this.#staked.values()];
  }
}

/** Sets a value; the oldest one goes when there are too many. */
function put<V>(map: Map<string, V>, key: string, value: V, most: number) {
  const [oldest] = map.keys();
  if (map.size >= most && oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}
