import {
  Directory,
  generateIdentity,
  type LiveNode,
  ONE,
  type SubnetNodeInfo,
} from "../../mod.ts";
import type { GetOptions, RecordStore } from "../../src/dht/types.ts";
import {
  type Evidence,
  EvidenceReader,
  evidenceText,
  parseEvidence,
} from "../../src/consensus/evidence.ts";
import { withReasons } from "../../src/consensus/likely_reason.ts";
import { WorkJudge } from "../../src/consensus/node_work.ts";
import { heartbeatSubkey } from "../../src/heartbeat/heartbeat_record.ts";
import { serverInfoValue } from "../../src/heartbeat/server_info.ts";
import { decode, encode } from "../../src/records/serializer.ts";
import type { MeshValue } from "../../src/records/values.ts";
import {
  commitKey,
  commitment,
  revealKey,
  revealValue,
} from "../../src/validation/commit_reveal.ts";
import { assert, assertEquals } from "../assert.ts";

const EPOCH = 8;
const CUT_OFF = 1_000;
const MOMENT = { cutOff: CUT_OFF, heardUntil: CUT_OFF };
const people = Array.from({ length: 4 }, () => generateIdentity());
const [ann, bob, cat, dan] = people.map(({ peerId }) => peerId) as [
  string,
  string,
  string,
  string,
];
const limits = {
  signal: new AbortController().signal,
  enough: new AbortController().signal,
  patience: 0,
};
const reveal = { salt: new Uint8Array(32).fill(3), data: Uint8Array.of(1) };

/** Records by key and owner, which count how often they were asked for. */
class Records implements RecordStore {
  readonly asked: string[] = [];
  readonly #kept = new Map<string, Map<string, [MeshValue, number]>>();
  isWhole = true;

  put(key: string, owner: string, value: MeshValue, expiration = 2_000): this {
    const kept = this.#kept.get(key) ?? new Map();
    this.#kept.set(key, kept.set(owner, [decode(encode(value)), expiration]));
    return this;
  }

  beat(owner: string, onlineSince: number, expiration = 2_000): this {
    const info = { state: "online", role: "v", throughput: 1 } as const;
    const nextPings = new Map([[ann, 0.1]]);
    const value = serverInfoValue({ ...info, onlineSince, nextPings });
    return this.put("node", owner, value, expiration);
  }

  store(): ReturnType<RecordStore["store"]> {
    throw new Error("Evidence stores nothing.");
  }

  get(
    key: MeshValue,
    options: GetOptions = {},
  ): ReturnType<RecordStore["get"]> {
    this.asked.push(
      `${key}${
        options.subkeys === undefined ? "" : ` ${options.subkeys.length}`
      }`,
    );
    options.onHeard?.(this.isWhole);
    const wanted = options.subkeys?.map((each) => (each as Uint8Array).toHex());
    const entries = people.flatMap((identity) => {
      const found = this.#kept.get(String(key))?.get(identity.peerId);
      const subkey = heartbeatSubkey(identity);
      if (found === undefined) return [];
      if (wanted !== undefined && !wanted.includes(subkey.toHex())) return [];
      const [value, expiration] = found;
      return [{ subkey, subkeyBytes: encode(subkey), value, expiration }];
    });
    return Promise.resolve(
      entries.length === 0 ? undefined : { kind: "dictionary", entries },
    );
  }
}

const readerOf = (records: Records) =>
  new EvidenceReader(new Directory(records), records);

const commit = (owner: string, epoch = EPOCH - 1) =>
  commitment(epoch, owner, reveal);

Deno.test("evidence is heartbeats, and the work of the epoch before", async () => {
  const records = new Records().beat(ann, 500).beat(bob, 600)
    .put(commitKey(EPOCH - 1), ann, commit(ann))
    .put(revealKey(EPOCH - 1), ann, revealValue(reveal))
    .put(commitKey(EPOCH), bob, commit(bob, EPOCH))
    .put(commitKey(EPOCH - 1), cat, "no commit")
    .put(revealKey(EPOCH - 1), dan, 7);
  const evidence = await readerOf(records).gather(
    ...[EPOCH, MOMENT, undefined, limits] as const,
  );
  assertEquals([...evidence.live.keys()].sort(), [ann, bob].sort());
  assertEquals([...evidence.commits.keys()], [ann]);
  assertEquals([...evidence.reveals.keys()], [ann]);
  assertEquals([evidence.epoch, evidence.cutOff], [EPOCH, CUT_OFF]);
  assert(evidence.isWhole);
  // No two reads agree on round-trip times.
  assert(!("nextPings" in (evidence.live.get(ann)?.info ?? {})));
});

Deno.test("without records there is no work, and a read that too few answered says so", async () => {
  const records = new Records().beat(ann, 500);
  records.isWhole = false;
  const reader = new EvidenceReader(new Directory(records), undefined);
  const evidence = await reader.gather(EPOCH, MOMENT, undefined, limits);
  assertEquals(records.asked, ["node"]);
  assertEquals([evidence.commits.size, evidence.reveals.size], [0, 0]);
  assertEquals(evidence.isWhole, false);
});

