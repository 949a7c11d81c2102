import type {
  Found,
  FoundEntry,
  ListPage,
  StoreResult,
  WatchEvent,
} from "../../dht/mod.ts";
import { printable, table } from "../table.ts";
import { display, type Json, toJson } from "./values.ts";

/** How long something took, for people. */
export function timeCell(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`;
}

/** A time of the DHT for people. */
export function timeText(expiration: number): string {
  return new Date(1_000 * expiration).toISOString();
}

function recordJson(
  { value, expiration, digest }: Omit<FoundEntry, "subkey" | "subkeyBytes">,
): { readonly [name: string]: Json } {
  return {
    value: toJson(value),
    expiration,
    ...(digest === undefined ? {} : { digest: digest.toHex() }),
  };
}

/** An entry for programs. */
export function entryJson(entry: FoundEntry): Json {
  return { subkey: toJson(entry.subkey), ...recordJson(entry) };
}

/** The longest value that is shown whole to people. */
const WHOLE = 160;

function short(text: string): string {
  return text.length <= WHOLE ? text : `${text.slice(0, WHOLE)}…`;
}

/** Prints a page of a listing, and says whether anybody reads on. */
type PagePrinter = (page: ListPage, isLast: boolean) => boolean;

/** Prints pages as one JSON text, an entry a line. */
export function jsonPages(out: (line: string) => boolean): PagePrinter {
  let begin = '{"entries":[';
  return ({ entries, next }, isLast) => {
    let isRead = true;
    for (const entry of entries) {
      isRead = out(begin + JSON.stringify(entryJson(entry)));
      begin = ",";
    }
    if (!isLast) return isRead;
    const end = next === undefined ? "" : `,"next":"${next.toHex()}"`;
    return out(`${begin === "," ? "" : begin}]${end}}`);
  };
}

/** Prints pages as tables; of a part, where the next begins. */
export function textPages(
  out: (line: string) => boolean,
  isWhole: boolean,
): PagePrinter {
  return ({ entries, next }) => {
    const isEmpty = isWhole && entries.length === 0;
    const isRead = isEmpty || out(entriesText(entries));
    return isRead &&
      (next === undefined || isWhole || out(`\nMore: --after ${next.toHex()}`));
  };
}

/** Entries for people. */
export function entriesText(entries: readonly FoundEntry[]): string {
  return table<FoundEntry>([
    { title: "Subkey", cell: ({ subkey }) => display(subkey) },
    { title: "Expires", cell: ({ expiration }) => timeText(expiration) },
    { title: "Value", cell: ({ value }) => short(display(value)) },
  ], entries);
}

/** What was found, for programs. */
export function foundJson(found: Found): Json {
  return found.kind === "plain"
    ? { kind: "plain", ...recordJson(found) }
    : { kind: "dictionary", entries: found.entries.map(entryJson) };
}

/** What was found, for people. */
export function foundText(found: Found): string {
  return found.kind === "plain"
    ? printable(display(found.value))
    : entriesText(found.entries);
}

/** What became of a store, for programs. */
export function resultJson({ stored, quorum, replicas }: StoreResult): Json {
  return {
    stored,
    quorum,
    replicas: replicas.map(({ peerId, outcome, reason }) => ({
      peerId,
      outcome,
      ...(reason === undefined ? {} : { reason }),
    })),
  };
}

/** What became of a store, for people. */
export function resultText(result: StoreResult): string {
  return table<StoreResult["replicas"][number]>([
    { title: "Replica", cell: ({ peerId }) => peerId },
    { title: "Outcome", cell: ({ outcome }) => outcome },
    { title: "Reason", cell: ({ reason }) => reason ?? "" },
  ], result.replicas);
}

/** An event of a watch, for programs. */
export function eventJson(event: WatchEvent): Json {
  if (event.kind === "lagged") return { kind: "lagged" };
  const { kind, subkey, expiration } = event;
  return {
    kind,
    subkey: toJson(subkey),
    ...(event.kind === "changed" ? { value: toJson(event.value) } : {}),
    expiration,
  };
}

/** An event of a watch, for people. */
export function eventText(event: WatchEvent): string {
  if (event.kind === "lagged") return "(some changes were left out)";
  const name = event.subkey === null ? "" : `${display(event.subkey)} `;
  return printable(
    event.kind === "changed"
      ? `${name}= ${display(event.value)}`
      : `${name}deleted`,
  );
}
