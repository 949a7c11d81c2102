/** What an error of the chain means, and what can be done. */
export interface CallErrorExplanation {
  /** Why the chain refuses, as a full sentence. */
  readonly means: string;
  /** What to do, as a full sentence. */
  readonly todo: string;
}

type Row = readonly [means: string, todo: string];

const OWN_KEY: Row = [
  "The signing key does not own this.",
  "Sign with the coldkey that owns the hotkey; `meshnode account show` tells whose a key is.",
];
const SUBNET_OWNER: Row = [
  "Only the owner of the subnet may do this.",
  "Sign with the owner's key; `meshnode chain subnet` names the owner.",
];
const PEER_TAKEN: Row = [
  "The peer id belongs to another node of the subnet, or is given twice.",
  "Make a peer of its own with `meshnode key generate`.",
];
const PEER_BAD: Row = [
  "The chain does not take this as a peer id.",
  "Give the base58 text, 12D3KooW… or Qm…, that `meshnode key show` prints.",
];
const ADDRESS_BAD: Row = [
  "The chain does not take this address.",
  "Use /ip4, /ip6, /dns4 or /dns6, then /tcp, and end with /p2p/ and the peer id.",
];
const TOO_POOR: Row = [
  "The account's free balance does not cover it.",
  "Look at it with `meshnode account balance`, and send TENSOR to it or spend less.",
];
const LEAST_DEPOSIT: Row = [
  "The amount is below the least that can be delegated.",
  "Delegate more; --dry-run tells the least.",
];
const SERVES_NOW: Row = [
  "The node is elected in the present epoch, and has to be there for its result.",
  "Try again in the next epoch; `meshnode chain epoch` tells when it begins.",
];
const RATE: Row = [
  "A rate is above 100 %, or another one than allowed.",
  "Give a percentage from 0% to 100%.",
];

