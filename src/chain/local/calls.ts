import { epochPosition } from "../epoch.ts";
import { ChainCallError } from "../errors.ts";
import type { Proposal } from "../chain.ts";
import { atLeast, type NodeClass, type SubnetNodeInfo } from "../types.ts";
import type { LocalChainFacts } from "./facts.ts";
import { classNumber, readNodes, readSubmission, scoresText } from "./rows.ts";
import type { Store } from "./store.ts";

const MAX_SCORE = 2n ** 128n - 1n;

/** A node to register. */
export interface Registration {
  /** The account that signs consensus calls: `0x` and 40 hex digits. */
  readonly hotkey: string;
  /** The account that owns the node. */
  readonly coldkey: string;
  /** The peer that works in the mesh, base58. */
  readonly peerId: string;
  /** The peer that serves as a bootnode. */
  readonly bootnodePeerId?: string;
  /** The peer that acts as a client. */
  readonly clientPeerId?: string;
  /** The addresses that the peers publish, in text form. */
  readonly multiaddrs?: {
    readonly main?: string;
    readonly bootnode?: string;
    readonly client?: string;
  };
  /** Base units; the subnet's minimum by default. */
  readonly stake?: bigint;
  /**
   * `validator` for the members a subnet starts with; by default the node is
   * queued as `registered` and rises by itself.
   */
  readonly nodeClass?: NodeClass;
}

function refuse(name: string, message: string): never {
  throw new ChainCallError(name, message);
}

/** Registers a node and gives its id. @throws {ChainCallError} */
export function register(
  store: Store,
  facts: LocalChainFacts,
  block: number,
  node: Registration,
): number {
  const hotkey = account(node.hotkey);
  const coldkey = account(node.coldkey);
  if (hotkey === coldkey) {
    refuse("ColdkeyMatchesHotkey", "Coldkey and hotkey must differ.");
  }
  const kinds = [
    ["main", node.peerId],
    ["bootnode", node.bootnodePeerId],
    ["client", node.clientPeerId],
  ] as const;
  const peers = kinds.flatMap(([kind, peerId]) =>
    peerId === undefined ? [] : [[kind, peerId] as const]
  );
  for (const [, peerId] of peers) {
    if (!/^(1|Qm|f|b|z|m)[ -~]{30,127}$/.test(peerId)) {
      refuse("InvalidPeerId", `"${peerId}" is no peer id.`);
    }
    const taken = store.get("SELECT 1 FROM peers WHERE peer_id = ?", peerId) ??
      store.get("SELECT 1 FROM overwatch WHERE peer_id = ?", peerId);
    if (taken) refuse("PeerIdExist", `Peer ${peerId} is registered already.`);
  }
  if (new Set(peers.map(([, peerId]) => peerId)).size < peers.length) {
    refuse("PeerIdExist", "A peer id is given twice.");
  }
  if (store.get("SELECT 1 FROM nodes WHERE hotkey = ?", hotkey)) {
    refuse("HotkeyHasOwner", `Hotkey ${hotkey} belongs to a node already.`);
  }
  const stake = node.stake ?? facts.minStake;
  if (stake < facts.minStake) {
    refuse("MinStakeNotReached", `The least stake is ${facts.minStake}.`);
  }
  const { epoch } = epochPosition(block, facts.slot, facts.epochLength);
  const nodeClass = node.nodeClass ?? "registered";
  const start = nodeClass === "registered" ? epoch + 1 : epoch;
  const row = store.get("SELECT max(id) AS last FROM nodes");
  const id = Number(row?.["last"] ?? 0) + 1;
  store.run(
    "INSERT INTO nodes (id, hotkey, coldkey, class, start_epoch, stake) " +
      "VALUES (?, ?, ?, ?, ?, ?)",
    id,
    hotkey,
    coldkey,
    classNumber(nodeClass),
    start,
    String(stake),
  );
  for (const [kind, peerId] of peers) {
    store.run(
      "INSERT INTO peers VALUES (?, ?, ?, ?)",
      peerId,
      id,
      kind,
      node.multiaddrs?.[kind] ?? null,
    );
  }
  return id;
}

