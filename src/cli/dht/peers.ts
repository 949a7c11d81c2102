import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { table } from "../table.ts";
import { JOIN_OPTIONS, KEY_OPTIONS, keyOf, withClient } from "./join.ts";
import { timeCell } from "./print.ts";

const BOOTSTRAP = "--bootstrap /ip4/127.0.0.1/tcp/31330/p2p/12D3KooW…";

/** A peer as it is listed. */
interface PeerRow {
  readonly peerId: string;
  /** Absent when it did not answer. */
  readonly milliseconds: number | undefined;
  /** From 1 for the nearest; absent when no key was named. */
  readonly replica: number | undefined;
}

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
              milliseconds === undefined ? "no answer" : timeCell(milliseconds),
          },
        ], rows),
      );
      return EXIT.ok;
    });
  },
};