Deno.test("who is named is read anew, and the later heartbeat counts", async () => {
  const records = new Records().beat(ann, 500, 2_000).beat(bob, 600, 2_000);
  const reader = readerOf(records);
  const first = await reader.gather(EPOCH, MOMENT, undefined, limits);
  records.beat(ann, 700, 3_000).beat(bob, 900, 1_500).beat(cat, 800)
    .put(commitKey(EPOCH - 1), cat, commit(cat));
  records.asked.length = 0;
  const again = await reader.again(first, [ann, bob], limits);
  assertEquals(records.asked.map((each) => each.split(" ")[1]), [
    "2",
    "2",
    "2",
  ]);
  assertEquals(again.live.get(ann)?.info.onlineSince, 700);
  assertEquals(again.live.get(bob)?.info.onlineSince, 600);
  assertEquals(again.live.has(cat), false);
  const all = await reader.again(again, undefined, limits);
  assertEquals(all.live.get(cat)?.info.onlineSince, 800);
  assertEquals([...all.commits.keys()], [cat]);
});

Deno.test("kept evidence is given back for its own epoch, and nonsense is read anew", async () => {
  const records = new Records().beat(ann, 500).beat(bob, 600);
  const evidence = await readerOf(records).gather(
    ...[EPOCH, MOMENT, undefined, limits] as const,
  );
  const text = evidenceText(evidence);
  const kept = parseEvidence(text, EPOCH);
  assertEquals([kept?.cutOff, kept?.heardUntil], [CUT_OFF, CUT_OFF]);
  assertEquals(
    JSON.stringify([...kept?.live ?? []]),
    JSON.stringify([...evidence.live]),
  );
  assertEquals(kept?.isWhole, true);
  assertEquals(parseEvidence(text, EPOCH + 1), undefined);
  for (
    const spoilt of [undefined, "", "{", "null", "bm9uc2Vuc2U=", text.slice(9)]
  ) {
    assertEquals(parseEvidence(spoilt, EPOCH), undefined);
  }
});

Deno.test("work is valid, withheld, uncommitted or mismatched, and judged again when its records change", () => {
  const judge = new WorkJudge();
  const standings = (
    commits: readonly [string, Uint8Array][],
    reveals: readonly string[],
    given = reveal,
  ) =>
    Object.fromEntries(
      judge.judge(
        EPOCH,
        new Map(commits),
        new Map(reveals.map((peerId) => [peerId, given])),
      ).map(({ peerId, standing }) => [peerId, standing]),
    );
  const own = (peerId: string) => commitment(EPOCH, peerId, reveal);
  const first = standings(
    [[ann, own(ann)], [bob, own(bob)], [cat, own(ann)]],
    [ann, cat, dan],
  );
  assertEquals(first, {
    [ann]: "valid",
    [bob]: "withheld",
    // Copied, it does not open as one's own.
    [cat]: "mismatched",
    [dan]: "uncommitted",
  });
  const second = standings(
    [[ann, own(ann)], [bob, own(bob)], [dan, own(dan)]],
    [ann, bob, dan],
  );
  assertEquals(second, { [ann]: "valid", [bob]: "valid", [dan]: "valid" });
  const other = { ...reveal, data: Uint8Array.of(2) };
  assertEquals(standings([[ann, own(ann)]], [ann], other), {
    [ann]: "mismatched",
  });
  const earlier = judge.judge(
    EPOCH + 1,
    new Map([[ann, own(ann)]]),
    new Map([[ann, reveal]]),
  );
  assertEquals(earlier.map(({ standing }) => standing), ["mismatched"]);
});

Deno.test("each difference is given the reason that the evidence shows", () => {
  const live = (
    peerId: string,
    more: Partial<LiveNode["info"]>,
    until = 2_000,
  ) =>
    [peerId, {
      peerId,
      info: { state: "online", role: "v", throughput: 1, ...more },
      expiration: until,
    }] as const;
  const evidence: Pick<Evidence, "live" | keyof typeof MOMENT> = {
    ...MOMENT,
    live: new Map<string, LiveNode>([
      live(ann, { onlineSince: 990 }),
      live(bob, { onlineSince: 1_002.5 }),
      live(cat, { state: "offline", onlineSince: 1, offlineSince: 940 }),
    ]),
  };
  const nodes = people.map(({ peerId }, i) => ({
    id: i + 1,
    peer: { peerId, multiaddr: undefined },
  })) as unknown as SubnetNodeInfo[];
  const differ = (nodeId: number, more = {}) => ({ nodeId, ...more });
  const reasons = (work: Parameters<typeof withReasons>[1]["work"]) =>
    withReasons(
      [
        differ(1, { own: ONE }),
        differ(2, { proposed: ONE }),
        differ(3, { proposed: ONE }),
        differ(4, { proposed: ONE }),
        differ(9, { proposed: ONE }),
      ],
      { evidence, nodes, work },
    ).map(({ reason }) => reason);
  assertEquals(reasons([]), [
    "its heartbeat is seen here, online since 10.0 s before the cut-off, the " +
    "proposer did not find it, or not in time",
    "it came online 2.5 s after the cut-off",
    "it left 60.0 s before the cut-off",
    "its heartbeat is not found here",
    "it is not on the chain here",
  ]);
  const [, , left, absent] = reasons([{ peerId: cat, standing: "withheld" }]);
  assertEquals(left, "it left 60.0 s before the cut-off, its work is withheld");
  assertEquals(
    absent,
    "its heartbeat is not found here, its work is not found here",
  );
});
