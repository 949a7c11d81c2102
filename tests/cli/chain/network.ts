import { generateIdentity } from "../../../mod.ts";
import { ONE } from "../../../src/chain/types.ts";
import { CHAIN_COMMANDS } from "../../../src/cli/chain/commands.ts";
import { dispatch } from "../../../src/cli/command.ts";
import { describeError, exitCodeOf } from "../../../src/cli/exit.ts";
import type { Prompt } from "../../../src/cli/prompt.ts";
import { signingVectors } from "../../fixtures/chain/fixtures.ts";
import {
  ChainServer,
  type ChainServerOptions,
} from "../../fixtures/chain/server/mod.ts";

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What is typed at a question; a function does something first. */
export type Answer = boolean | string | (() => boolean);

/** A chain with four validators, and somebody at a terminal who asks it. */
export interface TestNetwork {
  /** The chain. */
  readonly server: ChainServer;
  /** The subnet's id, as text. */
  readonly subnet: string;
  /** An account with 500 TENSOR that owns the subnet. */
  readonly owner: string;
  /** The file of its key. */
  readonly keyFile: string;
  /** Questions that were asked. */
  readonly asked: string[];
  /** Runs a command on the chain; without answers there is no terminal. */
  run(
    args: readonly string[],
    answers?: readonly Answer[],
  ): Promise<Ran>;
}

/** An account that belongs to nobody. */
export function accountOf(n: number): string {
  return `0x${n.toString(16).padStart(40, "0")}`;
}

/** Gives such a network to a test. */
export async function withNetwork(
  test: (network: TestNetwork) => Promise<void>,
  options: ChainServerOptions = {},
): Promise<void> {
  const { signer } = await signingVectors();
  const owner = signer.address.toLowerCase();
  const folder = await Deno.makeTempDir();
  const server = await ChainServer.start({
    blockMilliseconds: 100,
    automatic: true,
    owner,
    ...options,
  });
  try {
    for (let n = 1; n <= 4; n++) {
      server.register({
        hotkey: accountOf(n),
        coldkey: accountOf(1_000 + n),
        peerId: generateIdentity().peerId,
        nodeClass: "validator",
      });
    }
    server.ledger.pay(owner, 500n * ONE);
    // The first block has no state that could be asked for.
    server.produce();
    const keyFile = `${folder}/owner.txt`;
    await Deno.writeTextFile(keyFile, signer.mnemonic, { mode: 0o600 });
    const asked: string[] = [];
    await test({
      server,
      subnet: String(server.subnetId),
      owner,
      keyFile,
      asked,
      run: (args, answers) =>
        runCommand([...args, "--chain", server.url], asked, answers),
    });
  } finally {
    await server.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a command in this process, with a terminal only where there are answers. */
export async function runCommand(
  args: readonly string[],
  asked: string[] = [],
  answers?: readonly Answer[],
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const waiting = [...answers ?? []];
  const answer = <T>(question: string): Promise<T> => {
    asked.push(question);
    const next = waiting.shift();
    if (next === undefined) throw new Error(`Nobody answers: ${question}`);
    return Promise.resolve((typeof next === "function" ? next() : next) as T);
  };
  const prompt: Prompt = {
    interactive: answers !== undefined,
    confirm: (question) => answer<boolean>(question),
    secret: (question) => answer<string>(question),
  };
  const root = { summary: "", commands: CHAIN_COMMANDS };
  let code: number;
  try {
    code = await dispatch("meshnode", root, args, {
      out: (line) => out.push(line) > 0,
      err: (line) => err.push(line),
      isTerminal: false,
      prompt,
      signal: new AbortController().signal,
    });
  } catch (error) {
    err.push(describeError(error));
    code = exitCodeOf(error);
  }
  return { code, out: out.join("\n"), err: err.join("\n") };
}
