import { usageError } from "../args.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { writeSecretFile } from "../secret_file.ts";
import { facts } from "../table.ts";
import { parseAccount } from "./input.ts";
import { CHAIN_OPTIONS, withNetwork } from "./open.ts";
import { KEY_OPTIONS, signerOf } from "./signer.ts";
import { tensor } from "./words.ts";

const LENGTHS = [12, 15, 18, 21, 24] as const;

/** `meshnode account generate` */
export const generateAccountCommand: Command = {
  summary: "Make an account of the chain.",
  usage: "--output PATH [options]",
  description:
    `Makes a mnemonic and writes it to a file that only you can read. Who has the
mnemonic has the account: keep a copy in a safe place, and give it to nobody.`,
  options: {
    output: { value: "PATH", help: "Where to write it." },
    words: {
      value: "N",
      help: `Length of the mnemonic: ${LENGTHS.join(", ")}.`,
      default: "12",
    },
    "print-mnemonic": { help: "Print the mnemonic too." },
    json: { help: "Print JSON." },
  },
  examples: [
    ["meshnode account generate --output coldkey.txt", "an account"],
    [
      "meshnode account generate --output hotkey.txt --words 24",
      "a longer mnemonic",
    ],
  ],
  async run(args, context) {
    const path = args.text("output");
    if (path === undefined) {
      throw usageError(
        "It is not said where the mnemonic is to be kept.",
        "Give --output PATH.",
      );
    }
    const words = LENGTHS.find((each) => String(each) === args.text("words"));
    if (words === undefined) {
      throw usageError(
        `No mnemonic has ${args.text("words")} words.`,
        `It has ${LENGTHS.join(", ")}.`,
      );
    }
    const [{ mnemonicGenerate }, { accountFromSecret }] = await Promise.all([
      import("@polkadot/util-crypto"),
      import("../../chain/hypertensor/account.ts"),
    ]);
    const mnemonic = mnemonicGenerate(words);
    const account = accountFromSecret(mnemonic).address;
    await writeSecretFile(path, mnemonic);
    const shown = args.flag("print-mnemonic") ? { mnemonic } : {};
    context.out(
      args.flag("json") ? jsonText({ account, path, ...shown }) : facts([
        ["Account", account],
        ["File", path],
        ["Mnemonic", shown.mnemonic],
      ]),
    );
    return EXIT.ok;
  },
};

/** `meshnode account show` */
export const showAccountCommand: Command = {
  summary: "Show whose account a key is.",
  usage: "[--key-file PATH] [options]",
  description: "Shows the account of a mnemonic or private key, and no secret.",
  options: { ...KEY_OPTIONS, json: { help: "Print JSON." } },
  examples: [
    ["meshnode account show --key-file hotkey.txt", "the account of a file"],
  ],
  async run(args, context) {
    const { pair } = await signerOf(args, context);
    const account = pair?.address as string;
    context.out(args.flag("json") ? jsonText({ account }) : account);
    return EXIT.ok;
  },
};

/** `meshnode account balance` */
export const balanceCommand: Command = {
  summary: "Show what an account can spend.",
  usage: "[ACCOUNT] --chain URL [options]",
  description:
    "Shows the free balance of an account. `meshnode chain stake` shows its stakes as well.",
  options: {
    ...CHAIN_OPTIONS,
    ...KEY_OPTIONS,
    json: { help: "Print JSON, in base units: 10^18 are one TENSOR." },
  },
  positionals: 1,
  examples: [
    [
      "meshnode account balance 0x3cd0a705a2dc65e5b1e1205896baa2be8a07c6e0 --chain wss://rpc.example.org",
      "of any account",
    ],
    [
      "meshnode account balance --key-file hotkey.txt --chain wss://rpc.example.org",
      "of one's own",
    ],
  ],
  async run(args, context) {
    const [text] = args.positionals;
    const account = text === undefined
      ? (await signerOf(args, context)).account
      : await parseAccount(text);
    return await withNetwork(args, context, async ({ state }) => {
      const balance = await state.balance(account);
      context.out(
        args.flag("json")
          ? jsonText({ block: state.block, account, balance })
          : tensor(balance),
      );
      return EXIT.ok;
    });
  },
};
