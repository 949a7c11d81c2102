import type { Chain, ChainSigner } from "../../chain/chain.ts";
import type { SubnetNodeInfo } from "../../chain/types.ts";
import { parseAttestPolicy } from "../../consensus/attest_policy.ts";
import { Consensus } from "../../consensus/driver.ts";
import type { JournalEntry } from "../../consensus/journal.ts";
import { MemoryJournal } from "../../consensus/memory_journal.ts";
import type { ConsensusReport } from "../../consensus/report.ts";
import { deadline } from "../../core/deadline.ts";
import { MeshError } from "../../core/errors.ts";
import { Directory } from "../../heartbeat/directory.ts";
import { type Parsed, usageError } from "../args.ts";
import { count } from "../chain/words.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit.ts";
import { jsonText } from "../json.ts";
import { printable } from "../table.ts";
import {
  decisionText,
  dryRunReport,
  reasonText,
  scoresText,
} from "./dry_run_report.ts";
import { type JoinedSubnet, SUBNET_OPTIONS, withMesh } from "./subnet.ts";

/** How long the names of nodes may take to read, ms. */
const READ_TIMEOUT = 5_000;
/** Epochs that are looked back at. */
const KEPT = 2;

/** `meshnode consensus dry-run` */
export const dryRunCommand: Command = {
  isLasting: true,
  summary: "Decide an epoch as a node would, and send nothing.",
  usage: "--chain URL --identity PATH [options]",
  description:
    `Reads heartbeats and chain as a node does, scores the present epoch, compares
with what is proposed, and says what the node would have done and why. Nothing
is sent to the chain, and nothing is stored in the mesh.

It joins the mesh as a client: --identity is that of a node's client peer, or of
an overwatch node, never that of a running node. Scores are those of the built-in
presence scorer. Ends after --epochs, or with Ctrl-C.`,
  options: {
    ...SUBNET_OPTIONS,
    node: {
      value: "ID",
      help: "Decide as this node; by default that of the identity.",
    },
    epochs: { value: "N", help: "Epochs to decide.", default: "1" },
    "attest-policy": {
      value: "POLICY",
      help: "Which proposals to attest: exact, or tolerance:PART.",
      default: "exact",
    },
    json: { help: "Print one JSON text per line." },
  },
  examples: [
    [
      "meshnode consensus dry-run --chain wss://rpc.example.org --subnet-id 128001 --identity client.key",
      "the present epoch, as the node of a client peer",
    ],
    [
      "meshnode consensus dry-run --chain local:.meshnode/dev/chain.db --identity .meshnode/dev/client.key --node 1 --epochs 3",
      "three epochs of `meshnode dev`, as its first validator",
    ],
  ],
  run: (args, context) =>
    withMesh(args, context, async (subnet) => {
      const epochs = args.integer("epochs", 1, 1_000_000);
      const attest = parseAttestPolicy(args.text("attest-policy") as string);
      const node = await nodeOf(subnet, args, context.signal);
      const run = new DryRun(subnet, node, context, args.flag("json"));
      await run.decide(epochs, attest);
      return EXIT.ok;
    }),
};

/** The node as which to decide. */
async function nodeOf(
  { id, chain, identity }: JoinedSubnet,
  args: Parsed,
  signal: AbortSignal,
): Promise<SubnetNodeInfo> {
  const view = await chain.view(undefined, { signal });
  const nodes = await view.nodes(id, { signal });
  if (args.text("node") !== undefined) {
    const wanted = args.integer("node", 0, 2 ** 32 - 1);
    const node = nodes.find((each) => each.id === wanted);
    if (node !== undefined) return node;
    throw usageError(
      `Subnet ${id} has no node ${wanted}.`,
      "`meshnode chain nodes` lists them.",
    );
  }
  const own = nodes.find(({ peer, client, bootnode }) =>
    [peer, client, bootnode].some((each) => each?.peerId === identity.peerId)
  );
  if (own !== undefined) return own;
  throw usageError(
    `Peer ${identity.peerId} belongs to no node of subnet ${id}.`,
    "Say with --node as which node to decide.",
  );
}

/** A journal that tells when scores are there and a proposal is waited for. */
class TellingJournal extends MemoryJournal {
  readonly #tell: (entry: JournalEntry) => void;

  constructor(tell: (entry: JournalEntry) => void) {
    super(KEPT);
    this.#tell = tell;
  }

  override record(entry: JournalEntry): void {
    super.record(entry);
    const waits = entry.after.vote.name === "comparing";
    if (entry.event.type === "scored" && waits) this.#tell(entry);
  }
}

