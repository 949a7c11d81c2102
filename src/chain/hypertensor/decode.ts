import type { Codec } from "@polkadot/types/types";
import {
  type Attestation,
  type ConsensusSubmission,
  NODE_CLASSES,
  type NodeClass,
  type SubnetBootnode,
  type SubnetNodeInfo,
  type SubnetState,
} from "../types.ts";
import {
  account,
  amount,
  bytes,
  type Fields,
  fieldsOf,
  integer,
  list,
  optional,
  strictly,
  text,
  word,
} from "./fields.ts";
import { type Layout, rulesOf } from "./layouts/mod.ts";

/** What storage tells of a node; stake and owner are stored elsewhere. */
export type StoredNode = Omit<
  SubnetNodeInfo,
  "coldkey" | "stake" | "reputation"
>;

/** What storage tells of a subnet. */
export interface StoredSubnet {
  /** Its id. */
  readonly id: number;
  /** Its unique name. */
  readonly name: string;
  /** Its state. */
  readonly state: SubnetState;
  /** The network epoch from which it is active. */
  readonly startEpoch: number;
}

const STATES = ["registered", "active", "paused"] as const;

/** A node of the subnet's storage; absent ones read as id 0. @throws {ChainUnreadableError} */
export function storedNode(
  value: Codec,
  layout: Layout,
): StoredNode | undefined {
  return strictly("a node", () => nodeOf(fieldsOf(value.toJSON()), layout));
}

/** A subnet of the storage. @throws {ChainUnreadableError} */
export function storedSubnet(value: Codec): StoredSubnet {
  return strictly("a subnet", () => {
    const fields = fieldsOf(value.toJSON());
    const state = STATES.find((each) => each === word(fields["state"]));
    if (state === undefined) throw new Error("its state is unknown");
    return {
      id: integer(fields["id"]),
      name: text(fields["name"]),
      state,
      startEpoch: integer(fields["startEpoch"]),
    };
  });
}

/** The proposal of an epoch. @throws {ChainUnreadableError} */
export function storedSubmission(
  value: Codec,
  layout: Layout,
): ConsensusSubmission {
  return strictly("a proposal", () => {
    const fields = fieldsOf(value.toJSON());
    const attestations = Object.entries(fieldsOf(fields["attests"]))
      .map(([id, entry]): [number, Attestation] => {
        const { block, data } = fieldsOf(entry);
        return [Number(id), {
          block: integer(block),
          data: optional(data, bytes),
        }];
      })
      // The proposer's is in the block of the proposal, before all others.
      .sort(([, a], [, b]) => a.block - b.block);
    const electorate = list(fields["subnetNodes"])
      .map((each) => nodeOf(fieldsOf(each), layout))
      .filter((node) => node?.nodeClass === "validator")
      .map((node) => node?.id as number);
    return {
      validatorId: integer(fields["validatorId"]),
      block: integer(fields["block"]),
      attestations: new Map(attestations),
      scores: list(fields["data"]).map((each) => {
        const { subnetNodeId, score } = fieldsOf(each);
        return { nodeId: integer(subnetNodeId), score: amount(score) };
      }),
      electorate,
      prioritizeQueueNodeId: optional(
        fields["prioritizeQueueNodeId"],
        integer,
      ),
      removeQueueNodeId: optional(fields["removeQueueNodeId"], integer),
    };
  });
}

/** A u128. @throws {ChainUnreadableError} */
export function storedAmount(value: Codec): bigint {
  return strictly("an amount", () => amount(value.toJSON()));
}

/** A u32. @throws {ChainUnreadableError} */
export function storedInteger(value: Codec): number {
  return strictly("a number", () => integer(value.toJSON()));
}

function nodeOf(fields: Fields, layout: Layout): StoredNode | undefined {
  const id = integer(fields["id"]);
  if (id === 0) return undefined;
  const { nodeClass, startEpoch } = fieldsOf(fields["classification"]);
  return {
    id,
    hotkey: account(fields["hotkey"]),
    ...rulesOf(layout).peers(fields),
    nodeClass: classOf(nodeClass),
    startEpoch: integer(startEpoch),
  };
}

function classOf(value: unknown): NodeClass {
  const found = NODE_CLASSES.find((each) => each === word(value));
  if (found !== undefined) return found;
  throw new Error(`the class ${value} is unknown`);
}

/** Node ids. @throws {ChainUnreadableError} */
export function storedIds(value: Codec): number[] {
  return strictly("a list of nodes", () => list(value.toJSON()).map(integer));
}

/** The nodes that an emergency names. @throws {ChainUnreadableError} */
export function storedEmergency(value: Codec): number[] {
  return strictly(
    "an emergency's nodes",
    () => list(fieldsOf(value.toJSON())["subnetNodeIds"]).map(integer),
  );
}

/** An account. @throws {ChainUnreadableError} */
export function storedAccount(value: Codec): string {
  return strictly("an account", () => account(value.toJSON()));
}

/** The free balance in an account's data. @throws {ChainUnreadableError} */
export function storedFreeBalance(value: Codec): bigint {
  return strictly(
    "a balance",
    () => amount(fieldsOf(fieldsOf(value.toJSON())["data"])["free"]),
  );
}

/** The bootnodes of a subnet; those whose address is none are left out. @throws {ChainUnreadableError} */
export function storedBootnodes(
  value: Codec,
  layout: Layout,
): SubnetBootnode[] {
  return strictly(
    "a map of bootnodes",
    () =>
      Object.entries(fieldsOf(value.toJSON())).flatMap(([peer, address]) => {
        const multiaddr = rulesOf(layout).address(address);
        return multiaddr === undefined ? [] : { peerId: text(peer), multiaddr };
      }),
  );
}
