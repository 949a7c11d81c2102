import type { Chain } from "../../chain/chain.ts";
import { ChainUnreadableError } from "../../chain/errors.ts";
import type { BlockRef, ChainConstants } from "../../chain/types.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { printable } from "../table.ts";
import {
  attestedWords,
  electedWords,
  type EpochReport,
  proposalWords,
  readEpoch,
} from "./epoch_report.ts";
import { idArgument } from "./input.ts";
import { ANY_CHAIN_OPTIONS, withAnyChain } from "./open.ts";
import { epochWords } from "./words.ts";

/** `meshnode chain watch` */
export const watchCommand: Command = {
  isLasting: true,
  summary: "Follow a subnet, block by block.",
  usage: "SUBNET --chain URL [options]",
  description:
    `Prints a line whenever something happens in a subnet: an epoch begins, a
validator is elected, a proposal comes in, somebody attests. Ends with Ctrl-C.`,
  options: {
    ...ANY_CHAIN_OPTIONS,
    blocks: { help: "Print a line for every block." },
    json: { help: "Print one JSON text per line." },
  },
  positionals: 1,
  examples: [
    [
      "meshnode chain watch 128001 --chain wss://rpc.example.org",
      "what happens in a subnet",
    ],
    [
      "meshnode chain watch 1 --blocks --chain local:.meshnode/dev/chain.db",
      "every block of `meshnode dev`",
    ],
  ],
  run: (args, context) =>
    withAnyChain(args, context, async ({ chain, signal }) => {
      const subnetId = idArgument(args, 0, "subnet");
      const constants = await chain.constants({ signal });
      // A subnet that is not there is told at once.
      const view = await chain.view(undefined, { signal });
      await readEpoch(view, constants, subnetId, signal);
      await watch(chain, constants, subnetId, context, {
        json: args.flag("json"),
        blocks: args.flag("blocks"),
      });
      return EXIT.ok;
    }),
};

/** Follows the heads until the user ends it. */
async function watch(
  chain: Chain,
  constants: ChainConstants,
  subnetId: number,
  context: CommandContext,
  { json, blocks }: { readonly json: boolean; readonly blocks: boolean },
): Promise<void> {
  let before: EpochReport | undefined;
  for await (const head of chain.heads(context.signal)) {
    try {
      const report = await at(chain, head, constants, subnetId, context.signal);
      const lines = happened(before, report, constants);
      if (blocks && lines.length === 0) {
        lines.push(epochWords(report.block, report.slot, constants));
      }
      before = report;
      if (json && lines.length > 0) context.out(jsonText(report));
      else if (!json) {
        for (const line of lines) {
          context.out(`${head.number}  ${printable(line)}`);
        }
      }
    } catch (error) {
      if (context.signal.aborted) return;
      // One block that cannot be read is not the end.
      if (!(error instanceof ChainUnreadableError)) throw error;
      context.err(`${head.number}  ${error.message}`);
    }
  }
}

async function at(
  chain: Chain,
  head: BlockRef,
  constants: ChainConstants,
  subnetId: number,
  signal: AbortSignal,
): Promise<EpochReport> {
  const view = await chain.view(head, { signal });
  return await readEpoch(view, constants, subnetId, signal);
}

/** What is there and was not before, in words. */
export function happened(
  before: EpochReport | undefined,
  now: EpochReport,
  constants: ChainConstants,
): string[] {
  const anew = before?.position.epoch !== now.position.epoch;
  const lines: string[] = [];
  if (anew) lines.push(epochWords(now.block, now.slot, constants));
  if (before !== undefined && before.state !== now.state) {
    lines.push(`the subnet is ${now.state}`);
  }
  if (
    now.electedValidator !== undefined &&
    (anew || before?.electedValidator !== now.electedValidator)
  ) lines.push(`elected: ${electedWords(now)}`);
  const proposed = now.proposal !== undefined &&
    (anew || before?.proposal === undefined);
  if (proposed) lines.push(`proposal: ${proposalWords(now)}`);
  const attested = now.proposal?.attestedBy.length ?? 0;
  const known = anew ? 0 : before?.proposal?.attestedBy.length ?? 0;
  if (attested > known) lines.push(`attested: ${attestedWords(now)}`);
  return lines;
}
