import { usageError } from "../args.ts";
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

const BOOTSTRAP = "--bootstrap /ip4/127.0.0.1/tcp/31330/p2p/12D3KooW…";

/** `meshnode dht put` */
export const putCommand: Command = {
  summary: "Store a record.",
  usage: "KEY VALUE [options]",
  description:
    `Stores a record at the replicas of its key and shows what each of them said.
KEY and VALUE are text, unless --json-key and --json-value are given.

A record takes the place of an older one only if it lives longer. Ends with 75
when too few replicas took it, or when --if-digest or --if-absent did not hold.`,
  options: {
    "json-value": { help: "VALUE is JSON, not text." },
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
    const text = positional(args, 1, "VALUE");
    const value = args.flag("json-value") ? parseValue(text, "VALUE") : text;
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