/** Takes a proposal in. @throws {ChainCallError} */
export function propose(
  store: Store,
  facts: LocalChainFacts,
  block: number,
  hotkey: string,
  proposal: Proposal,
): void {
  const { epoch } = present(facts, block, proposal.subnetId);
  const elected = store.get(
    "SELECT node_id FROM elections WHERE epoch = ?",
    epoch,
  );
  if (elected === undefined) {
    refuse("NoElectedValidator", `Nobody is elected for epoch ${epoch}.`);
  }
  const nodes = readNodes(store);
  const node = nodes.find((each) => each.hotkey === hotkey);
  if (node?.id !== Number(elected["node_id"])) {
    refuse("InvalidValidator", `${hotkey} is not elected for epoch ${epoch}.`);
  }
  if (readSubmission(store, epoch) !== undefined) {
    refuse(
      "SubnetRewardsAlreadySubmitted",
      `Epoch ${epoch} has a proposal already.`,
    );
  }
  if (
    proposal.scores.some(({ score }) => score < 0n || score > MAX_SCORE)
  ) refuse("ScoreOverflow", "A score is not between 0 and 2^128 - 1.");
  const eligible = new Set(
    nodes.filter((each) => counts(each, "included", epoch))
      .map(({ id }) => id),
  );
  const scores = proposal.scores
    .filter(({ nodeId }) => eligible.has(nodeId))
    .filter(({ nodeId }, i, all) => nodeId !== all[i - 1]?.nodeId);
  const electorate = nodes.filter((each) => counts(each, "validator", epoch))
    .map(({ id }) => id);
  store.run(
    "INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?)",
    epoch,
    node.id,
    block,
    scoresText(scores),
    JSON.stringify(electorate),
    proposal.prioritizeQueueNodeId ?? null,
    proposal.removeQueueNodeId ?? null,
  );
  store.run("INSERT INTO attestations VALUES (?, ?, ?)", epoch, node.id, block);
}

/** Takes an attestation in. @throws {ChainCallError} */
export function attest(
  store: Store,
  facts: LocalChainFacts,
  block: number,
  hotkey: string,
  subnetId: number,
): void {
  const { epoch } = present(facts, block, subnetId);
  const node = readNodes(store).find((each) => each.hotkey === hotkey);
  if (node === undefined) {
    refuse("InvalidHotkeySubnetNodeId", `${hotkey} has no node here.`);
  }
  if (!counts(node, "validator", epoch)) {
    refuse(
      "InvalidSubnetNodeClassification",
      `Node ${node.id} is ${node.nodeClass}; validators attest.`,
    );
  }
  const submission = readSubmission(store, epoch);
  if (submission === undefined) {
    refuse(
      "InvalidSubnetConsensusSubmission",
      `Epoch ${epoch} has no proposal yet.`,
    );
  }
  if (submission.attestations.has(node.id)) {
    refuse("AlreadyAttested", `Node ${node.id} has attested already.`);
  }
  store.run("INSERT INTO attestations VALUES (?, ?, ?)", epoch, node.id, block);
}

/** Whether a node is at least of a class whose time has come. */
export function counts(
  node: SubnetNodeInfo,
  minimum: NodeClass,
  epoch: number,
): boolean {
  return atLeast(node.nodeClass, minimum) && node.startEpoch <= epoch;
}

function present(facts: LocalChainFacts, block: number, subnetId: number) {
  if (subnetId !== facts.subnetId || facts.state === "removed") {
    refuse("InvalidSubnetId", `There is no subnet ${subnetId}.`);
  }
  if (facts.state === "paused") refuse("Paused", "The subnet is paused.");
  return epochPosition(block, facts.slot, facts.epochLength);
}

/** An account in its usual form. @throws {ChainCallError} */
export function account(text: string): string {
  const lower = text.toLowerCase();
  if (/^0x[0-9a-f]{40}$/.test(lower)) return lower;
  return refuse("InvalidAccount", `"${text}" is no account.`);
}
