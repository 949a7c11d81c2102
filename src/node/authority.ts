import type { Authorizer } from "../auth/authorizer.ts";
import { CallLimiter } from "../auth/call_limiter.ts";
import { SignatureAuthorizer } from "../auth/signature_authorizer.ts";
import { ProofOfStakeAuthorizer } from "../auth/stake_authorizer.ts";
import { StakeRegistry } from "../auth/stake_registry.ts";
import { checkPhases } from "../consensus/phases.ts";
import type { Clock } from "../core/clock.ts";
import { raceSignal } from "../core/deadline.ts";
import { loggerOf } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Identity } from "../identity/mod.ts";
import type { Admission } from "../network/mod.ts";
import { nodeAdmission } from "./admission.ts";
import type { NodeOptions } from "./options.ts";

/** How long the first look at the chain may take, ms. */
const FIRST_READ_TIMEOUT = 15_000;

/** Who may connect, who may call, and how often. */
export interface Authority {
  /** Signs and checks messages. */
  readonly authorizer: Authorizer;
  /** Who has stake; absent without a chain. */
  readonly registry: StakeRegistry | undefined;
  /** Limits what peers ask; absent when nothing is to be limited. */
  readonly limiter: CallLimiter | undefined;
  /** Whose connections are allowed. */
  readonly admission: Admission;
}

/** Makes the parts that say who may do what, as the options want them. */
export function makeAuthority(
  options: NodeOptions,
  identity: Identity,
  subnetId: number,
  clock: Clock,
  metrics: Metrics,
): Authority {
  const { chain, limits, freshness } = options;
  const signatures = new SignatureAuthorizer(identity, clock, freshness);
  const registry = chain && new StakeRegistry({
    ...{ chain: chain.chain, subnetId, clock, metrics },
    ...(chain.minClass === undefined ? {} : { minClass: chain.minClass }),
    ...(chain.grace === undefined ? {} : { grace: chain.grace }),
  });
  const limiter = limits?.calls === "none" ? undefined : new CallLimiter({
    ...(limits?.calls === undefined ? {} : { quotas: limits.calls }),
    freeIdentities: registry === undefined,
    ...{ clock, metrics },
  });
  return {
    authorizer: registry === undefined
      ? signatures
      : new ProofOfStakeAuthorizer(signatures, registry),
    registry,
    limiter,
    admission: nodeAdmission(registry, limiter),
  };
}

/** Reads the members once, says what the chain thinks of us, and gives its bootnodes. */
export async function readChain(
  registry: StakeRegistry,
  options: NodeOptions & {
    readonly identity: Identity;
    readonly subnetId: number;
  },
): Promise<string[]> {
  const { chain, identity, subnetId } = options;
  if (chain === undefined) return [];
  const log = loggerOf("node");
  const limit = AbortSignal.timeout(FIRST_READ_TIMEOUT);
  const signal = options.signal === undefined
    ? limit
    : AbortSignal.any([limit, options.signal]);
  const { phases } = options.subnet ?? {};
  if (phases !== undefined) {
    const { epochLength } = await chain.chain.constants({ signal });
    checkPhases(phases, epochLength);
  }
  await raceSignal(registry.refresh(undefined, signal), signal);
  if (await registry.check(identity.peerId, { signal }) !== "staked") {
    log.error(
      "Peer {peerId} has no stake in subnet {subnetId}: other nodes refuse " +
        "its connections. Register it on the chain as a node of the subnet.",
      { peerId: identity.peerId, subnetId },
    );
  }
  const view = await chain.chain.view(undefined, { signal });
  const bootnodes = await view.bootnodes(subnetId, { signal });
  return bootnodes
    .filter(({ peerId }) => peerId !== identity.peerId)
    .map(({ peerId, multiaddr }) =>
      multiaddr.includes("/p2p/") ? multiaddr : `${multiaddr}/p2p/${peerId}`
    );
}
