import v8 from "node:v8";
import vm from "node:vm";
import { eventually } from "../eventually.ts";

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;

/** Bytes in use once everything that nobody holds is gone. */
function used(): number {
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** Room for what the suite itself and the libraries' caches take, bytes. */
const ALLOWANCE = 48 * 1024 * 1024;

/** Watches the memory of an attack: what is in use after it must be what was before. */
export class MemoryWatch {
  readonly #before = used();

  /** Waits until nothing of the attack is left; timers hold some of it for seconds. */
  async settled(): Promise<void> {
    const grown = () => used() - this.#before;
    await eventually(
      () => grown() < ALLOWANCE,
      () => `${(grown() / 1024 / 1024).toFixed(1)} MiB are left of the attack`,
      60_000,
    );
  }
}
