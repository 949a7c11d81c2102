import { raceSignal } from "../../core/deadline.ts";
import type { CallOptions, CallTrace } from "../../dht/mod.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { table } from "../table.ts";
import { JOIN_OPTIONS, KEY_OPTIONS, keyOf, withClient } from "./join.ts";
import { foundJson, timeCell } from "./print.ts";

const BOOTSTRAP = "--bootstrap /ip4/127.0.0.1/tcp/31330/p2p/12D3KooW…";

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
also of calls that the read did not wait for.`,
  options: { ...KEY_OPTIONS, ...JOIN_OPTIONS },
  positionals: 1,
  examples: [
    [`meshnode dht trace greeting ${BOOTSTRAP}`, "one line per call"],
  ],
  async run(args, context) {
    const key = keyOf(args);
    return await withClient(args, context, async ({ dht }) => {
      const log = new CallLog();
      const replicas = dht.replicasOf(key);
      const start = performance.now();
      const found = await dht.get(key, {
        latest: true,
        signal: context.signal,
        ...log.options,
      });
      const milliseconds = performance.now() - start;
      const calls = await log.whole(context.signal);
      const count = found === undefined
        ? 0
        : found.kind === "plain"
        ? 1
        : found.entries.length;
      if (args.flag("json")) {
        context.out(JSON.stringify({
          replicas,
          calls,
          milliseconds,
          found: found === undefined ? null : foundJson(found),
        }));
        return EXIT.ok;
      }
      context.out(table<CallTrace>([
        { title: "Peer", cell: ({ peerId }) => peerId },
        {
          title: "Replica",
          align: "right",
          cell: ({ peerId }) => {
            const at = replicas.indexOf(peerId);
            return at < 0 ? "-" : String(at + 1);
          },
        },
        { title: "Method", cell: ({ method }) => method },
        {
          title: "Time",
          align: "right",
          cell: (call) => `${call.milliseconds} ms`,
        },
        { title: "Outcome", cell: ({ outcome }) => outcome },
      ], calls));
      context.out(
        `\n${count} record${count === 1 ? "" : "s"} in ${
          timeCell(milliseconds)
        }`,
      );
      return EXIT.ok;
    });
  },
};
