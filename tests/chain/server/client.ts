import { WsProvider } from "@polkadot/rpc-provider";
import type { DispatchError, EventRecord } from "@polkadot/types/interfaces";
import { accountFromSecret } from "../../../src/chain/hypertensor/account.ts";
import { signCall } from "../../../src/chain/hypertensor/signed_call.ts";
import { signingVectors } from "../../fixtures/chain/fixtures.ts";
import {
  ChainServer,
  type ChainServerOptions,
  type Hex,
} from "../../fixtures/chain/server/mod.ts";

/** The key of System.Events. */
const EVENTS =
  "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";

/** Key pairs of accounts with balance: public development keys. */
export const KEYS = [1, 2, 3, 4, 5].map((n) =>
  accountFromSecret(`0x${String(n).repeat(64)}`)
);

/** Their accounts. */
export const ACCOUNTS = KEYS.map(({ address }) => address.toLowerCase());

/** The development account of the recorded transactions. */
export const recorded = await signingVectors();

/** A client of a server, as others write them. */
export class Client {
  /** The provider. */
  readonly provider: WsProvider;
  readonly #server: ChainServer;

  /** Connects. */
  constructor(server: ChainServer) {
    this.#server = server;
    this.provider = new WsProvider(server.url, 100, {}, 10_000);
  }

  /** Asks something. */
  async ask<T>(method: string, ...params: unknown[]): Promise<T> {
    await this.provider.isReady;
    return await this.provider.send<T>(method, params, false);
  }

  /** Reads a value of storage as plain data. */
  async read(
    pallet: string,
    item: string,
    args: readonly unknown[] = [],
    at?: Hex,
  ): Promise<unknown> {
    const { storage } = this.#server.head.runtime;
    const key = storage.key(pallet, item, ...args);
    const answer = await this.ask<Hex | null>("state_getStorage", key, at);
    return storage.decode(pallet, item, answer)?.toJSON();
  }

  /** A call by name, encoded. */
  call(name: string, ...args: unknown[]): Hex {
    const { types } = this.#server.head.runtime;
    const { registry } = types;
    const callIndex = this.#server.head.runtime.callIndex("Network", name);
    return registry.createType("Call", { callIndex, args }).toHex();
  }

  /** A signed call. */
  async signed(
    key: number,
    call: Hex,
    change: {
      nonce?: number;
      specVersion?: number;
      genesisHash?: Hex;
      era?: { block: number; blockHash: string; period: number };
    } = {},
  ): Promise<Hex> {
    const { chain, head } = this.#server;
    const account = KEYS[key] as typeof KEYS[number];
    const nonce = await this.ask<number>(
      "system_accountNextIndex",
      account.address,
    );
    return signCall(head.runtime.types, account, call, {
      genesisHash: chain.genesis,
      specVersion: head.runtime.specVersion,
      transactionVersion: head.runtime.transactionVersion,
      nonce,
      ...change,
    }).bytes;
  }

  /** Events of the newest block's transactions, without the time's. */
  async events(): Promise<{ name: string; data: unknown }[]> {
    const records = this.#server.head.runtime.storage.decode(
      "system",
      "events",
      await this.ask("state_getStorage", EVENTS),
    ) as unknown as EventRecord[];
    const { registry } = this.#server.head.runtime.types;
    return records
      .filter(({ phase }) =>
        !phase.isApplyExtrinsic || phase.asApplyExtrinsic.toNumber() > 0
      )
      .map(({ event: { method, data } }) => {
        const [error] = data as unknown as DispatchError[];
        return method === "ExtrinsicFailed" && error?.isModule
          ? { name: method, data: registry.findMetaError(error.asModule).name }
          : { name: method, data: data.toJSON() };
      });
  }

  /** Names of these events, without those of fees; failures by the error. */
  async outcomes(): Promise<string[]> {
    return (await this.events())
      .filter(({ name }) => name !== "TransactionFeePaid")
      .map(({ name, data }) =>
        name === "ExtrinsicFailed" ? String(data) : name
      );
  }

  /** Ends. */
  close(): Promise<void> {
    return this.provider.disconnect();
  }
}

/** A server with three validators, a client, and both ended after the test. */
export async function withServer(
  test: (given: { server: ChainServer; client: Client }) => Promise<void>,
  options: ChainServerOptions = {},
): Promise<void> {
  const server = await ChainServer.start(options);
  const client = new Client(server);
  try {
    await test({ server, client });
  } finally {
    await client.close();
    await server.close();
  }
}

/** A peer id that is nobody's; texts of the same length as real ones. */
export function peerOf(n: number): string {
  return `12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4${
    String(n).padStart(10, "P")
  }`;
}

/** Registers the first accounts as validators, with a coldkey each. */
export function foundValidators(server: ChainServer, count = 3): void {
  for (let n = 0; n < count; n++) {
    server.register({
      hotkey: ACCOUNTS[n] as string,
      coldkey: `0x${String(n + 1).repeat(40)}`,
      peerId: peerOf(n),
      bootnodePeerId: peerOf(10 + n),
      clientPeerId: peerOf(20 + n),
      nodeClass: "validator",
    });
  }
}
