import type { Bytes } from "../core/bytes.ts";
import { RpcError } from "./errors.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Longest pause that a peer can make us take, ms. */
const LONGEST_PAUSE = 300_000;

/**
 * The body of a refusal that is not worth a signature: it says nothing that
 * the peer could not also say by not answering.
 */
export function busyBody(retryAfter: number): Bytes {
  const pause = Math.min(LONGEST_PAUSE, Math.ceil(retryAfter));
  return utf8.encode(`RPC_BUSY retry in ${pause} ms`);
}

/** Reads {@linkcode busyBody}; `undefined` for anything else. */
export function busyError(body: Uint8Array): RpcError | undefined {
  if (body.length > 64) return undefined;
  const [, pause] =
    /^RPC_BUSY retry in (\d{1,9}) ms$/.exec(text.decode(body)) ?? [];
  if (pause === undefined) return undefined;
  return new RpcError(
    "RPC_BUSY",
    `The peer has too much to do; it may be asked again in ${pause} ms.`,
    { retryAfter: Math.min(LONGEST_PAUSE, Number(pause)) },
  );
}
