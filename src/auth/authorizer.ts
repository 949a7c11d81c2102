import type { NodeClass } from "../chain/types.ts";
import type { Bytes } from "../core/bytes.ts";
import { MeshError, type MeshErrorOptions } from "../core/errors.ts";

/** Why a message was not accepted. A closed set, for metrics. */
export type AuthRefusal =
  /** Its bytes are not what they should be. */
  | "malformed"
  /** Its key is not the one that the connection's handshake proved. */
  | "foreign-key"
  /** The signature does not belong to these bytes. */
  | "bad-signature"
  /** It was made too long ago, or in the future. */
  | "outside-window"
  /** It was seen before. */
  | "replayed"
  /** Its sender sent more than can be remembered. */
  | "window-full"
  /** Its sender has no stake in the subnet. */
  | "not-staked"
  /** Its sender's node is of a lower class than the method asks for. */
  | "low-class"
  /** The chain cannot be asked about its sender. */
  | "stake-unknown";

/** The error for a message that was not accepted. */
export class AuthError extends MeshError {
  /** Why. */
  readonly refusal: AuthRefusal;

  /** Says why the message was not accepted. */
  constructor(
    refusal: AuthRefusal,
    message: string,
    options?: MeshErrorOptions,
  ) {
    super("UNAUTHORIZED", message, options);
    this.name = "AuthError";
    this.refusal = refusal;
  }
}

/** The refusal of a request whose time is so many seconds ahead of ours. */
export function outsideWindow(seconds: number): AuthError {
  return new AuthError(
    "outside-window",
    `The request's time is ${seconds.toFixed(3)} s ahead of ours.`,
    { hint: "Check that the clocks of both machines are right." },
  );
}

/**
 * Reads how many seconds a peer's clock is ahead of ours from its text of
 * {@linkcode outsideWindow}; `undefined` for any other text.
 */
export function clockOffsetOf(text: string): number | undefined {
  const [, seconds] =
    /request's time is (-?\d{1,15}\.\d{3}) s ahead/.exec(text) ?? [];
  return seconds === undefined ? undefined : -Number(seconds);
}

/** What a request's signature covers besides the time and the nonce. */
export interface RequestFacts {
  /** The method called. */
  readonly method: string;
  /** The other end's peer id: the recipient when signing, the caller when checking. */
  readonly peer: string;
  /** The exact bytes sent. */
  readonly body: Uint8Array;
  /** Least class that the method asks of its caller; not signed, the server's own rule. */
  readonly minClass?: NodeClass | undefined;
}

/** What a response's signature covers. */
export interface ResponseFacts {
  /** The authentication bytes of the request that is answered. */
  readonly request: Uint8Array;
  /** The other end's peer id: the caller when signing, the responder when checking. */
  readonly peer: string;
  /** What the message is: result, item, end or error, as its frame says. */
  readonly kind: number;
  /** Its place among the answers to the request, from 0. */
  readonly sequence: number;
  /** The exact bytes sent. */
  readonly body: Uint8Array;
}

/** Signs what is sent and checks what is received. */
export interface Authorizer {
  /** The authentication bytes of a request. */
  signRequest(facts: RequestFacts): Bytes;
  /** Accepts a request once. @throws {AuthError} */
  checkRequest(
    facts: RequestFacts,
    auth: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void>;
  /** The authentication bytes of a response. */
  signResponse(facts: ResponseFacts): Bytes;
  /** Accepts a response. @throws {AuthError} */
  checkResponse(
    facts: ResponseFacts,
    auth: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void>;
}