const ROWS: Readonly<Record<string, Row>> = {
  AlreadyAttested: [
    "This node attested the epoch's proposal already.",
    "Nothing is left to do in this epoch.",
  ],
  AmountZero: ["The amount is zero.", "Give an amount above zero."],
  BalanceBurnError: TOO_POOR,
  BalanceWithdrawalError: TOO_POOR,
  BootnodePeerIdExist: PEER_TAKEN,
  BootnodesEmpty: [
    "A subnet needs a bootnode from the start.",
    "Give at least one --bootnode.",
  ],
  ClientPeerIdExist: PEER_TAKEN,
  ColdkeyMatchesHotkey: [
    "Coldkey and hotkey are the same account.",
    "Make another account with `meshnode account generate`.",
  ],
  ColdkeyRegistrationWhitelist: [
    "Before its activation a subnet takes nodes of the coldkeys that its owner named, and this is none of them.",
    "Ask the owner to name it, or wait until the subnet is active.",
  ],
  CostGreaterThanMaxCost: [
    "Registering a subnet costs more than --max-cost now.",
    "Raise --max-cost, or wait: the cost falls with every block.",
  ],
  DelegateAccountCannotBeColdkey: [
    "The account that shares in the rewards is the coldkey itself.",
    "Leave --delegate-account away, or give another one.",
  ],
  DelegateAccountCannotBeHotkey: [
    "The account that shares in the rewards is the hotkey.",
    "Leave --delegate-account away, or give another one.",
  ],
  ElectedValidatorCannotRemove: SERVES_NOW,
  ElectedValidatorCannotUnstake: SERVES_NOW,
  HotkeyAlreadyRegisteredToColdkey: [
    "The coldkey has this hotkey already.",
    "Use a hotkey of its own for every node.",
  ],
  HotkeyHasOwner: [
    "The hotkey belongs to a node already, perhaps of another subnet.",
    "Use a hotkey of its own for every node: `meshnode account generate`.",
  ],
  InvalidAccess: [
    "Only the subnet's owner and those to whom the owner gave access may change its bootnodes.",
    "Sign with one of these keys; `meshnode chain subnet` names them.",
  ],
  InvalidAmount: ["The amount is zero.", "Give an amount above zero."],
  InvalidBootnodePeerId: PEER_BAD,
  InvalidClientPeerId: PEER_BAD,
  InvalidDelegateAccountRate: RATE,
  InvalidDelegateRewardRate: RATE,
  InvalidEmergencySubnetNodeId: [
    "The subnet has an emergency set of validators, and this node is not in it.",
    "Wait until the owner ends the emergency.",
  ],
  InvalidHotkeySubnetNodeId: [
    "The hotkey has no node in this subnet.",
    "Check the subnet's id, and register a node with `meshnode register`.",
  ],
  InvalidMinDelegateStakePercentage: [
    "The share of those who delegate is outside of what the network allows.",
    "Give another --delegate-share; --dry-run tells the bounds.",
  ],
  InvalidMultiaddr: ADDRESS_BAD,
  InvalidOverwatchNodeId: [
    "There is no overwatch node with this id.",
    "See `meshnode overwatch nodes`.",
  ],
  InvalidPeerId: PEER_BAD,
  InvalidSubnetConsensusSubmission: [
    "Nothing was proposed in this epoch yet.",
    "Attest after the elected validator proposed.",
  ],
  InvalidSubnetId: [
    "There is no subnet with this id.",
    "See `meshnode chain subnet` for all subnets.",
  ],
  InvalidSubnetMaxStake: [
    "The most stake of a node is above what the network allows.",
    "Give a smaller --max-stake.",
  ],
  InvalidSubnetMinStake: [
    "The least stake of a node is outside of what the network allows.",
    "Give another --min-stake; --dry-run tells the bounds.",
  ],
  InvalidSubnetNodeClassification: [
    "The node's class does not allow this yet.",
    "See `meshnode chain node`: a node rises from Registered over Idle and Included to Validator.",
  ],
  InvalidSubnetNodeId: [
    "There is no such node in the subnet.",
    "See `meshnode chain nodes`.",
  ],
  InvalidSubnetRegistrationInitialColdkeys: [
    "Too few coldkeys are named to begin with, or one may register no node.",
    "Give --initial-coldkey ACCOUNT=COUNT at least three times.",
  ],
  InvalidSubnetStakeParameters: [
    "The least stake is above the most.",
    "Give a --min-stake that is at most --max-stake.",
  ],
  InvalidValidator: [
    "Another node was elected for this epoch.",
    "Only the elected node proposes; `meshnode chain epoch` names it.",
  ],
  MaxBurnAmountExceeded: [
    "Registering a node burns more than --max-burn now.",
    "Raise --max-burn, or try again in a later epoch: the rate falls when few register.",
  ],
  MaxRegisteredNodes: [
    "The queue of registered nodes is full, or the coldkey registered as many as the owner allowed it.",
    "Try again when nodes of the queue were activated.",
  ],
  MaxStakeReached: [
    "The node would have more stake than the subnet allows.",
    "Stake less; `meshnode chain subnet` tells the most.",
  ],
  MaxSubnets: [
    "The network has as many subnets as it allows.",
    "Try again when one was removed.",
  ],
  MaxUnlockingsReached: [
    "Too many withdrawals wait for their time.",
    "Collect those that are due with `meshnode stake claim`.",
  ],
  MinActiveNodeStakeEpochs: [
    "An active node must stay staked for some epochs.",
    "Try again later.",
  ],
  MinDelegateStake: LEAST_DEPOSIT,
  MinDelegateStakeDepositNotReached: LEAST_DEPOSIT,
  MinStakeNotReached: [
    "The node would have less stake than the subnet asks for.",
    "Stake more, or withdraw less; `meshnode chain subnet` tells the least.",
  ],
  MinSubnetRegistrationEpochsNotMet: [
    "A subnet can be activated only some epochs after its registration.",
    "Try again in a later epoch.",
  ],
  MultiaddrExist: [
    "Another node of the subnet has this address.",
    "Give the address of this node's own peer.",
  ],
  MultiaddrInvalidAddress: ADDRESS_BAD,
  MultiaddrInvalidProtocol: ADDRESS_BAD,
  MultiaddrInvalidVarint: ADDRESS_BAD,
  MultiaddrTruncated: ADDRESS_BAD,
  MustUnstakeToRegister: [
    "The hotkey still has stake in this subnet from a node that was removed.",
    "Withdraw it with `meshnode stake remove`, or use another hotkey.",
  ],
  NoElectedValidator: [
    "No validator was elected for this epoch.",
    "Wait for the next epoch; a subnet elects from the epoch after its activation.",
  ],
  NoStakeUnbondingsOrCooldownNotMet: [
    "Nothing can be collected yet.",
    "`meshnode chain stake` tells what waits, and until when.",
  ],
  NotEnoughBalance: TOO_POOR,
  NotEnoughBalanceToRegisterSubnet: TOO_POOR,
  NotEnoughBalanceToStake: TOO_POOR,
  NotEnoughStakeToWithdraw: [
    "There is less than what is to be taken.",
    "`meshnode chain stake` tells how much there is.",
  ],
  NotKeyOwner: OWN_KEY,
  NotSubnetOwner: SUBNET_OWNER,
  OldHotkeyNotRegistered: OWN_KEY,
  Paused: [
    "The network takes no transactions now.",
    "Try again later.",
  ],
  PeerIdExist: PEER_TAKEN,
  PeerIdsMustBeUnique: PEER_TAKEN,
  ScoreOverflow: [
    "The scores add up to more than the chain can hold.",
    "Report this with the log of the node.",
  ],
  SharesZero: ["The amount is zero.", "Give an amount above zero."],
  SubnetActivatedAlready: [
    "The subnet is active, or paused.",
    "Nothing is left to do.",
  ],
  SubnetActivationConditionsNotMetYet: [
    "The subnet has too few nodes, too little delegated stake, or too low a reputation to be activated.",
    "--dry-run tells what is missing; try again when it is there.",
  ],
  SubnetEpochDataIsNone: [
    "The subnet has no data for this epoch.",
    "Wait for the next epoch.",
  ],
  SubnetIsPaused: [
    "The subnet is paused.",
    "Wait until its owner ends the pause.",
  ],
  SubnetMustBeActive: [
    "The subnet is not active.",
    "`meshnode chain subnet` tells its state.",
  ],
  SubnetMustBePaused: [
    "The subnet is not paused.",
    "`meshnode chain subnet` tells its state.",
  ],
  SubnetMustBeRegisteringOrActivated: [
    "The subnet's time of registration is over and it is not active yet, so it takes no nodes.",
    "Try again when it is active.",
  ],
  SubnetNameExist: [
    "Another subnet has this name.",
    "Give another --name.",
  ],
  SubnetNodeUniqueParamTaken: [
    "Another node of the subnet has the same --unique.",
    "Give another --unique, or none.",
  ],
  SubnetPauseCooldownActive: [
    "The subnet was paused or activated a short while ago.",
    "Try again in a later epoch.",
  ],
  SubnetRepoExist: [
    "Another subnet has this repository.",
    "Give another --repo.",
  ],
  SubnetRewardsAlreadySubmitted: [
    "The epoch's proposal is in already.",
    "Nothing is left to do in this epoch.",
  ],
  TooManyBootnodes: [
    "The subnet would have more bootnodes than the network allows.",
    "Remove some with --remove.",
  ],
  TransferToSelfNotAllowed: [
    "Sender and receiver are the same account.",
    "Give another --to.",
  ],
  TxRateLimitExceeded: [
    "The account sent a transaction of this kind a few blocks ago.",
    "Try again some blocks later.",
  ],
};

/** What an error of the chain means; absent for those that nobody should meet. */
export function explainCallError(
  name: string,
): CallErrorExplanation | undefined {
  const row = Object.hasOwn(ROWS, name) ? ROWS[name] : undefined;
  return row && { means: row[0], todo: row[1] };
}

/** Names of the errors that are explained. */
export const EXPLAINED_CALL_ERRORS: readonly string[] = Object.keys(ROWS);
