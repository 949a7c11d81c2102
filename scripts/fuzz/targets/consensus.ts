import {
  encode,
  INITIAL_STATE,
  type Journal,
  MemoryJournal,
  parseRecording,
  replay,
  SqliteJournal,
  step,
  toJson,
} from "../../../mod.ts";
import {
  evidenceText,
  parseEvidence,
} from "../../../src/consensus/evidence.ts";
import { epochEvents } from "../../../tests/consensus/epoch_events.ts";
import { WORKING } from "../../../tests/consensus/observations.ts";
import type { Target } from "../engine.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();
const NOW = 1_700_000_000;

/** What a node that takes part in consensus keeps, and what people hand it. */
export function consensusTargets(): Target[] {
  const journal = filled(new MemoryJournal());
  const live = {
    peerId: "peer",
    expiration: NOW,
    info: { state: "online", role: "validator", onlineSince: NOW },
  };
  const evidence = JSON.stringify({ epoch: 3, cutOff: NOW, live: [live] });
  return [
    {
      name: "recording",
      samples: [0, 1].map((epoch) =>
        utf8.encode(toJson(journal.recording(epoch)))
      ),
      slowness: 2,
      run: (bytes) => replay(parseRecording(text.decode(bytes))),
    },
    {
      name: "evidence",
      samples: [utf8.encode(evidence)],
      run: (bytes) => {
        const kept = parseEvidence(text.decode(bytes), 3);
        if (kept === undefined) return;
        const none = { commits: new Map(), reveals: new Map() };
        evidenceText({ epoch: 3, ...kept, ...none });
      },
    },
    {
      name: "journal-file",
      samples: [journalFile()],
      slowness: 100,
      run: (bytes) =>
        withFile((path) => {
          Deno.writeFileSync(path, bytes);
          readAll(path);
        }),
    },
  ];
}

function filled<T extends Journal>(journal: T): T {
  let state = INITIAL_STATE;
  for (const { epoch, event } of epochEvents(0, 3)) {
    const { state: after, actions } = step(state, event, WORKING);
    journal.record({
      ...{ epoch, event, after, before: state, rules: WORKING },
      at: 1_000 * epoch,
      reports: actions.flatMap((action) =>
        action.type === "report" ? [action.report] : []
      ),
    });
    state = after;
  }
  const [salt, result] = [encode("salt"), encode("result")];
  journal.keepWork({ epoch: 2, salt, result, expiration: NOW });
  return journal;
}

function journalFile(): Uint8Array {
  return withFile((path) => {
    filled(SqliteJournal.open(path)).close();
    return Deno.readFileSync(path);
  });
}

function readAll(path: string): void {
  const journal = SqliteJournal.open(path);
  try {
    journal.summaries(10);
    journal.work(2);
    journal.kept("evidence");
    for (const epoch of [0, 1, 2]) {
      const recording = journal.recording(epoch);
      if (recording !== undefined) replay(recording);
    }
  } finally {
    journal.close();
  }
}

function withFile<T>(act: (path: string) => T): T {
  const folder = Deno.makeTempDirSync();
  try {
    return act(`${folder}/journal.db`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
