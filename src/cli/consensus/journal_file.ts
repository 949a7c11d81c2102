import { join } from "node:path";
import { JOURNAL_FILE } from "../../consensus/journal_folder.ts";
import { SqliteJournal } from "../../consensus/sqlite_journal.ts";
import { MeshError } from "../../core/errors.ts";
import type { Options, Parsed } from "../args.ts";

/** The options by which a command finds a node's journal. */
export const JOURNAL_OPTIONS: Options = {
  data: {
    value: "DIR",
    help: "The folder given to `meshnode run --data`.",
    default: ".meshnode",
  },
  peer: {
    value: "ID",
    help: "The node, when the folder belongs to more than one.",
  },
  json: { help: "Print JSON." },
};

/**
 * Opens the journal that the options name; a running node is not disturbed.
 * Close it.
 *
 * @throws {MeshError} `JOURNAL_MISSING`, `JOURNAL_DAMAGED`.
 */
export async function openJournal(args: Parsed): Promise<SqliteJournal> {
  const data = args.text("data") as string;
  const peer = args.text("peer");
  const found = (await journalsIn(data))
    .filter((each) => peer === undefined || each === peer);
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) {
    return SqliteJournal.open(join(data, only, JOURNAL_FILE));
  }
  throw only === undefined
    ? new MeshError(
      "JOURNAL_MISSING",
      `No node${peer === undefined ? "" : ` ${peer}`} has voted with ${data}.`,
      { hint: "Give the folder of `meshnode run` with --data." },
    )
    : new MeshError(
      "JOURNAL_MISSING",
      `${data} belongs to ${found.length} nodes: ${found.join(", ")}.`,
      { hint: "Say which with --peer." },
    );
}

/** Names of the folders that have a journal. */
async function journalsIn(data: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(data)) {
      if (!isDirectory) continue;
      const file = await Deno.stat(join(data, name, JOURNAL_FILE))
        .catch(() => undefined);
      if (file?.isFile) found.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort();
}
