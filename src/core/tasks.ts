/** Work that goes on by itself, and is awaited before its owner ends. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();

  /** How many are under way. */
  get size(): number {
    return this.#running.size;
  }

  /** Takes work over; its failure is its own to report and ends nothing here. */
  own(work: Promise<unknown>): void {
    const over = () => void this.#running.delete(task);
    const task: Promise<void> = work.then(over, over);
    this.#running.add(task);
  }

  /** Waits until nothing is under way, also not what began meanwhile. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
