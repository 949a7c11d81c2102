import { loggerOf } from "../core/log.ts";
import type { Clock } from "../core/clock.ts";

/** How often it is looked whether the members are others, ms. */
const PERIOD = 5_000;
/** Most addresses that are kept, and the longest file that is read, bytes. */
const MOST = 256;
const MAX_SIZE = 64 * 1024;

/**
 * Keeps in a file where members were reached, so that a node that comes back
 * finds them even while its entry points hang. A file that cannot be used costs
 * no more than that.
 */
export class Acquaintances {
  readonly #path: string;
  readonly #log = loggerOf("node");

  /** Reads and writes nothing yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The addresses that were kept last. */
  recall(): string[] {
    try {
      if (Deno.statSync(this.#path).size > MAX_SIZE) return [];
      const kept: unknown = JSON.parse(Deno.readTextFileSync(this.#path));
      return Array.isArray(kept)
        ? kept.filter((each) => typeof each === "string").slice(0, MOST)
        : [];
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) this.#failed("read", error);
      return [];
    }
  }

  /** Keeps addresses instead of the ones before; none keeps those. */
  keep(addresses: readonly string[]): void {
    if (addresses.length === 0) return;
    try {
      const part = `${this.#path}.part`;
      const text = JSON.stringify(addresses.slice(0, MOST));
      Deno.writeTextFileSync(part, text, { mode: 0o600 });
      Deno.renameSync(part, this.#path);
    } catch (error) {
      this.#failed("write", error);
    }
  }

  /** Keeps where the members are whenever they are others, until the signal is aborted. */
  async run(
    host: {
      members(): readonly string[];
      memberAddresses(): readonly string[];
    },
    clock: Clock,
    signal: AbortSignal,
  ): Promise<void> {
    let known: readonly string[] = [];
    while (!signal.aborted) {
      const members = host.members();
      if (members !== known) {
        known = members;
        this.keep(host.memberAddresses());
      }
      await clock.sleep(PERIOD, signal).catch(() => {});
    }
  }

  #failed(what: string, error: unknown): void {
    this.#log.warn("Could not {what} {path}: {error}", {
      ...{ what, error },
      path: this.#path,
    });
  }
}
