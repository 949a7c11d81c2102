import { MeshError } from "../../core/errors.ts";
import type { MeshValue } from "../../records/values.ts";
import { type Parsed, usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import {
  JOIN_OPTIONS,
  keyOf,
  positional,
  SUBKEY_OPTIONS,
  subkeyOf,
  withClient,
} from "./join.ts";
import { resultJson, resultText } from "./print.ts";
import { hexOf, missing } from "./read.ts";
import { parseValue } from "./values.ts";

/** JSON takes more room than what it says. */
const MOST_FILE_BYTES = 8 * 1024 * 1024;

const BOOTSTRAP = "--bootstrap /ip4/127.0.0.1/tcp/31330/p2p/12D3KooW…";

/** `meshnode dht put` */
export const putCommand: Command = {
  summary: "Store a record.",
  usage: "KEY VALUE|--value-file PATH [options]",
  description:
    `Stores a record at the replicas of its key and shows what each of them said.
KEY and VALUE are text, unless --json-key and --json-value are given. What is too
large for a command line, or no text, comes from a file.

A record takes the place of an older one only if it lives longer. Ends with 75
when too few replicas took it, or when --if-digest or --if-absent did not hold.`,
  options: {
    "json-value": { help: "VALUE is JSON, not text." },
    "value-file": {
      value: "PATH",
      help:
        "The value is this file's bytes; with --json-value, the JSON in it.",
    },
    lifetime: {
      value: "SECONDS",
      help: "How long the record lives, at most 604800.",
      default: "3600",
    },
    "if-absent": { help: "Store only if nothing is there." },
    "if-digest": {
      value: "HEX",
      help: "Store only if the record of this digest is there; see get --json.",
    },
    ...SUBKEY_OPTIONS,
    ...JOIN_OPTIONS,
  },
  positionals: 2,
  examples: [
    [`meshnode dht put greeting hello ${BOOTSTRAP}`, "a text for an hour"],
    [
      `meshnode dht put config '{"size": 3}' --json-value --lifetime 86400 ${BOOTSTRAP}`,
      "a map for a day",
    ],
    [
      `meshnode dht put offers 7 --json-value --own --identity me.key ${BOOTSTRAP}`,
      "an entry that nobody else can write",
    ],
    [
      `meshnode dht put lock mine --if-absent ${BOOTSTRAP}`,
      "only if nobody was faster",
    ],
  ],
  async run(args, context) {
    const key = keyOf(args);
    const value = await valueOf(args);
    const lifetime = args.integer("lifetime", 1, 7 * 24 * 3_600);
    const digest = hexOf(args.text("if-digest"), "--if-digest");
    if (
      digest !== undefined && (digest.length !== 32 || args.flag("if-absent"))
    ) {
      throw usageError(
        "--if-digest is one digest of 32 bytes, without --if-absent.",
        "Take it from `meshnode dht get --json`.",
      );
    }
    const { signal } = context;
    return await withClient(args, context, async ({ dht, identity }) => {
      const subkey = subkeyOf(args, identity);
      const request = {
        key,
        ...(subkey === undefined ? {} : { subkey }),
        value,
        // A little less, lest clocks that go slow find it too long.
        expiration: Date.now() / 1_000 + lifetime - 1,
      };
      const expected = args.flag("if-absent") ? null : digest;
      const result = expected === undefined
        ? await dht.store(request, { awaitAll: true, signal })
        : await dht.storeIf(request, expected, { signal });
      context.out(
        args.flag("json")
          ? JSON.stringify(resultJson(result))
          : resultText(result),
      );
      return EXIT.ok;
    });
  },
};

async function valueOf(args: Parsed): Promise<MeshValue> {
  const path = args.text("value-file");
  const isJson = args.flag("json-value");
  if (path === undefined) {
    const text = positional(args, 1, "VALUE");
    return isJson ? parseValue(text, "VALUE") : text;
  }
  if (args.positionals.length > 1) {
    throw usageError(
      "There are two values: VALUE and --value-file.",
      "Leave one of them out.",
    );
  }
  const bytes = await valueFile(path);
  return isJson ? parseValue(new TextDecoder().decode(bytes), path) : bytes;
}

async function valueFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await Deno.stat(path);
    if (size <= MOST_FILE_BYTES) return await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new MeshError(
      "VALUE_UNREADABLE",
      `The file ${path} cannot be read: ${
        cause instanceof Error ? cause.message : cause
      }.`,
      { cause, hint: "Look at the path given by --value-file." },
    );
  }
  throw new MeshError(
    "RECORD_TOO_LARGE",
    `The file ${path} is larger than any value.`,
    { hint: "A record takes 1 MiB; split the value." },
  );
}

/** `meshnode dht delete` */
export const deleteCommand: Command = {
  summary: "Delete a record.",
  usage: "KEY [options]",
  description:
    `Deletes a record: a tombstone takes its place at the replicas until every copy
would have expired. Of a subkey that is somebody's own, only its owner can.

Ends with 65 when nothing is there.`,
  options: { ...SUBKEY_OPTIONS, ...JOIN_OPTIONS },
  positionals: 1,
  examples: [
    [`meshnode dht delete greeting ${BOOTSTRAP}`, "a plain record"],
    [
      `meshnode dht delete offers --own --identity me.key ${BOOTSTRAP}`,
      "one's own entry",
    ],
  ],
  async run(args, context) {
    const key = keyOf(args);
    return await withClient(args, context, async ({ dht, identity }) => {
      const result = await dht.delete(key, subkeyOf(args, identity), {
        awaitAll: true,
        signal: context.signal,
      });
      if (result === undefined) throw missing(key);
      context.out(
        args.flag("json")
          ? JSON.stringify(resultJson(result))
          : resultText(result),
      );
      return EXIT.ok;
    });
  },
};
