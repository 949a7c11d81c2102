import { ChainUnreadableError } from "../errors.ts";
import type { BlockRef, ChainConstants } from "../types.ts";
import type {
  BootnodeLists,
  DelegateStake,
  NodeDelegateStake,
  NodeDetails,
  SubnetDetails,
} from "./declared/answers.ts";
import { DeclaredTypes } from "./declared/declared_types.ts";
import { account, amount, fieldsOf, integer, strictly } from "./fields.ts";
import type { LayoutRules } from "./layouts/layout.ts";
import type { ChainTypes } from "./metadata.ts";
import type { StateReader } from "./state_reader.ts";

const NOBODY = `0x${"0".repeat(40)}`;
const PALLET = "network";

/**
 * The network's state at one block, beyond what a running node needs: what its
 * owner wants to see, and what decides whether a call will succeed.
 */
export class NetworkState {
  readonly #reader: StateReader;
  readonly #declared: DeclaredTypes;
  readonly #signal: AbortSignal | undefined;

  /** Reads through a reader; the signal ends all waits. */
  constructor(reader: StateReader, signal?: AbortSignal) {
    this.#reader = reader;
    this.#declared = new DeclaredTypes(reader.runtime.types);
    this.#signal = signal;
  }

  /** The block. */
  get block(): BlockRef {
    return this.#reader.block;
  }

  /** What never changes. */
  get constants(): ChainConstants {
    return this.#reader.runtime.constants;
  }

  /** The chain's types. */
  get types(): ChainTypes {
    return this.#reader.runtime.types;
  }

  /** What is special about the chain's layout. */
  get layout(): LayoutRules {
    return this.#declared.layout;
  }

  /** A subnet with everything about it. @throws {ChainUnreadableError} */
  async subnet(subnetId: number): Promise<SubnetDetails | undefined> {
    return this.#declared.subnet(
      await this.#call("get_subnet_info", [["u32", subnetId]]),
    );
  }

  /** All subnets. @throws {ChainUnreadableError} */
  async subnets(): Promise<readonly SubnetDetails[]> {
    return this.#declared.subnets(await this.#call("get_all_subnets_info", []));
  }

  /** A node with everything about it. @throws {ChainUnreadableError} */
  async node(
    subnetId: number,
    nodeId: number,
  ): Promise<NodeDetails | undefined> {
    return this.#declared.node(
      await this.#call("get_subnet_node_info", [
        ["u32", subnetId],
        ["u32", nodeId],
      ]),
    );
  }

  /** All nodes of a subnet, queued ones included. @throws {ChainUnreadableError} */
  async nodes(subnetId: number): Promise<readonly NodeDetails[]> {
    return this.#declared.nodes(
      await this.#call("get_subnet_nodes_info", [["u32", subnetId]]),
    );
  }

  /** A subnet's bootnodes, its nodes' included. @throws {ChainUnreadableError} */
  async bootnodes(subnetId: number): Promise<BootnodeLists> {
    return this.#declared.bootnodes(
      await this.#call("get_bootnodes", [["u32", subnetId]]),
    );
  }

  /** What an account delegated to subnets. @throws {ChainUnreadableError} */
  async delegateStakes(of: string): Promise<readonly DelegateStake[]> {
    return this.#declared.delegateStakes(
      await this.#call("get_delegate_stakes", [["[u8; 20]", of]]),
    );
  }

  /** What an account delegated to nodes. @throws {ChainUnreadableError} */
  async nodeDelegateStakes(of: string): Promise<readonly NodeDelegateStake[]> {
    return this.#declared.nodeDelegateStakes(
      await this.#call("get_node_delegate_stakes", [["[u8; 20]", of]]),
    );
  }

  /** The free balance of an account. @throws {ChainUnreadableError} */
  async balance(of: string): Promise<bigint> {
    const value = await this.#reader.get("system", "account", [of], {
      signal: this.#signal,
    });
    return strictly("an account", () => {
      const { data } = fieldsOf(value?.toJSON());
      return amount(fieldsOf(data)["free"]);
    });
  }

  /** A number of the network's storage. @throws {ChainUnreadableError} */
  number(item: string, ...args: unknown[]): Promise<number | undefined> {
    return this.#read(item, args, "a number", integer);
  }

  /** An amount of the network's storage. @throws {ChainUnreadableError} */
  amount(item: string, ...args: unknown[]): Promise<bigint | undefined> {
    return this.#read(item, args, "an amount", amount);
  }

  /** Whether something is so. @throws {ChainUnreadableError} */
  async flag(item: string, ...args: unknown[]): Promise<boolean> {
    return await this.#read(item, args, "yes or no", (value) => {
      if (typeof value === "boolean") return value;
      throw new Error("it is neither");
    }) ?? false;
  }

  /** An account of the network's storage; nobody's is none. @throws {ChainUnreadableError} */
  async account(item: string, ...args: unknown[]): Promise<string | undefined> {
    const found = await this.#read(item, args, "an account", account);
    return found === NOBODY ? undefined : found;
  }

  /** A value of the network's storage, as JSON for a reader of its own. @throws {ChainUnreadableError} */
  read<T>(
    item: string,
    args: readonly unknown[],
    what: string,
    decode: (value: unknown) => T,
  ): Promise<T | undefined> {
    return this.#read(item, args, what, decode);
  }

  /** Values of one map, in the order of their keys. @throws {ChainUnreadableError} */
  async readMany<T>(
    item: string,
    keys: readonly (readonly unknown[])[],
    what: string,
    decode: (value: unknown) => T,
  ): Promise<(T | undefined)[]> {
    const options = { signal: this.#signal };
    const values = await this.#reader.getMany(PALLET, item, keys, options);
    return values.map((value) =>
      value && strictly(what, () => decode(value.toJSON()))
    );
  }

  /** All values of a map. @throws {ChainUnreadableError} */
  async readAll<T>(
    item: string,
    prefix: readonly unknown[],
    what: string,
    decode: (value: unknown) => T,
  ): Promise<T[]> {
    const options = { signal: this.#signal };
    const values = await this.#reader.entries(PALLET, item, prefix, options);
    return values.map((value) => strictly(what, () => decode(value.toJSON())));
  }

  async #read<T>(
    item: string,
    args: readonly unknown[],
    what: string,
    decode: (value: unknown) => T,
  ): Promise<T | undefined> {
    const [value] = await this.readMany(item, [args], what, decode);
    return value;
  }

  async #call(
    name: string,
    args: readonly (readonly [type: string, value: unknown])[],
  ): Promise<Uint8Array> {
    const { registry } = this.types;
    const encoded = args.map(([type, value]) =>
      registry.createType(type, value).toU8a().toHex()
    );
    return await this.#reader.callBytes({
      name,
      args: `0x${encoded.join("")}`,
      rpcArgs: args.map(([, value]) => value),
    }, { signal: this.#signal });
  }
}

/** What has a default on the chain, and so is always there. @throws {ChainUnreadableError} */
export function known<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new ChainUnreadableError(`The chain does not tell the ${what}.`);
}
