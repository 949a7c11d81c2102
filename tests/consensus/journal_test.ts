import { DatabaseSync } from "node:sqlite";
import {
  INITIAL_STATE,
  type Journal,
  JOURNAL_FILE,
  MemoryJournal,
  ONE,
  openJournal,
  parseRecording,
  replay,
  SqliteJournal,
  toJson,
} from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../assert.ts";
import { withFolder } from "../system/program.ts";
import { disputedEpoch, epochEvents } from "./epoch_events.ts";
import { live } from "./live.ts";
import { chance, WORKING } from "./observations.ts";

const never = new AbortController().signal;

const journals: [string, (folder: string) => Journal][] = [
  ["memory", () => new MemoryJournal()],
  ["file", (folder) => SqliteJournal.open(`${folder}/${JOURNAL_FILE}`)],
];

for (const [name, open] of journals) {
  Deno.test(`a journal in a ${name} gives back what it was given`, () =>
    withFolder((folder) => {
      const journal = open(folder);
      assertEquals(journal.state, undefined);
      const state = live(journal, epochEvents(0, 3));
      assertEquals(journal.state, state);
      assertEquals(
        journal.summaries(2).map(({ epoch, outcome, work }) => [
          epoch,
          outcome,
          work,
        ]),
        [[2, "proposed", "revealed"], [1, "proposed", "revealed"]],
      );
      for (const epoch of [0, 1, 2]) {
        const recording = journal.recording(epoch);
        assert(recording);
        assertEquals(parseRecording(toJson(recording)), recording);
        const steps = replay(recording);
        assertEquals(
          steps.flatMap(({ reports }) => reports)
            .filter(({ kind }) => kind === "outcome" || kind === "work")
            .map((report) => "outcome" in report && report.outcome),
          ["proposed", "revealed"],
        );
        assert(steps.some(({ actions }) => actions.includes("propose")));
      }
      assertEquals(journal.recording(9), undefined);
      const work = {
        epoch: 2,
        salt: new Uint8Array([1, 2]),
        result: new Uint8Array([3]),
        expiration: 5.5,
      };
      journal.keepWork(work);
      journal.keepWork({ ...work, epoch: 3 });
      assertEquals(journal.work(2), work);
      journal.keepWork({ ...work, epoch: 6 });
      journal.keepWork({ ...work, epoch: 7 });
      journal.keepWork({ ...work, epoch: 8 });
      assertEquals(journal.work(2), undefined, "old work is dropped");
      journal.keep("x", "1");
      journal.keep("x", "2");
      assertEquals(journal.kept("x"), "2");
      journal.close();
      return Promise.resolve();
    }));
}

Deno.test("a journal goes on where another process left it", () =>
  withFolder((folder) => {
    const path = `${folder}/${JOURNAL_FILE}`;
    const events = epochEvents(0, 2);
    for (const each of events) {
      // Every event in a life of its own.
      const journal = SqliteJournal.open(path);
      live(journal, [each]);
      journal.close();
    }
    const journal = SqliteJournal.open(path);
    assertEquals(journal.state, live(new MemoryJournal(), events));
    journal.close();
    return Promise.resolve();
  }));

Deno.test("the journal stays below a megabyte for 1,000 epochs of 256 nodes, whatever is decided", () =>
  withFolder(async (folder) => {
    const random = chance(7);
    const scores = () =>
      Array.from({ length: 256 }, (_, i) => ({
        nodeId: i + 1,
        score: BigInt(random(2 ** 32)) * ONE + BigInt(random(2 ** 32)),
      }));
    let largest = 0;
    const measure = async () => {
      let size = 0;
      for await (const { name } of Deno.readDir(folder)) {
        size += (await Deno.stat(`${folder}/${name}`)).size;
      }
      largest = Math.max(largest, size);
    };
    const journal = SqliteJournal.open(`${folder}/${JOURNAL_FILE}`);
    // Every epoch has a long reason, and the last ones all of their events.
    for (let epoch = 0; epoch < 1_000; epoch++) {
      journal.record({
        ...{ epoch, at: epoch, rules: WORKING },
        event: { type: "resumed", block: 20 * epoch },
        before: INITIAL_STATE,
        after: INITIAL_STATE,
        reports: [{
          ...{ kind: "outcome", epoch, outcome: "disagreed" },
          reason: `node ${epoch} differs `.repeat(40),
        }],
      });
    }
    for (let epoch = 1_000; epoch < 1_100; epoch++) {
      live(journal, disputedEpoch(epoch, scores(), scores()));
      await measure();
    }
    for (let epoch = 1_100; epoch < 1_150; epoch++) {
      live(journal, epochEvents(epoch, 1, scores()));
      await measure();
    }
    assertEquals(journal.summaries(2_000).length, 1_000);
    assert(journal.recording(1_148));
    assertEquals(journal.recording(1_000), undefined);
    journal.close();
    assert(largest <= 1_000_000, `${largest} bytes`);
  }));

