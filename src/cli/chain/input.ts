import { MeshError } from "../../core/errors.ts";
import { type Parsed, usageError } from "../args.ts";

const MOST_ID = 2 ** 32 - 1;

/** The error for something that the chain does not have. */
export function notFound(message: string, hint: string): MeshError {
  return new MeshError("CHAIN_NOT_FOUND", message, { hint });
}

/** The id among the arguments, such as a subnet's. @throws {MeshError} `USAGE` */
export function idArgument(args: Parsed, index: number, what: string): number {
  const text = args.positionals[index];
  if (text === undefined) {
    throw usageError(
      `The id of the ${what} is missing.`,
      "See --help for how the command is used.",
    );
  }
  return parseId(text, what);
}

/** The id of a text. @throws {MeshError} `USAGE` */
export function parseId(text: string, what: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && id <= MOST_ID) return id;
  throw usageError(
    `"${text}" is no id of a ${what}.`,
    "An id is a whole number, such as 128001.",
  );
}

/** The text of an option that must be given. @throws {MeshError} `USAGE` */
export function required(args: Parsed, name: string): string {
  const text = args.text(name);
  if (text !== undefined && text !== "") return text;
  throw usageError(`--${name} is missing.`, "See --help for what it is.");
}

/**
 * An account, in lower case. Where capitals are used they carry a checksum, and
 * are believed only when it is right.
 *
 * @throws {MeshError} `USAGE`
 */
export async function parseAccount(text: string): Promise<string> {
  const lower = text.toLowerCase();
  if (!/^0x[0-9a-f]{40}$/.test(lower)) {
    throw usageError(
      `"${text}" is no account.`,
      "An account is 0x and 40 hex digits.",
    );
  }
  const digits = text.slice(2);
  if (digits === lower.slice(2) || digits === digits.toUpperCase()) {
    return lower;
  }
  const { ethereumEncode } = await import("@polkadot/util-crypto");
  if (ethereumEncode(lower) === text) return lower;
  throw usageError(
    `The account ${text} is mistyped: its capitals do not fit.`,
    "Copy it again; in small letters it would not be checked.",
  );
}
