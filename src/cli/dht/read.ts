import { MeshError } from "../../core/errors.ts";
import { UnansweredError } from "../../dht/mod.ts";
import type { MeshValue } from "../../records/values.ts";
import { usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import {
  JOIN_OPTIONS,
  KEY_OPTIONS,
  keyOf,
  SUBKEY_OPTIONS,
  subkeyOf,
  withClient,
} from "./join.ts";
import {
  eventJson,
  eventText,
  foundJson,
  foundText,
  jsonPages,
  textPages,
} from "./print.ts";
import { display } from "./values.ts";

const BOOTSTRAP = "--bootstrap /ip4/127.0.0.1/tcp/31330/p2p/12D3KooW…";

/** The error when nothing lives under a key. */
export function missing(key: MeshValue): MeshError {
  return new MeshError(
    "RECORD_MISSING",
    `Nothing lives under the key ${display(key)} there.`,
    { hint: "Records expire; look at the key, the subkey and --json-key." },
  );
}

/** `meshnode dht get` */
export const getCommand: Command = {
  summary: "Show what lives under a key.",
  usage: "KEY [options]",
  description:
    `Asks every replica of a key, checks what they answer, and shows the newest:
one value, or a dictionary of subkeys. KEY is text, unless --json-key is given.

Ends with 65 when nothing is there, with 69 when too few replicas answer to say so.`,
  options: { ...SUBKEY_OPTIONS, ...JOIN_OPTIONS },
  positionals: 1,
  examples: [
    [`meshnode dht get greeting ${BOOTSTRAP}`, "what was stored under a text"],
    [
      `meshnode dht get node --json ${BOOTSTRAP}`,
      "all heartbeats, for programs, with their digests",
    ],
    [
      `meshnode dht get '["k", 1]' --json-key ${BOOTSTRAP}`,
      "a key that is a list",
    ],
  ],
  async run(args, context) {
    const key = keyOf(args);
    return await withClient(args, context, async ({ dht, identity }) => {
      const subkey = subkeyOf(args, identity);
      let isWhole = false;
      const found = await dht.get(key, {
        ...(subkey === undefined ? {} : { subkeys: [subkey] }),
        latest: true,
        digests: true,
        signal: context.signal,
        onHeard: (whole) => isWhole = whole,
      });
      if (found === undefined && !isWhole) {
        const peers = dht.replicasOf(key);
        throw new UnansweredError("What lives under the key", peers, "few");
      }
      if (found === undefined) throw missing(key);
      context.out(
        args.flag("json") ? JSON.stringify(foundJson(found)) : foundText(found),
      );
      return EXIT.ok;
    });
  },
};

/** `meshnode dht list` */
export const listCommand: Command = {
  summary: "List a part of a key's dictionary.",
  usage: "KEY [options]",
  description:
    `Lists the entries of a key's dictionary in the order of their subkeys' bytes,
page by page: each page tells how to get the next one. With --all, every page.

Ends with 69 when no replica answers.`,
  options: {
    limit: { value: "N", help: "Most entries of a page.", default: "100" },
    after: { value: "HEX", help: "Where the page begins, as the last told." },
    all: { help: "List all pages." },
    ...KEY_OPTIONS,
    ...JOIN_OPTIONS,
  },
  positionals: 1,
  examples: [
    [`meshnode dht list node ${BOOTSTRAP}`, "the first hundred heartbeats"],
    [
      `meshnode dht list node --after c48c31… ${BOOTSTRAP}`,
      "the next page",
    ],
  ],
  async run(args, context) {
    const key = keyOf(args);
    const limit = args.integer("limit", 1, 4_096);
    let after = hexOf(args.text("after"), "--after");
    const isWhole = args.flag("all");
    return await withClient(args, context, async ({ dht }) => {
      const print = args.flag("json")
        ? jsonPages(context.out)
        : textPages(context.out, isWhole);
      for (;;) {
        const page = await dht.list(key, {
          ...{ after, limit, signal: context.signal },
        });
        const isLast = page.next === undefined || !isWhole;
        if (!print(page, isLast) || isLast) return EXIT.ok;
        after = page.next;
      }
    });
  },
};

/** `meshnode dht watch` */
export const watchCommand: Command = {
  isLasting: true,
  summary: "Show what changes under a key, as it changes.",
  usage: "KEY [options]",
  description:
    `Shows what lives under a key, then every change as the replicas push it, one
line each, until it is ended (Ctrl-C). Records that expire are not told.`,
  options: { ...KEY_OPTIONS, ...JOIN_OPTIONS },
  positionals: 1,
  examples: [
    [`meshnode dht watch node ${BOOTSTRAP}`, "heartbeats as they come"],
    [
      `meshnode dht watch jobs --json ${BOOTSTRAP}`,
      "one JSON text per change, for programs",
    ],
  ],
  async run(args, context) {
    const key = keyOf(args);
    return await withClient(args, context, async ({ dht }) => {
      for await (const event of dht.watch(key, { signal: context.signal })) {
        const isRead = context.out(
          args.flag("json")
            ? JSON.stringify(eventJson(event))
            : eventText(event),
        );
        if (!isRead) break;
      }
      return EXIT.ok;
    });
  },
};

/** The bytes of an option in hexadecimal. @throws {MeshError} `USAGE` */
export function hexOf(
  text: string | undefined,
  name: string,
): Uint8Array | undefined {
  if (text === undefined) return undefined;
  try {
    return Uint8Array.fromHex(text);
  } catch {
    throw usageError(
      `${name} is hexadecimal, not "${text}".`,
      "Copy it from what was printed.",
    );
  }
}
