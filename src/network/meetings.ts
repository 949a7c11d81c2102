/** How long a peer that is connected is waited for to introduce itself, ms. */
const PATIENCE = 2_000;

/** Connected peers that others call members and that did not introduce themselves yet. */
export class Meetings {
  readonly #since = new Map<string, number>();

  /** Notes that such a peer is connected, at a time in ms. */
  begin(peerId: string, now: number): void {
    if (!this.#since.has(peerId)) this.#since.set(peerId, now);
  }

  /** Notes that a peer introduced itself, or is gone. */
  end(peerId: string): void {
    this.#since.delete(peerId);
  }

  /** Whether somebody is still to be expected at a time in ms. */
  areUnderWay(now: number): boolean {
    return this.#since.values().some((since) => since > now - PATIENCE);
  }
}
