import type { CallTrace } from "../../dht/mod.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { table } from "../table.ts";
import { JOIN_OPTIONS, KEY_OPTIONS, keyOf, withClient } from "./join.ts";
import { foundJson } from "./print.ts";

const BOOTSTRAP = "--bootstrap /ip4/127.0.0.1/tcp/31330/p2p/12D3KooW…";

/** A peer as it is listed. */
interface PeerRow {
  readonly peerId: string;
  /** Absent when it did not answer. */
  readonly milliseconds: number | undefined;
  /** From 1 for the nearest; absent when no key was named. */
  readonly replica: number | undefined;
}

const time = (milliseconds: number) => `${milliseconds.toFixed(1)} ms`;

/** `meshnode dht peers` */
export const peersCommand: Command = {
  summary: "List the peers of the mesh, or those that hold a key.",
  usage: "[KEY] [options]",
  description:
    `Lists the peers of the mesh with the time of a call and its answer. With a KEY,
only the peers that hold it, nearest first.`,
  options: { ...KEY_OPTIONS, ...JOIN_OPTIONS },
  positionals: 1,
  examples: [
    [`meshnode dht peers ${BOOTSTRAP}`, "everybody"],
    [`meshnode dht peers greeting ${BOOTSTRAP}`, "the replicas of a key"],
  ],
  async run(args, context) {
    const key = args.positionals.length === 0 ? undefined : keyOf(args);
    return await withClient(args, context, async (client) => {
      const { dht } = client;
      const named = key === undefined
        ? client.members().toSorted()
        : dht.replicasOf(key);
      const rows = await Promise.all(
        named.map(async (peerId, i): Promise<PeerRow> => ({
          peerId,
          replica: key === undefined ? undefined : i + 1,
          milliseconds: await dht.ping(peerId, { signal: context.signal })
            .catch(() => undefined),
        })),
      );
      context.signal.throwIfAborted();
      context.out(
        args.flag("json") ? JSON.stringify(rows) : table<PeerRow>([
          { title: "Peer", cell: ({ peerId }) => peerId },
          {
            title: "Time",
            align: "right",
            cell: ({ milliseconds }) =>
              milliseconds === undefined ? "no answer" : time(milliseconds),
          },
        ], rows),
      );
      return EXIT.ok;
    });
  },
};

/** `meshnode dht trace` */
export const traceCommand: Command = {
  summary: "Show whom a read asks, how long each takes, and what comes of it.",
  usage: "KEY [options]",
  description:
    `Reads a key as nodes do, asking all its replicas, and shows every call: the
peer, its place among the replicas, the method, the time, and what came of it.`,
  options: { ...KEY_OPTIONS, ...JOIN_OPTIONS },
  positionals: 1,
  examples: [
    [`meshnode dht trace greeting ${BOOTSTRAP}`, "one line per call"],
  ],
  async run(args, context) {
    const key = keyOf(args);
    return await withClient(args, context, async ({ dht }) => {
      const calls: CallTrace[] = [];
      const replicas = dht.replicasOf(key);
      const start = performance.now();
      const found = await dht.get(key, {
        latest: true,
        signal: context.signal,
        onCall: (call) => calls.push(call),
      });
      const milliseconds = performance.now() - start;
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
          cell: (call) => time(call.milliseconds),
        },
        { title: "Outcome", cell: ({ outcome }) => outcome },
      ], calls));
      context.out(
        `\n${count} record${count === 1 ? "" : "s"} in ${time(milliseconds)}`,
      );
      return EXIT.ok;
    });
  },
};
