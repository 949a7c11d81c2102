import { createHash } from "node:crypto";

/**
 * Remembers what was verified, by digest, in two generations: what is not
 * looked for during one is forgotten with the next.
 */
export class Verified {
  readonly #most: number;
  #present = new Set<string>();
  #previous = new Set<string>();

  /** Remembers at least `most` and at most twice as many. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The name of what was verified: a signer, a message and its signature. */
  static nameOf(
    signer: string,
    message: Uint8Array,
    signature: Uint8Array,
  ): string {
    return createHash("sha256").update(`${signature.length} ${signer}\n`)
      .update(signature).update(message).digest("base64");
  }

  /** Whether it was verified before. */
  has(name: string): boolean {
    if (this.#present.has(name)) return true;
    if (!this.#previous.has(name)) return false;
    this.add(name);
    return true;
  }

  /** Takes in what was verified just now. */
  add(name: string): void {
    if (this.#present.size >= this.#most) {
      this.#previous = this.#present;
      this.#present = new Set();
    }
    this.#present.add(name);
  }
}
