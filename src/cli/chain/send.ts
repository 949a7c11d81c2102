import { ChainCallError } from "../../chain/errors.ts";
import { explainCallError } from "../../chain/call_errors.ts";
import type {
  Check,
  Plan,
  Planner,
} from "../../chain/hypertensor/plans/plan.ts";
import { raceSignal } from "../../core/deadline.ts";
import { MeshError } from "../../core/errors.ts";
import { type Options, type Parsed, usageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { PromptEndedError } from "../prompt.ts";
import { CHAIN_OPTIONS, type OpenedNetwork, withNetwork } from "./open.ts";
import { planText, type SentCall, sentText } from "./plan_text.ts";
import { KEY_OPTIONS, type Signer, signerOf } from "./signer.ts";

/** The chain keeps as much on an account that shall go on to exist, base units. */
const EXISTENTIAL_DEPOSIT = 500n;

/** Options of all commands that send a call. */
export const SEND_OPTIONS: Options = {
  ...CHAIN_OPTIONS,
  ...KEY_OPTIONS,
  "dry-run": {
    help: "Show the call, its fee and what the chain would say; send nothing.",
  },
  from: {
    value: "ACCOUNT",
    help: "With --dry-run: the account that would sign, without its key.",
  },
  yes: { help: "Send without asking." },
  json: { help: "Print JSON." },
};

/** What is known of a call before it is sent. */
export interface Preview {
  /** What it does. */
  readonly title: string;
  /** The call as its bytes say. */
  readonly call: {
    readonly name: string;
    readonly args: Readonly<Record<string, unknown>>;
  };
  /** The same, hex with `0x`. */
  readonly bytes: string;
  /** Who signs. */
  readonly signer: string;
  /** What there is to know. */
  readonly facts: Plan["facts"];
  /** What the signer has, base units. */
  readonly balance: bigint;
  /** What leaves it besides the fee. */
  readonly spends: bigint;
  /** What the chain asks for taking the call. */
  readonly fee: bigint;
  /** The chain's conditions. */
  readonly checks: readonly Check[];
  /** What may not be what is wanted. */
  readonly warnings: readonly string[];
}

/**
 * Sends a call: looks at the chain's conditions, shows what it will do, asks,
 * sends, and tells what became of it. `plan` is loaded only here.
 */
export async function send(
  args: Parsed,
  context: CommandContext,
  plan: () => Promise<Planner>,
): Promise<number> {
  const dry = args.flag("dry-run");
  // Before anything else: whoever cannot answer should not be asked for a key.
  if (!dry && !args.flag("yes") && !context.prompt.interactive) {
    throw usageError(
      "There is no terminal at which you could agree to the call.",
      "Look at it with --dry-run, then send it with --yes.",
    );
  }
  const signer = await signerOf(args, context);
  return await withNetwork(args, context, async (network) => {
    const { encodeNetworkCall, describeNetworkCall, problemOf } = await import(
      "./sending.ts"
    );
    const planner = await plan();
    const { state } = network;
    const planned = await planner(state, signer.account);
    const bytes = encodeNetworkCall(state.types, planned.call);
    const [balance, fee] = await Promise.all([
      state.balance(signer.account),
      feeOf(network, planner, planned, signer),
    ]);
    const preview: Preview = {
      title: planned.title,
      call: describeNetworkCall(state.types, bytes),
      bytes,
      signer: signer.account,
      facts: planned.facts,
      balance,
      spends: planned.spends,
      fee,
      checks: [...planned.checks, affordable(balance, planned.spends, fee)],
      warnings: planned.warnings,
    };
    const failed = preview.checks.filter(({ holds }) => !holds);
    if (dry) {
      context.out(
        args.flag("json")
          ? jsonText({ ...preview, possible: failed.length === 0 })
          : planText(preview),
      );
      return failed.length === 0 ? EXIT.ok : EXIT.data;
    }
    const [first] = failed;
    if (first !== undefined) {
      throw new ChainCallError(
        first.error,
        `Nothing was sent, since the chain would refuse it. ${
          failed.map(problemOf).join(" ")
        }`,
        hintOf(first.error),
      );
    }
    await agreed(args, context, preview);
    const sent = await submit(network, planner, planned, signer, context);
    context.out(
      args.flag("json") ? jsonText({ ...preview, sent }) : sentText(sent),
    );
    return EXIT.ok;
  });
}

/** Asks, unless that was done before. @throws {PromptEndedError} */
async function agreed(
  args: Parsed,
  context: CommandContext,
  preview: Preview,
): Promise<void> {
  // The summary is for whoever agrees; programs get it with the result.
  if (!args.flag("json")) context.out(`${planText(preview)}\n`);
  else if (!args.flag("yes")) context.err(`${planText(preview)}\n`);
  if (args.flag("yes")) return;
  const yes = await raceSignal(
    context.prompt.confirm("Send it?"),
    context.signal,
  );
  if (!yes) throw new PromptEndedError();
}

async function feeOf(
  network: OpenedNetwork,
  planner: Planner,
  planned: Plan,
  signer: Signer,
): Promise<bigint> {
  const { chain, signal } = network;
  const { accountFromSecret, orderOf } = await import("./sending.ts");
  // The fee depends on the length of a signature, not on whose it is.
  const pair = signer.pair ?? accountFromSecret(
    crypto.getRandomValues(new Uint8Array(32)).toHex(),
  );
  const order = orderOf(chain.client, planner, planned, signer.account);
  const { fee } = await chain.submitter(pair).estimate(order, { signal });
  return fee;
}

async function submit(
  { chain }: OpenedNetwork,
  planner: Planner,
  planned: Plan,
  { account, pair }: Signer,
  context: CommandContext,
): Promise<SentCall> {
  if (pair === undefined) throw new Error("There is no key to sign with.");
  const { orderOf } = await import("./sending.ts");
  const order = orderOf(chain.client, planner, planned, account);
  try {
    return await chain.submitter(pair).submit(order, {
      signal: context.signal,
    });
  } catch (error) {
    if (context.signal.aborted) {
      throw new MeshError(
        "CHAIN_SUBMIT_FAILED",
        "You ended it while the call was under way: it may be included still.",
        { hint: "Look at the chain before you send it again.", cause: error },
      );
    }
    if (error instanceof ChainCallError && error.hint === undefined) {
      const explained = explainCallError(error.chainError);
      throw new ChainCallError(
        error.chainError,
        explained === undefined
          ? error.message
          : `${error.message} ${explained.means}`,
        { ...hintOf(error.chainError), cause: error },
      );
    }
    throw error;
  }
}

function hintOf(name: string): { readonly hint?: string } {
  const explained = explainCallError(name);
  return explained === undefined ? {} : { hint: explained.todo };
}

function affordable(balance: bigint, spends: bigint, fee: bigint): Check {
  return {
    what: "The free balance covers it",
    holds: balance >= spends + fee + EXISTENTIAL_DEPOSIT,
    error: "NotEnoughBalance",
  };
}
