import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { epochText, readEpoch } from "./epoch_report.ts";
import { idArgument } from "./input.ts";
import { ANY_CHAIN_OPTIONS, withAnyChain } from "./open.ts";

/** `meshnode chain epoch` */
export const epochCommand: Command = {
  summary: "Show where a subnet stands in its epoch.",
  usage: "SUBNET --chain URL [options]",
  description:
    `Shows the epoch of a subnet, who is elected, whether something was proposed,
and who attested it so far.`,
  options: { ...ANY_CHAIN_OPTIONS, json: { help: "Print JSON." } },
  positionals: 1,
  examples: [
    [
      "meshnode chain epoch 128001 --chain wss://rpc.example.org",
      "the present epoch of a subnet",
    ],
    [
      "meshnode chain epoch 1 --chain local:.meshnode/dev/chain.db",
      "the same of `meshnode dev`",
    ],
  ],
  run: (args, context) =>
    withAnyChain(args, context, async ({ chain, signal }) => {
      const subnetId = idArgument(args, 0, "subnet");
      const constants = await chain.constants({ signal });
      const view = await chain.view(undefined, { signal });
      const report = await readEpoch(view, constants, subnetId, signal);
      context.out(
        args.flag("json") ? jsonText(report) : epochText(report, constants),
      );
      return EXIT.ok;
    }),
};
