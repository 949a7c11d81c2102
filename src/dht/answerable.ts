import { fromOpenSsh, peerIdText } from "../identity/mod.ts";
import type { DhtRecord } from "../records/record.ts";
import { ownersOf } from "../validation/signature.ts";

const MAX_REMEMBERED = 4_096;

/** Finds who answers for the room that records take. */
export class Answerable {
  readonly #known = new Map<string, string | undefined>();

  /** The peer id of the one owner that a record's subkey names, if there is one. */
  of(record: Pick<DhtRecord, "key" | "subkey">): string | undefined {
    const [owner, ...others] = ownersOf(record);
    if (owner === undefined || others.length > 0) return undefined;
    if (this.#known.has(owner)) return this.#known.get(owner);
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    const peerId = read(owner);
    this.#known.set(owner, peerId);
    return peerId;
  }
}

function read(owner: string): string | undefined {
  try {
    return peerIdText(fromOpenSsh(owner));
  } catch {
    return undefined;
  }
}
