import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { FoundEntry, GetOptions, RecordStore } from "../dht/types.ts";
import type { Directory, LiveNode } from "../heartbeat/directory.ts";
import { heartbeatSubkeyOf } from "../heartbeat/heartbeat_record.ts";
import {
  commitKey,
  type Reveal,
  revealKey,
} from "../validation/commit_reveal.ts";
import type { Moment } from "./moment.ts";
import { fromJson, toJson } from "./recording.ts";
import { readCommits, readReveals } from "./node_work.ts";
import { wasOnline } from "./scorer.ts";

/** Most bytes of unpacked heartbeats. */
const MAX_EVIDENCE = 32 * 1024 * 1024;

/** The records that an epoch is scored by. */
export interface Evidence extends Moment {
  /** The subnet epoch that is scored. */
  readonly epoch: number;
  /** Heartbeats by peer id. */
  readonly live: ReadonlyMap<string, LiveNode>;
  /** Commitments of the epoch before, by peer id. */
  readonly commits: ReadonlyMap<string, Uint8Array>;
  /** Reveals of the epoch before, by peer id. */
  readonly reveals: ReadonlyMap<string, Reveal>;
  /** Whether so many replicas were heard that nothing that was stored is missing. */
  readonly isWhole: boolean;
}

/** What ends reads of evidence. */
export interface EvidenceLimits {
  /** Ends them without a result. */
  readonly signal: AbortSignal;
  /** Makes what was found so far the result. */
  readonly enough: AbortSignal;
  /** How long those who are slow, and not silent, are waited for, ms. */
  readonly patience: number;
}

/** Reads evidence from the mesh. */
export class EvidenceReader {
  readonly #directory: Pick<Directory, "read">;
  readonly #records: RecordStore | undefined;

  /** Without records, no work is read. */
  constructor(
    directory: Pick<Directory, "read">,
    records: RecordStore | undefined,
  ) {
    this.#directory = directory;
    this.#records = records;
  }

  /** Reads everything, or what a part of it that is known leaves open. */
  async gather(
    epoch: number,
    { cutOff, heardUntil }: Moment,
    known: Pick<Evidence, "live" | "isWhole"> | undefined,
    limits: EvidenceLimits,
  ): Promise<Evidence> {
    const { options, heard } = listening(limits);
    const [live, commits, reveals] = await Promise.all([
      known?.live ?? this.#directory.read(options).then(byPeer),
      this.#entries(commitKey(epoch - 1), options),
      this.#entries(revealKey(epoch - 1), options),
    ]);
    return {
      ...{ epoch, cutOff, heardUntil, live },
      commits: readCommits(commits),
      reveals: readReveals(reveals),
      isWhole: heard.isWhole && (known?.isWhole ?? true),
    };
  }

  /** Reads anew what belongs to some peers, or to all. */
  async again(
    evidence: Evidence,
    peers: readonly string[] | undefined,
    limits: EvidenceLimits,
  ): Promise<Evidence> {
    const { epoch, cutOff, heardUntil } = evidence;
    const { options, heard } = listening(limits);
    const subkeys = peers?.map(heartbeatSubkeyOf);
    const some = subkeys?.every((subkey) => subkey !== undefined)
      ? { ...options, subkeys }
      : options;
    const [nodes, commits, reveals] = await Promise.all([
      this.#directory.read({
        ...options,
        ...(peers === undefined ? {} : { peers }),
      }),
      this.#entries(commitKey(epoch - 1), some),
      this.#entries(revealKey(epoch - 1), some),
    ]);
    const live = new Map(evidence.live);
    for (const [peerId, node] of byPeer(nodes)) {
      // The later word tells of the earlier time, too, but unsays nothing.
      const before = live.get(peerId);
      const wasThere = before !== undefined &&
        wasOnline(before, cutOff, heardUntil);
      if (wasThere && !wasOnline(node, cutOff, heardUntil)) continue;
      if (node.expiration >= (before?.expiration ?? 0)) live.set(peerId, node);
    }
    return {
      ...{ epoch, cutOff, heardUntil, live },
      commits: new Map([...evidence.commits, ...readCommits(commits)]),
      reveals: new Map([...evidence.reveals, ...readReveals(reveals)]),
      // What is read of some peers says nothing about the others.
      isWhole: evidence.isWhole || peers === undefined && heard.isWhole,
    };
  }

  async #entries(
    key: string,
    options: GetOptions,
  ): Promise<readonly FoundEntry[]> {
    const found = await this.#records?.get(key, { ...options, latest: true });
    return found?.kind === "dictionary" ? found.entries : [];
  }
}

/** Options of reads that belong together, and whether each of them was whole. */
function listening(limits: EvidenceLimits) {
  const heard = { isWhole: true };
  const onHeard = (isWhole: boolean) => {
    heard.isWhole &&= isWhole;
  };
  return { options: { ...limits, onHeard }, heard };
}

/** The heartbeats of evidence as a text, so that a restarted node knows them; packed, as it is written often. */
export function evidenceText(evidence: Evidence): string {
  return deflateRawSync(toJson(evidenceParts(evidence)), { level: 1 })
    .toString("base64");
}

/** The heartbeats of a text, if they are those of an epoch. */
export function parseEvidence(
  text: string | undefined,
  epoch: number,
): Pick<Evidence, keyof Moment | "live" | "isWhole"> | undefined {
  if (text === undefined) return undefined;
  // Our own words, but a disk may have spoilt them: then they are read anew.
  let kept: Partial<ReturnType<typeof evidenceParts>> | null;
  try {
    const bytes = inflateRawSync(Buffer.from(text, "base64"), {
      maxOutputLength: MAX_EVIDENCE,
    });
    kept = fromJson(bytes.toString()) as typeof kept;
  } catch {
    return undefined;
  }
  const { cutOff, heardUntil, live, isWhole } = kept ?? {};
  return kept?.epoch === epoch && typeof cutOff === "number" &&
      typeof heardUntil === "number" &&
      Array.isArray(live) && live.every(isComplete)
    ? { cutOff, heardUntil, live: byPeer(live), isWhole: isWhole === true }
    : undefined;
}

function evidenceParts(evidence: Evidence) {
  const { epoch, cutOff, heardUntil, live, isWhole } = evidence;
  return { epoch, cutOff, heardUntil, isWhole, live: [...live.values()] };
}

function isComplete(node: Partial<LiveNode> | null): boolean {
  return typeof node?.peerId === "string" &&
    typeof node.expiration === "number" &&
    typeof node.info === "object" && node.info !== null;
}

/** Round-trip times are left out: no two reads agree on them. */
function byPeer(nodes: readonly LiveNode[]): Map<string, LiveNode> {
  return new Map(nodes.map(({ peerId, info, expiration }) => {
    const { nextPings: _, ...kept } = info;
    return [peerId, { peerId, info: kept, expiration }];
  }));
}
