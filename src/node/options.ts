import type { CallQuotas } from "../auth/call_quotas.ts";
import type { ClockMonitorOptions, ClockState } from "../auth/clock_monitor.ts";
import type { SignatureAuthorizerOptions } from "../auth/signature_authorizer.ts";
import type { StakeHealth } from "../auth/stake_registry.ts";
import type { Chain, ChainSigner } from "../chain/chain.ts";
import type { NodeClass } from "../chain/types.ts";
import type { AttestPolicy } from "../consensus/attest_policy.ts";
import type { Phases } from "../consensus/phases.ts";
import type { ConsensusReport } from "../consensus/report.ts";
import type { QueuePolicy, Scorer } from "../consensus/scorer.ts";
import type { WorkProvider } from "../consensus/work_provider.ts";
import type { Clock } from "../core/clock.ts";
import type { Metrics } from "../core/metrics.ts";
import type { CacheOptions } from "../dht/mod.ts";
import type { Identity } from "../identity/mod.ts";
import type { InboundQuotas, MembershipState } from "../network/mod.ts";
import type { StorageLimits } from "../records/limits.ts";
import type { KeyRule } from "../validation/key_rule.ts";
import type { RecordValidator } from "../validation/validator.ts";

/** What makes a subnet its own. */
export interface SubnetRules {
  /** How nodes are scored; by presence by default. */
  readonly scorer?: Scorer;
  /** What nodes do in every epoch, commit to and reveal; nothing by default. */
  readonly work?: WorkProvider;
  /** What proposals may do to the queue of waiting nodes; nothing by default. */
  readonly queue?: QueuePolicy;
  /** Boundaries of the epoch; those of the documentation by default. */
  readonly phases?: Phases;
  /**
   * The kinds of records besides heartbeats, in a subnet with a chain: commits,
   * reveals and scores by default. Others are refused; `any` takes them all.
   */
  readonly rules?: readonly KeyRule[] | "any";
  /** Rules for records beyond signatures and kinds. */
  readonly validators?: readonly RecordValidator[];
}

/** The chain that says who may take part. */
export interface ChainOptions {
  /** The chain; the node closes it. */
  readonly chain: Chain;
  /** Signs consensus calls; without it the node serves and does not vote. */
  readonly signer?: ChainSigner;
  /** Least class of a peer; `idle` by default. */
  readonly minClass?: NodeClass;
  /** How long members stay admitted while the chain is away, seconds; 900 by default. */
  readonly grace?: number;
}

/** What others may ask of the node. */
export interface LimitOptions {
  /** Quotas of calls; {@linkcode CALL_QUOTAS} by default, or none at all. */
  readonly calls?: CallQuotas | "none";
  /** Quotas of connections by address; {@linkcode INBOUND_QUOTAS} by default. */
  readonly connections?: InboundQuotas;
  /** Most members taken in from one /24 of IPv4 or /64 of IPv6, this machine excepted; 32 by default. */
  readonly perNetwork?: number;
}

/** How the node's own clock is looked at. */
export type ClockOptions = Pick<
  ClockMonitorOptions,
  "tolerance" | "leastPeers"
>;

/** Options of {@linkcode createNode}. */
export interface NodeOptions {
  /** The peer's key; a new one by default. */
  readonly identity?: Identity;
  /** The subnet's id; 1 by default. */
  readonly subnetId?: number;
  /** Without a chain, peers are believed by their signatures alone. */
  readonly chain?: ChainOptions;
  /** How far a call's time may be from the node's own. */
  readonly freshness?: Pick<SignatureAuthorizerOptions, "window" | "skew">;
  /** When its clock counts as off. */
  readonly clockCheck?: ClockOptions;
  /** What others may ask of it. */
  readonly limits?: LimitOptions;
  /** The subnet's own rules. */
  readonly subnet?: SubnetRules;
  /** Multiaddrs to listen on; a free port of this machine only by default. */
  readonly listen?: readonly string[];
  /** Multiaddrs told to others instead of those. */
  readonly announce?: readonly string[];
  /** Multiaddrs with `/p2p/…` of nodes to enter the mesh through. */
  readonly bootstrap?: readonly string[];
  /** What the heartbeat calls the node; `validator` by default. */
  readonly role?: string;
  /** A name for people, told in the heartbeat. */
  readonly publicName?: string;
  /** Seconds between heartbeats; 120 by default, at most half an epoch of the chain. */
  readonly heartbeatPeriod?: number;
  /** Which proposals are attested; those that equal our scores by default. */
  readonly attestPolicy?: AttestPolicy;
  /**
   * What to do while the subnet is inactive, or the node is not in it: `stay`
   * in the mesh (the default), or `leave` it: say so, close all connections,
   * let nobody in, and enter again when there is something to do.
   */
  readonly whileInactive?: "stay" | "leave";
  /** Keep what was read under hot keys for some seconds; nothing is kept by default. */
  readonly cache?: CacheOptions;
  /** Is told what happens in consensus. */
  readonly onConsensus?: (report: ConsensusReport) => void;
  /** Folder of this node's own files, made when it is missing; without one, records and journal end with the process. */
  readonly dataFolder?: string;
  /** Bounds of the records held here; {@linkcode FILE_LIMITS} or {@linkcode MEMORY_LIMITS} by default. */
  readonly storageLimits?: Partial<StorageLimits>;
  /** Ends the start, and nothing after it. */
  readonly signal?: AbortSignal;
  /** The time; the machine's by default. */
  readonly clock?: Clock;
  /** Where to count; nowhere by default. */
  readonly metrics?: Metrics;
}

/** What keeps a node from full work. */
export interface Unready {
  /** Which part of it. */
  readonly part: "mesh" | "stake" | "clock" | "work";
  /** Why, as a full sentence. */
  readonly reason: string;
}

/** What a node is doing, at one moment. */
export interface NodeStatus {
  /** Base58. */
  readonly peerId: string;
  /** What its heartbeat says. */
  readonly state: "offline" | "joining" | "online";
  /** Whether nothing keeps it from full work. */
  readonly ready: boolean;
  /** What does; empty when it is ready. */
  readonly unready: readonly Unready[];
  /** What its peers say of its clock. */
  readonly clock: ClockState;
  /** How well the members are known; absent without a chain. */
  readonly stake: StakeHealth | undefined;
  /** Where it stands in the mesh; `isolated` when it should see others and does not. */
  readonly network: MembershipState;
  /** Open connections to peers. */
  readonly connections: number;
  /** Live records held. */
  readonly records: number;
  /** Round-trip times in milliseconds by peer id. */
  readonly rtt: ReadonlyMap<string, number>;
  /** The consensus machine's state; absent when the node does not vote. */
  readonly consensus: string | undefined;
}
