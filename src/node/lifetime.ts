import { loggerOf } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import { Tasks } from "../core/tasks.ts";

/** Work that goes on as long as the node does. */
export type LastingWork =
  | "acquaintances"
  | "clock"
  | "consensus"
  | "epochs"
  | "heartbeat"
  | "records"
  | "stake";

/** Work that is done once, and may be done again. */
export type PassingWork = "absence" | "drop" | "join";

/** Options of {@linkcode Lifetime}. */
export interface LifetimeOptions {
  /** Whose life it is. */
  readonly of: "node" | "client";
  /** Closes the parts, one after the other, once all work has ended. */
  readonly closing: readonly (() => unknown)[];
  /** Where to count. */
  readonly metrics: Metrics;
}

/**
 * The life of a node or a client: owns the work that goes on in it, and closes
 * its parts when it ends. Work that fails ends nothing else, and is told.
 */
export class Lifetime {
  readonly #options: LifetimeOptions;
  readonly #log = loggerOf("node");
  readonly #tasks = new Tasks();
  readonly #failed = new Set<LastingWork>();
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;

  /** Begins. */
  constructor(options: LifetimeOptions) {
    this.#options = options;
  }

  /** Is aborted when the end begins. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** What should still go on, and has failed. */
  get failed(): ReadonlySet<LastingWork> {
    return this.#failed;
  }

  /** Owns work that goes on until the signal is aborted. */
  run(part: LastingWork, work: Promise<void>): void {
    this.#own(part, work, () => this.#failed.add(part));
  }

  /** Owns work that ends by itself. */
  own(part: PassingWork, work: Promise<void>): void {
    this.#own(part, work, () => {});
  }

  /** Ends all work and closes everything; what cannot be closed keeps nothing else open. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { of, closing } = this.#options;
    const reason = new DOMException(`The ${of} stops.`, "AbortError");
    this.#stopping.abort(reason);
    await this.#tasks.settled();
    const failures: unknown[] = [];
    for (const close of closing) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 1) {
      throw new AggregateError(
        failures,
        `The ${of} could not close its parts.`,
      );
    }
    if (failures.length === 1) throw failures[0];
  }

  #own(
    part: LastingWork | PassingWork,
    work: Promise<void>,
    onFailure: () => void,
  ): void {
    this.#tasks.own(work, (error) => {
      if (this.signal.aborted && isAbort(error)) return;
      onFailure();
      this.#options.metrics.count("meshnode_node_failures_total", { part });
      this.#log.error("{part} of the {of} failed unexpectedly: {error}", {
        ...{ part, error },
        of: this.#options.of,
      });
    });
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
