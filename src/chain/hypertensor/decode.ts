import type { Codec } from "@polkadot/types/types";
import { multiaddr } from "@multiformats/multiaddr";
import { fromHex } from "../../core/bytes.ts";
import { ChainUnreadableError } from "../errors.ts";
import {
  type Attestation,
  type ConsensusSubmission,
  NODE_CLASSES,
  type NodeClass,
  type PeerInfo,
  type SubnetNodeInfo,
  type SubnetState,
} from "../types.ts";
import type { Layout } from "./metadata.ts";

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

type Fields = Readonly<Record<string, unknown>>;

const ascii = new TextDecoder("utf-8", { fatal: true });
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
    ...(layout === "R25" ? peersOfR25(fields) : {
      peer: peerInfo(fields["peerInfo"]),
      bootnode: optional(fields["bootnodePeerInfo"], peerInfo),
      client: optional(fields["clientPeerInfo"], peerInfo),
    }),
    nodeClass: classOf(nodeClass),
    startEpoch: integer(startEpoch),
  };
}

function peersOfR25(
  fields: Fields,
): Pick<StoredNode, "peer" | "bootnode" | "client"> {
  const alone = (peerId: unknown): PeerInfo => ({
    peerId: text(peerId),
    multiaddr: undefined,
  });
  return {
    peer: alone(fields["peerId"]),
    // There an address is text by convention, and belongs to the bootnode.
    bootnode: {
      ...alone(fields["bootnodePeerId"]),
      multiaddr: optional(fields["bootnode"], text),
    },
    client: alone(fields["clientPeerId"]),
  };
}

function peerInfo(value: unknown): PeerInfo {
  const { peerId, multiaddr: address } = fieldsOf(value);
  return {
    peerId: text(peerId),
    multiaddr: optional(address, (each) => multiaddr(bytes(each)).toString()),
  };
}

function classOf(value: unknown): NodeClass {
  const found = NODE_CLASSES.find((each) => each === word(value));
  if (found !== undefined) return found;
  throw new Error(`the class ${value} is unknown`);
}

function strictly<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new ChainUnreadableError(
      `The chain's answer is not ${what}: ${
        cause instanceof Error ? cause.message : cause
      }.`,
      { cause },
    );
  }
}

function fieldsOf(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Fields;
  }
  throw new Error("fields are missing");
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error("a list is missing");
}

function optional<T>(
  value: unknown,
  decode: (value: unknown) => T,
): T | undefined {
  return value === null || value === undefined ? undefined : decode(value);
}

function integer(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value;
  }
  throw new Error(`${value} is no number`);
}

/** The library gives large integers as hex, small ones as numbers. */
function amount(value: unknown): bigint {
  if (typeof value === "string" && /^0x[0-9a-f]+$/.test(value)) {
    return BigInt(value);
  }
  return BigInt(integer(value));
}

function bytes(value: unknown): Uint8Array {
  if (typeof value === "string" && value.startsWith("0x")) {
    return fromHex(value.slice(2));
  }
  throw new Error("bytes are missing");
}

function text(value: unknown): string {
  return ascii.decode(bytes(value));
}

function word(value: unknown): string {
  return typeof value === "string" ? value.toLowerCase() : "";
}

function account(value: unknown): string {
  const lower = word(value);
  if (/^0x[0-9a-f]{40}$/.test(lower)) return lower;
  throw new Error("an account is missing");
}