Deno.test("lists of scores that events share are given back whole, over a restart, too", () =>
  withFolder((folder) => {
    const path = `${folder}/${JOURNAL_FILE}`;
    const scores = Array.from({ length: 40 }, (_, i) => ({
      nodeId: i + 1,
      score: ONE + BigInt(i),
    }));
    const events = disputedEpoch(3, scores, scores.slice(0, 30));
    const memory = new MemoryJournal();
    live(memory, events);
    const half = Math.floor(events.length / 2);
    const first = SqliteJournal.open(path);
    live(first, events.slice(0, half));
    first.close();
    const second = SqliteJournal.open(path);
    live(second, events.slice(half));
    assertEquals(second.recording(3), memory.recording(3));
    assertEquals(second.state, memory.state);
    // Packed, and its lists dropped, it is still the same.
    live(second, epochEvents(4, 3, scores));
    assertEquals(second.recording(3), memory.recording(3));
    second.close();
    return Promise.resolve();
  }));

Deno.test("a damaged journal is set aside, whatever the damage", () =>
  withFolder(async (folder) => {
    const path = `${folder}/${JOURNAL_FILE}`;
    const damages: [string, () => Promise<unknown>][] = [
      [
        "text",
        () => Deno.writeTextFile(path, "this is no journal ".repeat(99)),
      ],
      ["cut off", () => Deno.truncate(path, 5_000)],
      ["unknown state", () => {
        const journal = SqliteJournal.open(path);
        journal.keep("state", '{"life":{},"vote":{"name":"x"},"work":{}}');
        journal.close();
        return Promise.resolve();
      }],
      ["unreadable state", () => {
        const journal = SqliteJournal.open(path);
        journal.keep("state", "{");
        journal.close();
        return Promise.resolve();
      }],
    ];
    for (const [what, damage] of damages) {
      {
        using opened = await openJournal(folder, never);
        live(opened.journal, epochEvents(0, 2));
      }
      await damage();
      using opened = await openJournal(folder, never);
      assert(opened.isReplacement, what);
      assertEquals(opened.journal.state, undefined);
    }
    const aside = [...Deno.readDirSync(folder)]
      .filter(({ name }) => /\.damaged-\d+$/.test(name));
    assertEquals(aside.length, damages.length);
    using again = await openJournal(folder, never);
    assert(!again.isReplacement);
  }));

Deno.test("only one process has the journal, and the next one gets it at its end", () =>
  withFolder(async (folder) => {
    const first = await openJournal(folder, never);
    const waiting = new AbortController();
    const refused = openJournal(folder, waiting.signal);
    waiting.abort(new Error("enough"));
    await assertRejects(refused, { message: "enough" });
    const second = openJournal(folder, never);
    first[Symbol.dispose]();
    (await second)[Symbol.dispose]();
    const { mode } = await Deno.stat(`${folder}/${JOURNAL_FILE}`);
    assertEquals((mode ?? 0) & 0o777, 0o600);
  }));

Deno.test("a folder that cannot be used is told of", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await assertRejects(openJournal(`${folder}/file/x`, never), {
      code: "JOURNAL_UNUSABLE",
    });
  }));

Deno.test("what is no recording is refused with a typed error", () => {
  const journal = new MemoryJournal();
  live(journal, epochEvents(0, 1));
  const whole = JSON.parse(toJson(journal.recording(0)));
  const bad = [
    "",
    "[]",
    "{}",
    ...["epoch", "rules", "initial", "events"].map((name) =>
      JSON.stringify({ ...whole, [name]: undefined })
    ),
    JSON.stringify({ ...whole, events: [{ at: 1, event: {} }] }),
    JSON.stringify({ ...whole, initial: { vote: {}, work: {}, life: {} } }),
  ];
  for (const text of bad) {
    assertThrows(() => parseRecording(text), { code: "RECORDING_INVALID" });
  }
  const odd = { ...whole, events: [{ at: 1, event: { type: "block" } }] };
  assertThrows(() => replay(parseRecording(JSON.stringify(odd))), {
    code: "RECORDING_INVALID",
  });
});

Deno.test("a journal whose tables or recordings are spoilt says so", () =>
  withFolder(async (folder) => {
    const path = `${folder}/${JOURNAL_FILE}`;
    {
      using opened = await openJournal(folder, never);
      live(opened.journal, epochEvents(0, 3));
    }
    using db = new DatabaseSync(path);
    db.exec("UPDATE recordings SET packed = x'ffff'");
    db.exec("UPDATE entries SET event = '{' WHERE epoch = 2");
    const spoilt = SqliteJournal.open(path);
    for (const epoch of [0, 2]) {
      assertThrows(() => spoilt.recording(epoch), { code: "JOURNAL_DAMAGED" });
    }
    assert(spoilt.state !== undefined, "the state is whole");
    spoilt.close();
    db.exec("ALTER TABLE work RENAME COLUMN salt TO sald");
    assertThrows(() => SqliteJournal.open(path), {
      code: "JOURNAL_DAMAGED",
      message: /tables/,
    });
  }));
