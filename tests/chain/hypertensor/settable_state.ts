import { unwrapStorageType } from "@polkadot/types/util";
import { DeclaredTypes } from "../../../src/chain/hypertensor/declared/declared_types.ts";
import { JsonRpcError } from "../../../src/chain/hypertensor/connection.ts";
import { NetworkState } from "../../../src/chain/hypertensor/network_state.ts";
import type { Runtime } from "../../../src/chain/hypertensor/runtime.ts";
import {
  type Source,
  StateReader,
} from "../../../src/chain/hypertensor/state_reader.ts";
import type { MetadataName } from "../../fixtures/chain/fixtures.ts";
import { recordedRuntime } from "./recorded.ts";

/** A state that a test makes, at the boundary of JSON-RPC: what is not set has its default. */
export class SettableState implements Source {
  readonly #runtime: Runtime;
  readonly #values = new Map<string, string>();
  readonly #calls = new Map<string, string>();

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
    // Makes the types of the runtime API's answers known.
    new DeclaredTypes(runtime.types);
  }

  /** A state over recorded metadata. */
  static async of(metadata: MetadataName = "r26"): Promise<SettableState> {
    return new SettableState(await recordedRuntime(metadata));
  }

  /** Sets a value of the network's storage, as its type wants it. */
  set(item: string, args: readonly unknown[], value: unknown): this {
    const { types: { metadata, registry }, storage } = this.#runtime;
    const entry = metadata.asLatest.pallets
      .find(({ name }) => name.toString() === "Network")?.storage.unwrap().items
      .find(({ name }) => name.toString().toLowerCase() === item.toLowerCase());
    if (entry === undefined) throw new Error(`There is no ${item}.`);
    const type = unwrapStorageType(registry, entry.type);
    const encoded = registry.createType(type, value).toU8a();
    this.#values.set(
      storage.key("network", item, ...args),
      `0x${encoded.toHex()}`,
    );
    return this;
  }

  /** Sets what a function of the runtime API answers. */
  answer(name: string, type: string, value: unknown): this {
    const { registry } = this.#runtime.types;
    const bytes = registry.createType(type, value).toU8a();
    const length = registry.createType("Compact<u32>", bytes.length).toU8a();
    this.#calls.set(
      `NetworkRuntimeApi_${name}`,
      `0x${length.toHex()}${bytes.toHex()}`,
    );
    return this;
  }

  /** The state in a block. */
  at(number: number): NetworkState {
    const hash = `0x${number.toString(16).padStart(64, "0")}`;
    return new NetworkState(
      new StateReader({ number, hash }, this.#runtime, this),
    );
  }

  ask(method: string, params: readonly unknown[]): Promise<unknown> {
    const [first] = params as [string];
    if (method === "state_getStorage") {
      return Promise.resolve(this.#values.get(first) ?? null);
    }
    if (method === "state_getKeysPaged") {
      const [prefix, count, last] = params as [string, number, string];
      const keys = [...this.#values.keys()].sort()
        .filter((key) => key.startsWith(prefix) && key > last);
      return Promise.resolve(keys.slice(0, count));
    }
    if (method === "state_call") {
      const answer = this.#calls.get(first);
      if (answer !== undefined) return Promise.resolve(answer);
    }
    return Promise.reject(
      new JsonRpcError(method, -32601, "Method not found", undefined),
    );
  }
}
