import type { ReadOptions } from "../chain.ts";
import type { Runtime } from "./runtime.ts";
import type { HypertensorView } from "./view.ts";

/** A call that can be made at any time, for whatever runtime is in force then. */
export interface Order {
  /** What it does, for messages, such as `attest`. */
  readonly name: string;
  /** The encoded call, hex with `0x`. */
  encode(runtime: Runtime): `0x${string}`;
  /**
   * Looks whether the chain would take it, because a refusal costs a fee.
   *
   * @throws {ChainCallError} by the name that the chain would give.
   */
  check(view: HypertensorView, options: ReadOptions): Promise<void>;
}
