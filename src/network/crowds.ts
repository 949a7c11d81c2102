/** Most members in one /24 of IPv4 or /64 of IPv6. */
const PER_NETWORK = 32;

/** Counts the members in each part of the network, of which one must not be the whole mesh. */
export class Crowds {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  /** At most so many in one part. */
  constructor(most: number = PER_NETWORK) {
    this.#most = most;
  }

  /** Counts one in, unless its part is full; one of no part is not counted. */
  enter(network: string | undefined): boolean {
    if (network === undefined) return true;
    const count = this.#counts.get(network) ?? 0;
    if (count >= this.#most) return false;
    this.#counts.set(network, count + 1);
    return true;
  }

  /** Counts one out that was counted in. */
  leave(network: string | undefined): void {
    if (network === undefined) return;
    const left = (this.#counts.get(network) ?? 1) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
  }
}
