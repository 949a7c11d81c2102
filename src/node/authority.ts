import type { Authorizer } from "../auth/authorizer.ts";
import { CallLimiter } from "../auth/call_limiter.ts";
import { SignatureAuthorizer } from "../auth/signature_authorizer.ts";
import { ProofOfStakeAuthorizer } from "../auth/stake_authorizer.ts";
import { StakeRegistry } from "../auth/stake_registry.ts";
import type { Clock } from "../core/clock.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Identity } from "../identity/mod.ts";
import type { Admission } from "../network/mod.ts";
import { nodeAdmission } from "./admission.ts";
import type { NodeOptions } from "./options.ts";

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