/** One dry run. */
class DryRun {
  readonly #subnet: JoinedSubnet;
  readonly #node: SubnetNodeInfo;
  readonly #context: CommandContext;
  readonly #json: boolean;
  readonly #ending = new AbortController();
  readonly #journal = new TellingJournal((entry) => this.#scored(entry));
  /** What is printed stays in its order. */
  #printing: Promise<void> = Promise.resolve();
  #left = 0;

  constructor(
    subnet: JoinedSubnet,
    node: SubnetNodeInfo,
    context: CommandContext,
    json: boolean,
  ) {
    this.#subnet = subnet;
    this.#node = node;
    this.#context = context;
    this.#json = json;
  }

  /** Decides so many epochs. */
  async decide(
    epochs: number,
    attest: ReturnType<typeof parseAttestPolicy>,
  ): Promise<void> {
    const { chain, client, id } = this.#subnet;
    this.#left = epochs;
    const { nodeClass, peer } = this.#node;
    this.#say("begun", { nodeId: this.#node.id, nodeClass }, [
      `Deciding as node ${this.#node.id} (${nodeClass}) of subnet ${id}, peer ` +
      `${peer.peerId}. Nothing is sent, and nothing is stored.`,
    ]);
    const consensus: Consensus = new Consensus({
      chain,
      signer: silentSigner(this.#node.hotkey),
      subnetId: id,
      directory: new Directory(client.dht),
      journal: () =>
        Promise.resolve({
          journal: this.#journal,
          isReplacement: false,
          [Symbol.dispose]: () => {},
        }),
      joined: () => client.members().length > 0,
      rules: { dryRun: true, attest },
      onReport: (report) => this.#told(report, consensus),
    });
    const { signal } = this.#context;
    await consensus.run(AbortSignal.any([signal, this.#ending.signal]));
    await this.#printing;
  }

  #told(report: ConsensusReport, consensus: Consensus): void {
    switch (report.kind) {
      case "work":
        return;
      case "epoch":
        return this.#say("epoch", { epoch: report.epoch }, [
          `Epoch ${report.epoch}: scoring.`,
        ]);
      case "waiting":
        // The mesh was joined before: a second look at this block will do.
        if (consensus.state.vote.name === "scoring") return consensus.poke();
        return this.#say("waiting", { reason: report.reason }, [
          `Waiting: ${report.reason}.`,
        ]);
      case "life":
        return this.#say("life", { text: report.text }, [
          `${report.text[0]?.toUpperCase()}${report.text.slice(1)}.`,
        ]);
      case "outcome":
        this.#printing = this.#printing.then(() => this.#print(report));
        if (--this.#left <= 0) this.#ending.abort();
    }
  }

  #scored({ event, epoch }: JournalEntry): void {
    if (event.type !== "scored") return;
    const { scores, observation: { elected, submission } } = event;
    const waits = submission === undefined
      ? `the proposal of ${
        elected === undefined ? "whoever is elected" : `node ${elected}`
      } is waited for`
      : `the proposal of node ${submission.validatorId} differs, and is ` +
        "compared again";
    this.#say("scored", { epoch, scores, elected }, [
      `Epoch ${epoch}: ${count(scores.length, "node")} scored; ${waits}.`,
    ]);
  }

  async #print(
    told: Extract<ConsensusReport, { kind: "outcome" }>,
  ): Promise<void> {
    const recording = this.#journal.recording(told.epoch);
    const report = dryRunReport(this.#node.id, told, recording);
    const why = reasonText(report);
    const lines = ["", decisionText(report), ...why === undefined ? [] : [why]];
    if (report.scores !== undefined && !this.#json) {
      const nodes = await this.#nodes(this.#subnet.chain);
      lines.push("", scoresText(report.scores, nodes));
    }
    this.#say("outcome", { ...report }, lines);
  }

  /** For their names only: without them, the scores are told all the same. */
  async #nodes(chain: Chain): Promise<readonly SubnetNodeInfo[]> {
    using limit = deadline(READ_TIMEOUT);
    const { signal } = limit;
    try {
      const view = await chain.view(undefined, { signal });
      return await view.nodes(this.#subnet.id, { signal });
    } catch {
      return [this.#node];
    }
  }

  #say(
    event: string,
    details: Readonly<Record<string, unknown>>,
    lines: readonly string[],
  ): void {
    const { out } = this.#context;
    if (this.#json) out(jsonText({ event, ...details }));
    else for (const each of lines.join("\n").split("\n")) out(printable(each));
  }
}

/** Signs for nobody, should a dry run ever ask it to. */
function silentSigner(hotkey: string): ChainSigner {
  const refuse = () =>
    Promise.reject(
      new MeshError("DRY_RUN", "A dry run sends nothing to the chain."),
    );
  return { hotkey, propose: refuse, attest: refuse };
}
