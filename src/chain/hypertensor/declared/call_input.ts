import { MeshError } from "../../../core/errors.ts";

/** The error for what this version of the chain cannot take. */
export class CallInputError extends MeshError {
  /** Says what, and what to give instead. */
  constructor(message: string, hint: string) {
    super("CALL_INPUT", message, { hint });
    this.name = "CallInputError";
  }
}

const encoder = new TextEncoder();

/** Text as the chain library wants bytes: hex with `0x`. */
export function textHex(text: string): string {
  return `0x${encoder.encode(text).toHex()}`;
}

/** The same for what may be absent. */
export function optionalHex(text: string | undefined): string | null {
  return text === undefined ? null : textHex(text);
}
