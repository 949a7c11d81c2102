import { createHash } from "node:crypto";
import { type Bytes, concat, equal, toHex } from "../core/bytes.ts";
import { type Clock, dhtTime } from "../core/clock.ts";
import {
  type Identity,
  marshalPublicKey,
  peerIdText,
  type PublicKey,
  unmarshalPublicKey,
  verifySignature,
} from "../identity/mod.ts";
import {
  AuthError,
  type Authorizer,
  outsideWindow,
  type RequestFacts,
  type ResponseFacts,
} from "./authorizer.ts";
import { type ReplayBounds, ReplayWindow } from "./replay_window.ts";

/** Options of {@linkcode SignatureAuthorizer}. */
export interface SignatureAuthorizerOptions {
  /** How old a request may be by our clock, seconds; 60 as in the Mesh Template. */
  readonly window?: number;
  /** How far a request's time may be ahead of our clock, seconds; 60 by default. */
  readonly skew?: number;
  /** What is remembered against replays. */
  readonly bounds?: Partial<ReplayBounds>;
}

const NONCE_BYTES = 16;
/** Time and nonce, at the front of a request's authentication. */
const FRESH_BYTES = 8 + NONCE_BYTES;
const MAX_KEYS = 1024;
const MAX_FIELDS = 2048;

const utf8 = new TextEncoder();

/** Texts with their length in front, so that neighbours cannot run into each other. */
class Fields {
  readonly #known = new Map<string, Bytes>();

  /** A field; methods and peers come again and again, so that it is kept. */
  of(text: string): Bytes {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_FIELDS) this.#known.clear();
    const bytes = utf8.encode(text);
    const field = concat(uint32s(bytes.length), bytes);
    this.#known.set(text, field);
    return field;
  }
}

/** Numbers of four bytes each. */
function uint32s(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(4 * values.length);
  let at = 0;
  for (const value of values) {
    bytes[at++] = value >>> 24;
    bytes[at++] = value >>> 16;
    bytes[at++] = value >>> 8;
    bytes[at++] = value;
  }
  return bytes;
}

/**
 * Signs every message with the peer's key, and accepts only what the peer at
 * the other end of the connection signed, for us, now and once.
 *
 * Layout and signed bytes are in `src/rpc/README.md`.
 */
export class SignatureAuthorizer implements Authorizer {
  readonly #identity: Identity;
  /** Our public key after its length. */
  readonly #key: Bytes;
  readonly #clock: Clock;
  readonly #window: number;
  readonly #skew: number;
  readonly #replays: ReplayWindow;
  readonly #fields = new Fields();
  readonly #keys = new Map<string, { marshalled: Bytes; key: PublicKey }>();

