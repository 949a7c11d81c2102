// deno-lint-ignore-file no-console
// A process that votes for node 1 on a chain in a file, with a journal in a
// folder, and prints every call that it makes and every report.
import {
  type ChainSigner,
  Consensus,
  LocalChain,
  ONE,
  openJournal,
} from "../../mod.ts";
import { accountOf } from "../chain/local/fixture.ts";

const [path = "", folder = ""] = Deno.args;
const chain = LocalChain.open(path);
const signer = chain.signer(accountOf(1));
const tell = (line: Record<string, unknown>) =>
  console.log(JSON.stringify(line));

/** Tells of a call before it is made, and what became of it. */
async function told<T>(call: string, make: () => Promise<T>): Promise<T> {
  const { number: block } = await chain.head();
  tell({ call, block });
  try {
    const result = await make();
    tell({ call, block, ended: "included" });
    return result;
  } catch (error) {
    tell({ call, block, ended: String(error) });
    throw error;
  }
}

const telling: ChainSigner = {
  hotkey: signer.hotkey,
  propose: (...args) => told("propose", () => signer.propose(...args)),
  attest: (...args) => told("attest", () => signer.attest(...args)),
};
tell({ started: (await chain.head()).number });
await new Consensus({
  ...{ chain, signer: telling, subnetId: 1 },
  directory: { read: () => Promise.resolve([]) },
  scorer: { score: () => Promise.resolve([{ nodeId: 1, score: ONE }]) },
  journal: (signal) => openJournal(folder, signal),
  onReport: (report) => tell({ report }),
}).run(new AbortController().signal);
