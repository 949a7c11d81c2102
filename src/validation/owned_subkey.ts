import { type Bytes, concat, equal } from "../core/bytes.ts";
import { fromOpenSsh, type Identity, peerIdText } from "../identity/mod.ts";
import { decode } from "../records/serializer.ts";
import { ownerMarker, ownersOf } from "./signature.ts";

const utf8 = new TextEncoder();
const latin1 = new TextDecoder("latin1");

/** Owners of subkeys seen of late: the same few are read again and again. */
const known = new Map<string, string>();
const MAX_KNOWN = 1_024;

/** The one subkey that is a peer's own under a key: its peer id's text and its owner marker. */
export function ownedSubkey(
  identity: Pick<Identity, "peerId" | "openSsh">,
): Bytes {
  return concat(utf8.encode(identity.peerId), ownerMarker(identity.openSsh));
}

/**
 * Whose subkey it is: the peer id of the owner's key, if that is the one the
 * subkey begins with, and nothing else is in it.
 */
export function subkeyOwner(subkey: Uint8Array): string | undefined {
  const text = latin1.decode(subkey);
  const before = known.get(text);
  if (before !== undefined) return before;
  const owner = readOwner(subkey);
  if (owner !== undefined) {
    const [oldest] = known.size >= MAX_KNOWN ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
    known.set(text, owner);
  }
  return owner;
}

function readOwner(subkey: Uint8Array): string | undefined {
  try {
    const [owner, ...others] = ownersOf({ key: new Uint8Array(), subkey });
    if (owner === undefined || others.length > 0) return undefined;
    const peerId = peerIdText(fromOpenSsh(owner));
    return equal(ownedSubkey({ peerId, openSsh: owner }), subkey)
      ? peerId
      : undefined;
  } catch {
    return undefined;
  }
}

/** The peer that a record belongs to by its serialized subkey, if it is one's own. */
export function recordOwner(serialized: Uint8Array): string | undefined {
  try {
    const subkey = decode(serialized);
    return subkey instanceof Uint8Array ? subkeyOwner(subkey) : undefined;
  } catch {
    return undefined;
  }
}
