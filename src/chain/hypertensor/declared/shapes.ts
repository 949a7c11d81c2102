// Parts of the runtime API's structures that all layouts share.
import { NODE_CLASSES } from "../../types.ts";
import {
  accountId,
  binary,
  listOf,
  option,
  pairsOf,
  structure,
  u128,
  u32,
  utf8,
  variant,
} from "./kinds.ts";

const initialColdkeys = option(pairsOf(accountId, u32));

/** `SubnetInfo` up to the epoch of the last pause. */
export const SUBNET_HEAD = {
  id: u32,
  friendlyId: option(u32),
  name: utf8,
  repo: utf8,
  description: utf8,
  misc: utf8,
  state: variant(
    "PalletNetworkSubnetState",
    ["registered", "active", "paused"] as const,
  ),
  startEpoch: u32,
  churnLimit: u32,
  churnLimitMultiplier: u32,
  minStake: u128,
  maxStake: u128,
  queueImmunityEpochs: u32,
  targetNodeRegistrationsPerEpoch: u32,
  nodeRegistrationsThisEpoch: u32,
  subnetNodeQueueEpochs: u32,
  idleClassificationEpochs: u32,
  includedClassificationEpochs: u32,
  delegateStakePercentage: u128,
  lastDelegateStakeRewardsUpdate: u32,
  nodeBurnRateAlpha: u128,
  currentNodeBurnRate: u128,
  initialColdkeys,
  initialColdkeyData: initialColdkeys,
  maxRegisteredNodes: u32,
  owner: option(accountId),
  pendingOwner: option(accountId),
  registrationEpoch: option(u32),
  prevPauseEpoch: u32,
} as const;

/** `SubnetInfo` from the slot to who may change bootnodes. */
export const SUBNET_MIDDLE = {
  slotIndex: option(u32),
  slotAssignment: option(u32),
  subnetNodeMinWeightDecreaseReputationThreshold: u128,
  reputation: u128,
  minSubnetNodeReputation: u128,
  absentDecreaseReputationFactor: u128,
  includedIncreaseReputationFactor: u128,
  belowMinWeightDecreaseReputationFactor: u128,
  nonAttestorDecreaseReputationFactor: u128,
  nonConsensusAttestorDecreaseReputationFactor: u128,
  validatorAbsentReputationFactor: u128,
  validatorNonConsensusReputationFactor: u128,
  bootnodeAccess: listOf(accountId),
} as const;

/** `SubnetInfo` after the bootnodes. */
export const SUBNET_TAIL = {
  totalNodes: u32,
  totalActiveNodes: u32,
  totalElectableNodes: u32,
  currentMinDelegateStake: u128,
  totalSubnetStake: u128,
  totalSubnetDelegateStakeShares: u128,
  totalSubnetDelegateStakeBalance: u128,
} as const;

/** `SubnetNodeInfo` before the peers. */
export const NODE_HEAD = {
  subnetId: u32,
  subnetNodeId: u32,
  coldkey: accountId,
  hotkey: accountId,
} as const;

/** `SubnetNodeInfo` after the peers. */
export const NODE_TAIL = {
  identity: structure("PalletNetworkColdkeyIdentityData", {
    name: utf8,
    url: utf8,
    image: utf8,
    discord: utf8,
    x: utf8,
    telegram: utf8,
    github: utf8,
    huggingFace: utf8,
    description: utf8,
    misc: utf8,
  }),
  classification: structure("PalletNetworkSubnetNodeClassification", {
    nodeClass: variant("PalletNetworkSubnetNodeClass", NODE_CLASSES),
    startEpoch: u32,
  }),
  delegateRewardRate: u128,
  lastDelegateRewardRateUpdate: u32,
  unique: option(binary),
  nonUnique: option(binary),
  stakeBalance: u128,
  totalNodeDelegateStakeShares: u128,
  nodeDelegateStakeBalance: u128,
  coldkeyReputation: structure("PalletNetworkReputation", {
    startEpoch: u32,
    score: u128,
    lifetimeNodeCount: u32,
    totalActiveNodes: u32,
    totalIncreases: u32,
    totalDecreases: u32,
    averageAttestation: u128,
    lastValidatorEpoch: u32,
    owScore: u128,
  }),
  subnetNodeReputation: u128,
  nodeSlotIndex: option(u32),
  consecutiveIdleEpochs: u32,
  consecutiveIncludedEpochs: u32,
} as const;

/** `DelegateStakeInfo`: what an account delegated to a subnet. */
export const DELEGATE_STAKE = {
  subnetId: u32,
  shares: u128,
  balance: u128,
} as const;

/** `NodeDelegateStakeInfo`: what an account delegated to a node. */
export const NODE_DELEGATE_STAKE = {
  subnetId: u32,
  subnetNodeId: u32,
  shares: u128,
  balance: u128,
} as const;

/** The structures that all layouts have alike. */
export const COMMON_SHAPES = {
  DelegateStakeInfo: DELEGATE_STAKE,
  NodeDelegateStakeInfo: NODE_DELEGATE_STAKE,
} as const;
