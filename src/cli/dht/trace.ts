import { raceSignal } from "../../core/deadline.ts";
import type { CallOptions, CallTrace } from "../../dht/mod.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { table } from "../table.ts";
import { JOIN_OPTIONS, KEY_OPTIONS, keyOf, withClient } from "./join.ts";
import { foundJson, timeCell } from "./print.ts";

const BOOTSTRAP = "--bootstrap /ip4/127.0.0.1/tcp/31330/p2p/12D3KooW…";

/** What every step shows. */
const COMMON = [
  { title: "Peer", cell: ({ peerId }: CallTrace) => peerId },
  {
    title: "Time",
    align: "right",
    cell: ({ milliseconds }: CallTrace) => `${milliseconds} ms`,
  },
  { title: "Outcome", cell: ({ outcome }: CallTrace) => outcome },
] as const;

/** The calls of an operation, those that outlast it too. */
class CallLog {
  readonly #calls: CallTrace[] = [];
  #open = 0;
  #idle = Promise.withResolvers<void>();

  /** What tells it of the calls. */
  readonly options: Pick<CallOptions, "onAsk" | "onCall"> = {
    onAsk: () => {
      this.#open++;
    },
    onCall: (call) => {
      this.#calls.push(call);
      if (--this.#open === 0) this.#idle.resolve();
    },
  };

  /** All calls, once the last of them ended. */
  async whole(signal: AbortSignal): Promise<readonly CallTrace[]> {
    while (this.#open > 0) {
      this.#idle = Promise.withResolvers();
      await raceSignal(this.#idle.promise, signal);
    }
    return this.#calls;
  }
}

/** `meshnode dht trace` */
export const traceCommand: Command = {
  summary: "Show whom a read asks, how long each takes, and what comes of it.",
  usage: "KEY [options]",
  description:
    `Reads a key as nodes do, asking all its replicas, and shows every call: the
peer, its place among the replicas, the method, the time, and what came of it,
also of calls that the read did not wait for.

Where not all peers of the mesh are known, the replicas are looked up before: the
steps of that come first, with how many peers each one named that are nearer to
the key than itself.`,
  options: {
    lookup: { help: "Look the replicas up even if all peers are known." },
    ...KEY_OPTIONS,
    ...JOIN_OPTIONS,
  },
  positionals: 1,
  examples: [
    [`meshnode dht trace greeting ${BOOTSTRAP}`, "one line per call"],
    [
      `meshnode dht trace greeting --lookup --json ${BOOTSTRAP}`,
      "the way to the replicas, too, for programs",
    ],
  ],
  async run(args, context) {
    const key = keyOf(args);
    return await withClient(args, context, async ({ dht }) => {
      const log = new CallLog();
      const start = performance.now();
      const found = await dht.get(key, {
        latest: true,
        lookup: args.flag("lookup"),
        signal: context.signal,
        ...log.options,
      });
      const milliseconds = performance.now() - start;
      const all = await log.whole(context.signal);
      const lookup = all.filter(({ kind }) => kind === "lookup");
      const calls = all.filter(({ kind }) => kind === "call");
      // A lookup makes peers known.
      const replicas = dht.replicasOf(key);
      const count = found === undefined
        ? 0
        : found.kind === "plain"
        ? 1
        : found.entries.length;
      if (args.flag("json")) {
        context.out(JSON.stringify({
          replicas,
          lookup,
          calls,
          milliseconds,
          found: found === undefined ? null : foundJson(found),
        }));
        return EXIT.ok;
      }
      if (lookup.length > 0) {
        context.out(`Lookup\n${lookupTable(lookup)}\n\nCalls`);
      }
      context.out(callTable(calls, replicas));
      context.out(
        `\n${count} record${count === 1 ? "" : "s"} in ${
          timeCell(milliseconds)
        }`,
      );
      return EXIT.ok;
    });
  },
};

/** What each step of a lookup brought. */
function lookupTable(steps: readonly CallTrace[]): string {
  return table<CallTrace>([
    ...COMMON,
    {
      title: "Closer",
      align: "right",
      cell: ({ closer }) => closer === undefined ? "-" : String(closer),
    },
  ], steps);
}

/** What each call for records brought. */
function callTable(
  calls: readonly CallTrace[],
  replicas: readonly string[],
): string {
  const [peer, ...others] = COMMON;
  return table<CallTrace>([
    peer,
    {
      title: "Replica",
      align: "right",
      cell: ({ peerId }) => {
        const at = replicas.indexOf(peerId);
        return at < 0 ? "-" : String(at + 1);
      },
    },
    { title: "Method", cell: ({ method }) => method },
    ...others,
  ], calls);
}