  /** Signs with the identity's key. */
  constructor(
    identity: Identity,
    clock: Clock,
    options: SignatureAuthorizerOptions = {},
  ) {
    this.#identity = identity;
    const key = marshalPublicKey(identity.publicKey);
    this.#key = concat(uint32s(key.length), key);
    this.#clock = clock;
    this.#window = options.window ?? 60;
    this.#skew = options.skew ?? 60;
    // A request that comes early stays fresh for both.
    this.#replays = new ReplayWindow(1_000 * (this.#window + this.#skew), {
      noncesPerPeer: 65_536,
      peers: 1024,
      ...options.bounds,
    });
  }

  /** Time, nonce, key and signature. */
  signRequest(facts: RequestFacts): Bytes {
    const fresh = new Uint8Array(FRESH_BYTES);
    new DataView(fresh.buffer).setFloat64(0, dhtTime(this.#clock));
    crypto.getRandomValues(fresh.subarray(8));
    const signed = this.#requestBytes(
      facts,
      this.#identity.peerId,
      facts.peer,
      fresh,
    );
    return concat(fresh, this.#seal(signed));
  }

  /** Checks key, signature, time and nonce, in this order. */
  checkRequest(facts: RequestFacts, auth: Uint8Array): Promise<void> {
    return settle(() => {
      const fresh = auth.subarray(0, FRESH_BYTES);
      const signed = this.#requestBytes(
        facts,
        facts.peer,
        this.#identity.peerId,
        fresh,
      );
      this.#open(facts.peer, auth.subarray(FRESH_BYTES), signed);
      const time = new DataView(fresh.buffer, fresh.byteOffset).getFloat64(0);
      const now = dhtTime(this.#clock);
      // Not `>`: a time that is no number is outside, too.
      if (!(now - time <= this.#window && time - now <= this.#skew)) {
        throw outsideWindow(time - now);
      }
      const nonce = toHex(fresh.subarray(8));
      const was = this.#replays.admit(facts.peer, nonce, this.#clock.now());
      if (was === "new") return;
      throw was === "seen"
        ? new AuthError("replayed", "The request was answered before.")
        : new AuthError("window-full", "Too many requests to remember.");
    });
  }

  /** Key and signature. */
  signResponse(facts: ResponseFacts): Bytes {
    return this.#seal(
      this.#responseBytes(facts, this.#identity.peerId, facts.peer),
    );
  }

  /** Checks key and signature; freshness comes from the request it answers. */
  checkResponse(facts: ResponseFacts, auth: Uint8Array): Promise<void> {
    return settle(() =>
      this.#open(
        facts.peer,
        auth,
        this.#responseBytes(facts, facts.peer, this.#identity.peerId),
      )
    );
  }

  #requestBytes(
    { method, body }: RequestFacts,
    caller: string,
    recipient: string,
    fresh: Uint8Array,
  ): Bytes {
    if (fresh.length !== FRESH_BYTES) {
      throw new AuthError("malformed", "The authentication is cut off.");
    }
    const fields = this.#fields;
    return concat(
      fields.of("meshnode request 1"),
      fields.of(method),
      fields.of(recipient),
      fields.of(caller),
      fresh,
      body,
    );
  }

  #responseBytes(
    { request, kind, sequence, body }: ResponseFacts,
    responder: string,
    caller: string,
  ): Bytes {
    const fields = this.#fields;
    return concat(
      fields.of("meshnode response 1"),
      createHash("sha256").update(request).digest(),
      fields.of(responder),
      fields.of(caller),
      uint32s(kind, sequence),
      body,
    );
  }

  #seal(signed: Uint8Array): Bytes {
    return concat(this.#key, this.#identity.sign(signed));
  }

  #open(peer: string, sealed: Uint8Array, signed: Uint8Array): void {
    if (sealed.length < 4) {
      throw new AuthError("malformed", "The authentication is cut off.");
    }
    const length = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0);
    const marshalled = sealed.subarray(4, 4 + length);
    const signature = sealed.subarray(4 + length);
    const key = this.#keyOf(peer, marshalled);
    if (!verifySignature(key, signed, signature)) {
      throw new AuthError(
        "bad-signature",
        "The signature does not belong to the message.",
      );
    }
  }

  #keyOf(peer: string, marshalled: Uint8Array): PublicKey {
    const known = this.#keys.get(peer);
    if (known !== undefined && equal(known.marshalled, marshalled)) {
      return known.key;
    }
    let key: PublicKey;
    try {
      key = unmarshalPublicKey(marshalled);
    } catch (cause) {
      throw new AuthError("malformed", "The public key cannot be read.", {
        cause,
      });
    }
    if (peerIdText(key) !== peer) {
      throw new AuthError(
        "foreign-key",
        `The key is not that of peer ${peer}, whose connection it is.`,
      );
    }
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
    this.#keys.set(peer, { marshalled: concat(marshalled), key });
    return key;
  }
}

/** Errors as rejections, whatever they come from. */
function settle(check: () => void): Promise<void> {
  try {
    check();
    return Promise.resolve();
  } catch (error) {
    return Promise.reject(error);
  }
}
