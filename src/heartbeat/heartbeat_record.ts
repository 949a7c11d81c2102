import { type Bytes, equal } from "../core/bytes.ts";
import { publicKeyOfPeerId, toOpenSsh } from "../identity/mod.ts";
import { dhtId } from "../records/dht_id.ts";
import type { KeyRule } from "../validation/key_rule.ts";
import {
  ownedSubkey,
  recordOwner,
  subkeyOwner,
} from "../validation/owned_subkey.ts";
import type { RecordPredicate } from "../validation/predicate.ts";

/** The key of heartbeats, as the documentation orders it. */
export const HEARTBEAT_KEY = "node";

/** Longest value of a heartbeat with its signature, bytes. */
const MAX_VALUE = 32 * 1024;

/** The subkey of a peer's heartbeat: its peer id's text and its owner marker. */
export const heartbeatSubkey: typeof ownedSubkey = ownedSubkey;

/** Whose heartbeat a subkey is. */
export const heartbeatOwner: typeof subkeyOwner = subkeyOwner;

/** Subkeys by peer id, since making one parses a key; twice as many as a subnet has nodes. */
const subkeys = new Map<string, Bytes>();
const MAX_SUBKEYS = 512;

/** The subkey of a peer of which only its id is known; Ed25519 ids tell enough. */
export function heartbeatSubkeyOf(peerId: string): Bytes | undefined {
  const known = subkeys.get(peerId);
  if (known !== undefined) return known;
  const key = publicKeyOfPeerId(peerId);
  if (key === undefined) return undefined;
  const subkey = heartbeatSubkey({ peerId, openSsh: toOpenSsh(key) });
  const [oldest] = subkeys.size < MAX_SUBKEYS ? [] : subkeys.keys();
  if (oldest !== undefined) subkeys.delete(oldest);
  subkeys.set(peerId, subkey);
  return subkey;
}

/**
 * Keeps everything but owned, small heartbeats away from the heartbeat key: a
 * plain record there would hide them all.
 */
export function heartbeatRule(key: string = HEARTBEAT_KEY): RecordPredicate {
  const place = dhtId(key);
  return (record) => {
    if (!equal(record.key, place)) return true;
    return recordOwner(record.subkey) !== undefined &&
      record.value.length <= MAX_VALUE;
  };
}

/** The rule for heartbeats in a subnet with a chain: any time, a hundred in an epoch, for little more than one. */
export function heartbeatKeyRule(key: string = HEARTBEAT_KEY): KeyRule {
  return {
    name: "heartbeat",
    key,
    quota: 100,
    lifetime: 1.1,
    maxBytes: MAX_VALUE,
  };
}
