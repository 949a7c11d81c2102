import { MeshError } from "../../mod.ts";
import { mutate } from "./mutate.ts";
import { SeededRandom } from "./random.ts";

/** A decoder under test. */
export interface Target {
  /** Its name. */
  readonly name: string;
  /** Valid inputs. */
  readonly samples: readonly Uint8Array[];
  /** How many times slower it is than the others: the test suite runs it so many times less. */
  readonly slowness?: number;
  /** Decodes. May throw a `MeshError`, and nothing else. */
  run(bytes: Uint8Array): unknown;
}

/** What became of a target's run. */
export interface FuzzResult {
  /** Inputs tried. */
  readonly runs: number;
  /** Inputs that decoded. */
  readonly accepted: number;
}

/** The error for an input that a decoder does not bear. */
export class FuzzFailure extends Error {
  /** Tells how to see it again. */
  constructor(
    target: Target,
    seed: number,
    run: number,
    bytes: Uint8Array,
    cause: unknown,
  ) {
    super(
      `${target.name} does not bear input ${run} of seed ${seed}: ${
        cause instanceof Error ? cause.stack : cause
      }\nsee it again with: deno task fuzz --target ${target.name} --input ${bytes.toHex()}`,
      { cause },
    );
    this.name = "FuzzFailure";
  }
}

/** Growth of the heap that is more than what a collector leaves lying, bytes. */
const MOST_GROWTH = 96 * 1024 * 1024;

/** Gives a decoder one input. Errors of the project's own are the right answer. */
export async function bears(
  target: Target,
  bytes: Uint8Array,
): Promise<boolean> {
  try {
    // Most decoders answer at once, and waiting costs more than they do.
    const result = target.run(bytes);
    if (result instanceof Promise) await result;
    return true;
  } catch (error) {
    if (error instanceof MeshError) return false;
    throw error;
  }
}

/**
 * Gives a decoder many changed inputs.
 *
 * @throws {FuzzFailure} at the first one that it does not bear.
 */
export async function fuzz(
  target: Target,
  options: { readonly seed: number; readonly runs: number },
): Promise<FuzzResult> {
  const { seed, runs } = options;
  const random = new SeededRandom(seed);
  for (const sample of target.samples) {
    if (!await bears(target, sample)) {
      throw new Error(`A sample of ${target.name} does not decode.`);
    }
  }
  let accepted = 0;
  let present: Uint8Array = new Uint8Array();
  let rejected: unknown;
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    rejected ??= event.reason;
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  const settled = Math.ceil(runs / 5);
  let heap = Infinity;
  try {
    for (let run = 0; run < runs; run++) {
      present = mutate(target.samples, random);
      try {
        if (await bears(target, present)) accepted++;
      } catch (cause) {
        throw new FuzzFailure(target, seed, run, present, cause);
      }
      if (run % 1_000 === 999) {
        // Rejections that nobody handles are told when the loop comes round.
        await new Promise((resolve) => setTimeout(resolve));
        if (rejected !== undefined) {
          throw new FuzzFailure(target, seed, run, present, rejected);
        }
      }
      if (run === settled) heap = usedHeap();
    }
    await new Promise((resolve) => setTimeout(resolve));
    if (rejected !== undefined) {
      throw new FuzzFailure(target, seed, runs, present, rejected);
    }
    const growth = usedHeap() - heap;
    if (growth > MOST_GROWTH) {
      throw new Error(`${target.name} grew by ${growth} bytes.`);
    }
    return { runs, accepted };
  } finally {
    globalThis.removeEventListener("unhandledrejection", onRejection);
  }
}

function usedHeap(): number {
  // There when V8 runs with --expose-gc, as the task does.
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().heapUsed;
}
