import type { Chain } from "../../chain/chain.ts";
import { type EpochPosition, epochPosition } from "../../chain/epoch.ts";
import type { ConsensusSubmission } from "../../chain/types.ts";
import type { NodeEvent } from "../node_event.ts";
import { DEV_SUBNET, type DevNode } from "./setup.ts";

/** What is known of one node's process. */
export interface NodeView {
  /** Its name. */
  readonly name: string;
  /** Base58. */
  readonly peerId: string;
  /** `starting` until the process tells more; `down` when it ended. */
  state: "starting" | "joining" | "online" | "isolated" | "offline" | "down";
  /** Open connections. */
  connections: number;
  /** Live records held. */
  records: number;
  /** Milliseconds by the other's name. */
  rtt: ReadonlyMap<string, number>;
}

/** What the chain says. */
export interface ChainState {
  /** The newest block. */
  readonly block: number;
  /** Where it lies. */
  readonly position: EpochPosition;
  /** Name of the elected validator. */
  readonly elected: string | undefined;
  /** The epoch's proposal. */
  readonly submission: ConsensusSubmission | undefined;
}

/** How an epoch ended, or stands. */
export interface EpochResult {
  /** The subnet epoch. */
  readonly epoch: number;
  /** Names of those who attested. */
  readonly attested: readonly string[];
  /** How many could have. */
  readonly of: number;
}

const MAX_EVENTS = 200;
const MAX_RESULTS = 8;

/** Everything the view shows, kept from what nodes and chain tell. */
export class DevState {
  /** The nodes, the bootnode first. */
  readonly nodes: readonly NodeView[];
  /** The chain; absent until it was read, or while it cannot be. */
  chain: ChainState | undefined;
  /** The last epochs, oldest first. */
  results: EpochResult[] = [];
  /** The last events, oldest first. */
  readonly events: string[] = [];
  readonly #tell: (text: string) => void;
  readonly #byId: ReadonlyMap<number, string>;
  readonly #byPeer: ReadonlyMap<string, string>;
  #told = { elected: -1, proposed: -1, attested: "" };

  /** `tell` is given every event, as text. */
  constructor(nodes: readonly DevNode[], tell: (text: string) => void) {
    this.#tell = tell;
    this.#byId = new Map(
      nodes.flatMap(({ nodeId, name }) =>
        nodeId === undefined ? [] : [[nodeId, name] as const]
      ),
    );
    this.#byPeer = new Map(nodes.map(({ peerId, name }) => [peerId, name]));
    this.nodes = nodes.map(({ name, peerId }) => ({
      name,
      peerId,
      state: "starting",
      connections: 0,
      records: 0,
      rtt: new Map(),
    }));
  }

  /** Notes an event. */
  event(text: string): void {
    this.events.push(text);
    if (this.events.length > MAX_EVENTS) this.events.shift();
    this.#tell(text);
  }

  /** Takes in what a node's process tells. */
  onNodeEvent(name: string, event: NodeEvent): void {
    const node = this.nodes.find((each) => each.name === name);
    if (node === undefined) return;
    switch (event.event) {
      case "started":
        this.event(`${name} started: ${event.addresses[0] ?? event.peerId}`);
        return;
      case "status": {
        const isAlone = event.network === "isolated";
        const state = isAlone ? event.network : event.state;
        if (node.state !== state) this.event(`${name} ${state}`);
        node.state = state;
        node.connections = event.connections;
        node.records = event.records;
        node.rtt = new Map(
          Object.entries(event.rtt).map(([peer, time]) => [
            this.#byPeer.get(peer) ?? peer,
            time,
          ]),
        );
        return;
      }
      case "consensus":
        // What the chain shows is told once, by the chain.
        if (/: (begun|proposed|attested)$/.test(event.text)) return;
        this.event(`${name} ${event.text}`);
        return;
      case "stopped":
        node.state = "offline";
        this.event(`${name} offline, stopped`);
    }
  }

  /** Notes that a node's process ended by itself. */
  onNodeExit(name: string, code: number, restartIn: number): void {
    const node = this.nodes.find((each) => each.name === name);
    if (node !== undefined) node.state = "down";
    const seconds = restartIn / 1_000;
    this.event(`${name} ended with code ${code}, starts again in ${seconds} s`);
  }

  /** Reads the chain anew. */
  async readChain(chain: Chain, signal: AbortSignal): Promise<void> {
    try {
      const { epochLength } = await chain.constants({ signal });
      const view = await chain.view(undefined, { signal });
      const subnet = await view.subnet(DEV_SUBNET, { signal });
      const position = epochPosition(
        view.block.number,
        subnet?.slot ?? 0,
        epochLength,
      );
      const { epoch } = position;
      const [elected, submission, before] = await Promise.all([
        view.electedValidator(DEV_SUBNET, epoch, { signal }),
        view.submission(DEV_SUBNET, epoch, { signal }),
        epoch === 0
          ? undefined
          : view.submission(DEV_SUBNET, epoch - 1, { signal }),
      ]);
      this.chain = {
        block: view.block.number,
        position,
        elected: elected === undefined ? undefined : this.#name(elected),
        submission,
      };
      if (before) this.#result(epoch - 1, before);
      this.#tellEpoch(epoch);
    } catch (error) {
      if (signal.aborted) return;
      if (this.chain !== undefined) {
        this.event(
          `the chain cannot be read: ${
            error instanceof Error ? error.message : error
          }`,
        );
      }
      this.chain = undefined;
    }
  }

  /** Names of those who attested, the proposer first. */
  attested(submission: ConsensusSubmission): string[] {
    return [...submission.attestations.keys()].map((id) => this.#name(id));
  }

  #name(id: number): string {
    return this.#byId.get(id) ?? `node ${id}`;
  }

  #result(epoch: number, submission: ConsensusSubmission): void {
    this.results = [
      ...this.results.filter((each) => each.epoch !== epoch),
      {
        epoch,
        attested: this.attested(submission),
        of: submission.electorate.length,
      },
    ].sort((a, b) => a.epoch - b.epoch).slice(-MAX_RESULTS);
  }

  #tellEpoch(epoch: number): void {
    const { elected, submission } = this.chain as ChainState;
    if (elected !== undefined && this.#told.elected !== epoch) {
      this.#told.elected = epoch;
      this.event(`epoch ${epoch}: ${elected} is elected`);
    }
    if (submission === undefined) return;
    if (this.#told.proposed !== epoch) {
      this.#told.proposed = epoch;
      this.event(
        `epoch ${epoch}: ${
          this.#name(submission.validatorId)
        } proposed ${submission.scores.length} scores`,
      );
    }
    const attested = this.attested(submission);
    const text = `epoch ${epoch}: attested ${attested.length}/` +
      `${submission.electorate.length} by ${attested.join(", ")}`;
    // The proposer's own is part of the proposal.
    if (attested.length > 1 && this.#told.attested !== text) {
      this.#told.attested = text;
      this.event(text);
    }
    this.#result(epoch, submission);
  }
}
