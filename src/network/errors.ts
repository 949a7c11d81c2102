import { MeshError, type MeshErrorOptions } from "../core/errors.ts";

/** Why the host or a connection failed. */
export type NetworkErrorCode =
  /** A peer cannot be reached, or closed the connection. */
  | "PEER_UNREACHABLE"
  /** Text that should be a peer id is none. */
  | "PEER_ID_INVALID"
  /** Text that should be an address is none. */
  | "ADDRESS_INVALID"
  /** A peer's list of the members that it knows is malformed. */
  | "PEER_LIST_INVALID"
  /** What a peer says of itself when it is met is malformed. */
  | "GREETING_INVALID"
  /** The host cannot listen where it was told to. */
  | "CANNOT_LISTEN";

/** A failure of the host, of an address or of a connection. */
export class NetworkError extends MeshError {
  /** Says what failed and why. */
  constructor(
    code: NetworkErrorCode,
    message: string,
    options?: MeshErrorOptions,
  ) {
    super(code, message, options);
    this.name = "NetworkError";
  }
}
