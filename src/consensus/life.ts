import type { Observation, ObservedNode } from "./observation.ts";
import type { ConsensusReport } from "./report.ts";

/** How subnet and node stood when last looked at; nothing before the first look. */
export interface LifeState {
  /** How the subnet stood. */
  readonly subnet?: Observation["subnet"];
  /** Our node, if it had one. */
  readonly node?: ObservedNode;
}

/** What follows for the standing, and what is told of it. */
export function lookAtLife(
  state: LifeState,
  seen: Observation,
): { readonly state: LifeState; readonly reports: readonly ConsensusReport[] } {
  const { subnet, node } = seen;
  if (
    state.subnet === subnet && state.node?.id === node?.id &&
    state.node?.nodeClass === node?.nodeClass &&
    state.node?.startEpoch === node?.startEpoch
  ) return { state, reports: [] };
  const next = { subnet, ...(node === undefined ? {} : { node }) };
  const texts = [
    ...state.subnet === subnet ? [] : [SUBNET_TEXTS[subnet]],
    ...state.subnet !== undefined && state.node?.id === node?.id &&
        state.node?.nodeClass === node?.nodeClass
      ? []
      : [nodeText(state.node, node)],
  ];
  if (texts.length === 0) return { state: next, reports: [] };
  return {
    state: next,
    reports: [{
      kind: "life",
      subnet,
      ...(node === undefined ? {} : { nodeClass: node.nodeClass }),
      text: texts.join("; "),
    }],
  };
}

const SUBNET_TEXTS: Readonly<Record<Observation["subnet"], string>> = {
  missing: "the chain has no such subnet: it was removed, or never registered",
  registered: "the subnet is registered and not activated yet",
  waiting: "the subnet is activated, and consensus begins in a later epoch",
  active: "the subnet is active",
  paused: "the subnet is paused",
};

function nodeText(
  before: ObservedNode | undefined,
  node: ObservedNode | undefined,
): string {
  if (node === undefined) {
    return before === undefined
      ? "this node is not registered in the subnet"
      : `node ${before.id} was removed from the subnet`;
  }
  const { id, startEpoch } = node;
  switch (node.nodeClass) {
    case "registered":
      return `node ${id} is registered and waits in the queue`;
    case "idle":
      return `node ${id} is idle: it is seen, and becomes included later`;
    case "included":
      return `node ${id} is included: it is scored, and becomes a validator later`;
    case "validator":
      return `node ${id} is a validator from epoch ${startEpoch}: it proposes and attests`;
  }
}
