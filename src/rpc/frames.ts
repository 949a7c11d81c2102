import type { Bytes } from "../core/bytes.ts";
import { RpcError } from "./errors.ts";

/** What a frame is; its number on the wire. */
export const FRAME = {
  /** Asks for one answer. */
  request: 1,
  /** Asks for a stream of items. */
  open: 2,
  /** The one answer. */
  result: 3,
  /** One item of a stream. */
  item: 4,
  /** The end of a stream. */
  end: 5,
  /** The call failed. */
  error: 6,
  /** The caller gives up. */
  cancel: 7,
  /** The caller can take more items. */
  credit: 8,
} as const;

/** A frame type's number. */
export type FrameType = typeof FRAME[keyof typeof FRAME];

/** Bounds of a frame. */
export const FRAME_LIMITS = {
  /** Longest body, bytes: the longest serialized value and what wraps it. */
  body: 4 * 1024 * 1024 + 64 * 1024,
  /** Longest method name, bytes. */
  method: 128,
  /** Longest authentication, bytes; an RSA key of 8192 bits needs 2.1 kB. */
  auth: 4 * 1024,
} as const;

/** Type, call number, method length, authentication length. */
const HEAD = 1 + 4 + 2 + 2;
const LONGEST = HEAD + FRAME_LIMITS.method + FRAME_LIMITS.auth +
  FRAME_LIMITS.body;
const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

/** A frame: a part of one call. */
export interface Frame {
  /** What it is. */
  readonly type: FrameType;
  /** The call's number on this stream, chosen by the caller. */
  readonly call: number;
  /** The method of a request; empty otherwise. */
  readonly method: string;
  /** The authorizer's bytes; empty where nothing is signed. */
  readonly auth: Uint8Array;
  /** The body. */
  readonly body: Uint8Array;
}

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });
const EMPTY = new Uint8Array();

/** The bytes of a frame. @throws {RpcError} `RPC_TOO_LARGE` */
export function encodeFrame(
  type: FrameType,
  call: number,
  parts: {
    readonly method?: string;
    readonly auth?: Uint8Array;
    readonly body?: Uint8Array;
  } = {},
): Bytes {
  const method = parts.method ? utf8.encode(parts.method) : EMPTY;
  const { auth = EMPTY, body = EMPTY } = parts;
  if (body.length > FRAME_LIMITS.body || method.length > FRAME_LIMITS.method) {
    throw new RpcError(
      "RPC_TOO_LARGE",
      `A message of ${body.length} bytes is longer than the ` +
        `${FRAME_LIMITS.body} allowed.`,
      { hint: "Split it, or use a streaming method." },
    );
  }
  const length = HEAD + method.length + auth.length + body.length;
  const bytes = new Uint8Array(4 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  view.setUint8(4, type);
  view.setUint32(5, call);
  view.setUint16(9, method.length);
  view.setUint16(11, auth.length);
  bytes.set(method, 4 + HEAD);
  bytes.set(auth, 4 + HEAD + method.length);
  bytes.set(body, 4 + HEAD + method.length + auth.length);
  return bytes;
}

function violation(message: string): RpcError {
  return new RpcError("RPC_PROTOCOL", message);
}

function decodeFrame(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = view.getUint8(0);
  const methodLength = view.getUint16(5);
  const authLength = view.getUint16(7);
  if (!TYPES.has(type)) throw violation(`Frame type ${type} is unknown.`);
  const bodyAt = HEAD + methodLength + authLength;
  if (
    methodLength > FRAME_LIMITS.method || authLength > FRAME_LIMITS.auth ||
    bodyAt > bytes.length || bytes.length - bodyAt > FRAME_LIMITS.body
  ) throw violation("A frame's parts do not fit into it.");
  return {
    type: type as FrameType,
    call: view.getUint32(1),
    method: methodLength === 0
      ? ""
      : asText(bytes.subarray(HEAD, HEAD + methodLength)),
    auth: bytes.subarray(HEAD + methodLength, bodyAt),
    body: bytes.subarray(bodyAt),
  };
}

function asText(bytes: Uint8Array): string {
  try {
    return text.decode(bytes);
  } catch (cause) {
    throw new RpcError("RPC_PROTOCOL", "A method is not text.", { cause });
  }
}

/** Room taken for a frame at first; more only as its bytes arrive. */
const FIRST_ROOM = 16 * 1024;

/**
 * Cuts bytes into frames, whatever portions they come in. A length beyond the
 * limit is refused before anything is kept for it, and a long frame takes room
 * only as its bytes arrive.
 */
export class FrameCutter {
  readonly #head = new Uint8Array(4);
  #room: Uint8Array = this.#head;
  #have = 0;
  #need = this.#head.length;

  /**
   * The frames that are whole with the next portion.
   *
   * @throws {RpcError} `RPC_PROTOCOL` for bytes that are no frames.
   */
  *cut(chunk: Uint8Array): Generator<Frame, void, undefined> {
    for (let at = 0; at < chunk.length;) {
      const until = Math.min(chunk.length, at + this.#need - this.#have);
      const have = this.#have + until - at;
      if (have > this.#room.length) {
        this.#room = grown(
          this.#room,
          this.#have,
          Math.min(this.#need, 2 * have),
        );
      }
      this.#room.set(chunk.subarray(at, until), this.#have);
      this.#have = have;
      at = until;
      if (have < this.#need) continue;
      this.#have = 0;
      if (this.#room === this.#head) {
        this.#begin();
        continue;
      }
      const { length } = this.#room;
      const frame = this.#room.subarray(0, Math.min(length, this.#need));
      this.#room = this.#head;
      this.#need = this.#head.length;
      // The room is the frame's own: nothing else keeps it in memory.
      yield decodeFrame(frame);
    }
  }

  /** Says that no more comes. @throws {RpcError} `RPC_PROTOCOL` inside a frame. */
  end(): void {
    if (this.#have > 0 || this.#room !== this.#head) {
      throw violation("The stream ends inside a frame.");
    }
  }

  #begin(): void {
    const need = new DataView(this.#head.buffer).getUint32(0);
    if (need < HEAD || need > LONGEST) {
      throw violation(`A frame of ${need} bytes is not allowed.`);
    }
    this.#need = need;
    this.#room = new Uint8Array(Math.min(need, FIRST_ROOM));
  }
}

function grown(
  room: Uint8Array,
  have: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(room.subarray(0, have));
  return larger;
}
