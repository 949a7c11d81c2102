import { MeshError } from "../core/errors.ts";

/** Exit codes: the usual ones, then those of sysexits. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  data: 65,
  unavailable: 69,
  cannotCreate: 73,
  io: 74,
  tryAgain: 75,
  permission: 77,
  config: 78,
  /** And the signal's number: it was ended before it was done. */
  ended: 128,
} as const;

const BY_CODE: Readonly<Record<string, number>> = {
  USAGE: EXIT.usage,
  IDENTITY_EXISTS: EXIT.cannotCreate,
  IDENTITY_UNREADABLE: EXIT.io,
  IDENTITY_MISSING: EXIT.config,
  IDENTITY_DAMAGED: EXIT.config,
  IDENTITY_EXPOSED: EXIT.config,
  IDENTITY_SEALED: EXIT.config,
  KEY_FORMAT: EXIT.data,
  KEY_IN_USE: EXIT.tryAgain,
  PASSPHRASE_MISSING: EXIT.config,
  PASSPHRASE_WRONG: EXIT.permission,
  SEALED_DAMAGED: EXIT.data,
  ADDRESS_INVALID: EXIT.config,
  PEER_ID_INVALID: EXIT.config,
  CANNOT_LISTEN: EXIT.unavailable,
  CHAIN_UNREADABLE: EXIT.unavailable,
  CHAIN_CONNECTION: EXIT.unavailable,
  CHAIN_RPC: EXIT.unavailable,
  CHAIN_LAYOUT_UNKNOWN: EXIT.config,
  CHAIN_NOT_FOUND: EXIT.data,
  CHAIN_CALL_REFUSED: EXIT.data,
  CHAIN_SUBMIT_FAILED: EXIT.tryAgain,
  CALL_INPUT: EXIT.usage,
  AMOUNT_INVALID: EXIT.usage,
  ACCOUNT_SECRET: EXIT.config,
  SECRET_FILE_MISSING: EXIT.config,
  SECRET_FILE_UNREADABLE: EXIT.io,
  SECRET_FILE_EXISTS: EXIT.cannotCreate,
  SUBNET_MISSING: EXIT.config,
  IDENTITY_FOREIGN: EXIT.config,
  LOCAL_CHAIN_MISSING: EXIT.config,
  LOCAL_CHAIN_DAMAGED: EXIT.data,
  LOCAL_CHAIN_DIFFERS: EXIT.config,
  LOCAL_CHAIN_VERSION: EXIT.config,
  RECORDS_IN_USE: EXIT.tryAgain,
  RECORDS_UNUSABLE: EXIT.io,
  RECORD_MISSING: EXIT.data,
  RECORD_TOO_LARGE: EXIT.data,
  VALUE_UNREADABLE: EXIT.io,
  ENCODE: EXIT.data,
  MESH_UNREACHABLE: EXIT.unavailable,
  REPLICAS_UNREACHABLE: EXIT.unavailable,
  STORE_BELOW_QUORUM: EXIT.tryAgain,
  STORE_CONFLICT: EXIT.tryAgain,
  STORE_UNCERTAIN: EXIT.tryAgain,
  STORAGE_FAILED: EXIT.io,
  PHASES_INVALID: EXIT.config,
  ATTEST_POLICY_INVALID: EXIT.usage,
  JOURNAL_UNUSABLE: EXIT.cannotCreate,
  JOURNAL_DAMAGED: EXIT.data,
  JOURNAL_MISSING: EXIT.config,
  EPOCH_UNKNOWN: EXIT.data,
  RECORDING_UNREADABLE: EXIT.io,
  RECORDING_INVALID: EXIT.data,
  DEV_RUNNING: EXIT.tryAgain,
  DEV_FOREIGN: EXIT.config,
};

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Deno.errors.NotCapable) return EXIT.permission;
  if (error instanceof MeshError) return BY_CODE[error.code] ?? EXIT.unexpected;
  return EXIT.unexpected;
}

/** What is told of an error: what happened and what to do, not where in the code. */
export function describeError(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return `error: A permission is missing: ${error.message}\n` +
      "hint: Start the node with `deno task node`, which grants what it needs.";
  }
  if (error instanceof MeshError) {
    return `error: ${error.message}` +
      (error.hint === undefined ? "" : `\nhint: ${error.hint}`);
  }
  const message = error instanceof Error ? error.message : String(error);
  return `error: ${message}\nhint: This is unexpected; ` +
    "run again with --log-level debug and report what it says.";
}
