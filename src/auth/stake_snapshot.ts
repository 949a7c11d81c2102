import type { Chain } from "../chain/chain.ts";
import { epochPosition } from "../chain/epoch.ts";
import { atLeast, type BlockRef, type NodeClass } from "../chain/types.ts";

/** Who had stake in a subnet at one block. */
export interface StakeSnapshot {
  /** The block that all of it belongs to. */
  readonly block: BlockRef;
  /** The class that each peer id counts as. */
  readonly classes: ReadonlyMap<string, NodeClass>;
}

/**
 * Reads who has stake, by the chain's own rule: the peer, bootnode and client
 * peer ids of nodes that have started and hold the subnet's least stake, as
 * their class; the subnet's own bootnodes as any class. Queued nodes are of
 * class `registered`. Peers of overwatch nodes are not listed by the chain.
 *
 * @throws {ChainUnreadableError}
 */
export async function readStakeSnapshot(
  chain: Chain,
  subnetId: number,
  at: BlockRef | undefined,
  signal: AbortSignal,
): Promise<StakeSnapshot> {
  const { epochLength } = await chain.constants({ signal });
  const view = await chain.view(at, { signal });
  const { block } = view;
  const classes = new Map<string, NodeClass>();
  const subnet = await view.subnet(subnetId, { signal });
  if (subnet === undefined) return { block, classes };
  const { epoch } = epochPosition(
    block.number,
    subnet.slot ?? 0,
    epochLength,
  );
  const nodes = await view.nodes(subnetId, { signal });
  const bootnodes = await view.bootnodes(subnetId, { signal });
  const counts = (peerId: string, nodeClass: NodeClass) => {
    const held = classes.get(peerId);
    if (held === undefined || atLeast(nodeClass, held)) {
      classes.set(peerId, nodeClass);
    }
  };
  for (const node of nodes) {
    if (node.startEpoch > epoch || node.stake < subnet.minStake) continue;
    for (const peer of [node.peer, node.bootnode, node.client]) {
      if (peer !== undefined) counts(peer.peerId, node.nodeClass);
    }
  }
  for (const { peerId } of bootnodes) counts(peerId, "validator");
  return { block, classes };
}
