import type { Codec } from "@polkadot/types/types";
import { compactFromU8aLim } from "@polkadot/util";
import { equal } from "../../../core/bytes.ts";
import { list, optional, strictly } from "../fields.ts";
import type { DeclaredName, LayoutRules } from "../layouts/layout.ts";
import { rulesOf } from "../layouts/mod.ts";
import type { ChainTypes } from "../metadata.ts";
import type {
  BootnodeLists,
  DelegateStake,
  NodeDelegateStake,
  NodeDetails,
  SubnetDetails,
} from "./answers.ts";
import { readShape } from "./kinds.ts";
import { DELEGATE_STAKE, NODE_DELEGATE_STAKE } from "./shapes.ts";

/** Largest answer that is decoded: 256 nodes with every text at its limit. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Decodes the runtime API's answers, which the metadata leaves opaque, as the
 * layout of this chain has them.
 */
export class DeclaredTypes {
  readonly #types: ChainTypes;
  /** What is special about this chain's layout. */
  readonly layout: LayoutRules;

  /** Makes the layout's structures known to the chain's types. */
  constructor(types: ChainTypes) {
    this.#types = types;
    this.layout = rulesOf(types.layout);
    types.registry.register(Object.fromEntries(
      Object.entries(this.layout.shapes).map(([name, shape]) => [
        name,
        Object.fromEntries(
          Object.entries(shape).map(([field, { type }]) => [field, type]),
        ),
      ]),
    ));
  }

  /** A subnet, or that there is none. @throws {ChainUnreadableError} */
  subnet(answer: Uint8Array): SubnetDetails | undefined {
    return strictly("a subnet", () =>
      optional(
        this.#decode("Option", "SubnetInfo", answer).toJSON(),
        this.layout.subnet,
      ));
  }

  /** Subnets. @throws {ChainUnreadableError} */
  subnets(answer: Uint8Array): readonly SubnetDetails[] {
    return strictly(
      "a list of subnets",
      () =>
        list(this.#decode("Vec", "SubnetInfo", answer).toJSON())
          .map(this.layout.subnet),
    );
  }

  /** A node, or that there is none. @throws {ChainUnreadableError} */
  node(answer: Uint8Array): NodeDetails | undefined {
    return strictly("a node", () =>
      optional(
        this.#decode("Option", "SubnetNodeInfo", answer).toJSON(),
        this.layout.node,
      ));
  }

  /** Nodes, ascending by id. @throws {ChainUnreadableError} */
  nodes(answer: Uint8Array): readonly NodeDetails[] {
    return strictly(
      "a list of nodes",
      () =>
        list(this.#decode("Vec", "SubnetNodeInfo", answer).toJSON())
          .map(this.layout.node)
          .sort((a, b) =>
            a.subnetId - b.subnetId || a.subnetNodeId - b.subnetNodeId
          ),
    );
  }

  /** A subnet's bootnodes. @throws {ChainUnreadableError} */
  bootnodes(answer: Uint8Array): BootnodeLists {
    return strictly("a list of bootnodes", () =>
      this.layout.allBootnodes(
        this.#decode("", "AllSubnetBootnodes", answer).toJSON(),
      ));
  }

  /** What an account delegated to subnets. @throws {ChainUnreadableError} */
  delegateStakes(answer: Uint8Array): readonly DelegateStake[] {
    return strictly(
      "a list of delegated stakes",
      () =>
        list(this.#decode("Vec", "DelegateStakeInfo", answer).toJSON())
          .map((each) => readShape(DELEGATE_STAKE, each))
          .sort((a, b) => a.subnetId - b.subnetId),
    );
  }

  /** What an account delegated to nodes. @throws {ChainUnreadableError} */
  nodeDelegateStakes(answer: Uint8Array): readonly NodeDelegateStake[] {
    return strictly(
      "a list of delegated stakes",
      () =>
        list(this.#decode("Vec", "NodeDelegateStakeInfo", answer).toJSON())
          .map((each) => readShape(NODE_DELEGATE_STAKE, each))
          .sort((a, b) =>
            a.subnetId - b.subnetId || a.subnetNodeId - b.subnetNodeId
          ),
    );
  }

  #decode(
    form: "" | "Option" | "Vec",
    name: DeclaredName,
    answer: Uint8Array,
  ): Codec {
    if (answer.length > MAX_BYTES) {
      throw new Error(`it has ${answer.length} bytes`);
    }
    const { registry } = this.#types;
    if (form === "Vec") {
      // The library makes room for what is claimed before it sees that it is
      // not there.
      const [, count] = compactFromU8aLim(answer);
      const least = registry.createType(name).encodedLength;
      if (count * least > answer.length) {
        throw new Error(
          `${count} entries do not fit in ${answer.length} bytes`,
        );
      }
    }
    const type = form === "" ? name : `${form}<${name}>`;
    const value = registry.createType(type, answer);
    // See ChainStorage: the library reads on where bytes are missing.
    if (equal(value.toU8a(), answer)) return value;
    throw new Error("the bytes are not exactly one value");
  }
}
