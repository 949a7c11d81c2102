import { PHASES } from "../../consensus/phases.ts";
import { systemClock } from "../../core/clock.ts";
import type { Parsed } from "../args.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { Screen } from "../screen.ts";
import { printable } from "../table.ts";
import { openJournal } from "./journal_file.ts";
import { OwnVoteReader } from "./own_vote.ts";
import {
  type JoinedSubnet,
  type OpenSubnet,
  SUBNET_OPTIONS,
  withSubnet,
} from "./subnet.ts";
import type { WatchEvent } from "./watch_events.ts";
import { WatchState } from "./watch_state.ts";
import { renderWatch } from "./watch_view.ts";

/** How often journal and screen are looked after between blocks, ms. */
const REFRESH = 300;

/** `meshnode consensus watch` */
export const watchCommand: Command = {
  isLasting: true,
  summary: "Follow epochs as they are decided.",
  usage: "--chain URL [options]",
  description:
    `Follows a subnet's epochs phase by phase: who is elected, what is proposed, who
attests, whether that is a quorum, and how each epoch ended. In a terminal it is
a picture, else one line per event. Nothing is sent or stored.

With --data it also shows what a node on this machine decides and why, from its
journal. With --identity it joins the mesh as a client, and shows whose commits,
reveals and heartbeats are there; the identity is that of a node's client peer,
or of an overwatch node. Ends with Ctrl-C, or after --epochs.`,
  options: {
    ...SUBNET_OPTIONS,
    data: {
      value: "DIR",
      help: "The folder given to `meshnode run --data`, of a node to look at.",
    },
    peer: {
      value: "ID",
      help: "The node, when the folder belongs to more than one.",
    },
    epochs: { value: "N", help: "End when so many epochs have ended." },
    "no-view": { help: "Print one line per event, also in a terminal." },
    json: { help: "Print one JSON text per event." },
  },
  examples: [
    [
      "meshnode consensus watch --chain wss://rpc.example.org --subnet-id 128001 --data .meshnode",
      "a subnet, and how the node on this machine votes",
    ],
    [
      "meshnode consensus watch --chain local:.meshnode/dev/chain.db --data .meshnode/dev/validator-1 --identity .meshnode/dev/client.key",
      "`meshnode dev`, with all that can be seen",
    ],
  ],
  async run(args, context) {
    const epochs = args.text("epochs") === undefined
      ? Infinity
      : args.integer("epochs", 1, 1_000_000);
    using own = args.text("data") === undefined
      ? undefined
      : new OwnVoteReader(await openJournal(args));
    return await withSubnet(args, context, async (subnet) => {
      await watch(subnet, own, epochs, args, context);
      return EXIT.ok;
    });
  },
};

async function watch(
  { id, chain, client }: OpenSubnet & Partial<JoinedSubnet>,
  own: OwnVoteReader | undefined,
  epochs: number,
  args: Parsed,
  context: CommandContext,
): Promise<void> {
  const json = args.flag("json");
  const viewed = context.isTerminal && !json && !args.flag("no-view");
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const phases = own?.phases ?? PHASES;
  const reading = { chain, subnetId: id, phases, signal };
  const state: WatchState = new WatchState(
    { reading, records: client?.dht, own },
    (event) => {
      // What follows the last epoch is no longer told.
      if (state.ended >= epochs) return;
      if (!viewed) context.out(json ? eventJson(event) : eventText(event));
    },
  );
  {
    using screen = viewed ? new Screen() : undefined;
    const show = () => {
      if (screen === undefined) return;
      const { columns, rows } = screen.size;
      const title = `subnet ${id}${
        state.view?.name === undefined ? "" : ` (${printable(state.view.name)})`
      }`;
      screen.show(renderWatch(state, title, phases, columns, rows));
    };
    show();
    const between = lookBetween(state, show, signal);
    try {
      for await (const head of chain.heads(signal)) {
        await state.look(head, signal);
        show();
        if (state.ended >= epochs) break;
      }
    } finally {
      ending.abort();
      await between;
    }
  }
  if (!json) context.out(summary(state));
}

/** What the journal says may change between two blocks, and the terminal its size. */
async function lookBetween(
  state: WatchState,
  show: () => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await systemClock.sleep(REFRESH, signal).catch(() => {});
    if (signal.aborted) return;
    state.lookAtOwn();
    show();
  }
}

function eventText({ block, epoch, text }: WatchEvent): string {
  const time = new Date().toISOString().slice(11, 19);
  return printable(`${time}  ${block}  epoch ${epoch}  ${text}`);
}

function eventJson({ event, block, epoch, text, details }: WatchEvent): string {
  const time = new Date().toISOString();
  return jsonText({ time, event, block, epoch, text, ...details });
}

function summary({ results, ended }: WatchState): string {
  const reached = results.filter(({ attested }) => attested?.quorum).length;
  return ended === 0
    ? "No epoch ended meanwhile."
    : `${ended} ${ended === 1 ? "epoch" : "epochs"} ended, of the last ` +
      `${results.length} with quorum: ${reached}.`;
}
