/** Is told of work that failed; must not throw. */
export type TaskFailure = (error: unknown) => void;

/** Work that goes on by itself, and is awaited before its owner ends. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();
  readonly #onFailure: TaskFailure | undefined;

  /** Without `onFailure`, what fails is its own to report. */
  constructor(onFailure?: TaskFailure) {
    this.#onFailure = onFailure;
  }

  /** How many are under way. */
  get size(): number {
    return this.#running.size;
  }

  /** Takes work over; its failure ends nothing here. */
  own(
    work: Promise<unknown>,
    onFailure: TaskFailure | undefined = this.#onFailure,
  ): void {
    const task: Promise<void> = work.then(
      () => void this.#running.delete(task),
      (error) => {
        this.#running.delete(task);
        onFailure?.(error);
      },
    );
    this.#running.add(task);
  }

  /** Waits until nothing is under way, also not what began meanwhile. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
