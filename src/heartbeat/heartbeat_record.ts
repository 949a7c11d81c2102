import { type Bytes, concat } from "../core/bytes.ts";
import { fromOpenSsh, type Identity, peerIdText } from "../identity/mod.ts";
import { dhtId } from "../records/dht_id.ts";
import { decode } from "../records/serializer.ts";
import { equal } from "../core/bytes.ts";
import { ownerMarker, ownersOf } from "../validation/signature.ts";
import type { RecordPredicate } from "../validation/predicate.ts";

/** The key of heartbeats, as the documentation orders it. */
export const HEARTBEAT_KEY = "node";

/** Longest value of a heartbeat with its signature, bytes. */
const MAX_VALUE = 32 * 1024;

/** The subkey of a peer's heartbeat: its peer id's text and its owner marker. */
export function heartbeatSubkey(identity: Identity): Bytes {
  return concat(
    new TextEncoder().encode(identity.peerId),
    ownerMarker(identity.openSsh),
  );
}

/**
 * Whose heartbeat a subkey is: the peer id of the owner's key, if that is the
 * one the subkey begins with, and nothing else is in it.
 */
export function heartbeatOwner(subkey: Uint8Array): string | undefined {
  try {
    const [owner, ...others] = ownersOf({ key: new Uint8Array(), subkey });
    if (owner === undefined || others.length > 0) return undefined;
    const peerId = peerIdText(fromOpenSsh(owner));
    const whole = concat(
      new TextEncoder().encode(peerId),
      ownerMarker(owner),
    );
    return equal(whole, subkey) ? peerId : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps everything but owned, small heartbeats away from the heartbeat key: a
 * plain record there would hide them all.
 */
export function heartbeatRule(key: string = HEARTBEAT_KEY): RecordPredicate {
  const place = dhtId(key);
  return (record) => {
    if (!equal(record.key, place)) return true;
    const subkey = decode(record.subkey);
    return subkey instanceof Uint8Array &&
      heartbeatOwner(subkey) !== undefined &&
      record.value.length <= MAX_VALUE;
  };
}
