import { readCommits, readReveals } from "../../consensus/node_work.ts";
import type { Phase } from "../../consensus/phases.ts";
import { deadline } from "../../core/deadline.ts";
import type { FoundEntry, RecordStore } from "../../dht/types.ts";
import { Directory } from "../../heartbeat/directory.ts";
import { commitKey, revealKey } from "../../validation/commit_reveal.ts";

/** What is seen in the mesh of an epoch. */
export interface MeshSight {
  /** The subnet epoch. */
  readonly epoch: number;
  /** Names, or nothing, of nodes whose heartbeat says online, by peer id. */
  readonly online: ReadonlyMap<string, string | undefined>;
  /** Peers whose commit is there. */
  readonly commits: ReadonlySet<string>;
  /** Peers whose reveal is there. */
  readonly reveals: ReadonlySet<string>;
}

/** How long one look may take, ms. */
const LOOK_TIMEOUT = 4_000;

/** Looks what an epoch's records are. What was seen once stays seen. */
export async function lookAtMesh(
  records: RecordStore,
  epoch: number,
  phase: Phase,
  before: MeshSight | undefined,
  parent: AbortSignal,
): Promise<MeshSight> {
  using limit = deadline(LOOK_TIMEOUT, parent);
  const { signal } = limit;
  const known = before?.epoch === epoch ? before : undefined;
  const entries = async (key: string): Promise<readonly FoundEntry[]> => {
    const found = await records.get(key, { latest: true, signal });
    return found?.kind === "dictionary" ? found.entries : [];
  };
  // Nobody may store them before.
  const revealing = phase === "reveal" || phase === "score";
  const [live, commits, reveals] = await Promise.all([
    new Directory(records).read({ signal }),
    phase === "vote" ? [] : entries(commitKey(epoch)),
    revealing ? entries(revealKey(epoch)) : [],
  ]);
  return {
    epoch,
    online: new Map(
      live.filter(({ info }) => info.state === "online")
        .map(({ peerId, info }) => [peerId, info.publicName]),
    ),
    commits: new Set([
      ...known?.commits ?? [],
      ...readCommits(commits).keys(),
    ]),
    reveals: new Set([
      ...known?.reveals ?? [],
      ...readReveals(reveals).keys(),
    ]),
  };
}
