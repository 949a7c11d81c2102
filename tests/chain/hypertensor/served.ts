import { generateIdentity, MetricsRegistry } from "../../../mod.ts";
import { accountFromSecret } from "../../../src/chain/hypertensor/account.ts";
import {
  type ClientOptions,
  HypertensorChain,
} from "../../../src/chain/hypertensor/mod.ts";
import {
  ChainServer,
  type ChainServerOptions,
} from "../../fixtures/chain/server/mod.ts";

/** Keys of hotkeys: public development keys. */
export const KEYS = [1, 2, 3, 4].map((n) =>
  accountFromSecret(`0x${String(n).repeat(64)}`)
);

/** A server with as many validators as keys, and our chain connected to it. */
export interface Served {
  /** The server. */
  readonly server: ChainServer;
  /** Our side. */
  readonly chain: HypertensorChain;
  /** What our side counted. */
  readonly metrics: MetricsRegistry;
  /** Ids of the nodes, in the order of {@linkcode KEYS}. */
  readonly nodes: readonly number[];
  /** Their peer ids. */
  readonly peerIds: readonly string[];
  /** Opens another client, which is closed with the test. */
  readonly open: (options?: Partial<ClientOptions>) => HypertensorChain;
  /** Makes blocks, a moment apart, until a call has ended. */
  readonly during: <T>(call: Promise<T>, pause?: number) => Promise<T>;
}

/** Runs a test against a served chain; blocks come when the test makes them. */
export async function withServed(
  test: (served: Served) => Promise<void>,
  options: ChainServerOptions = {},
  client: Partial<ClientOptions> = {},
): Promise<void> {
  const server = await ChainServer.start(options);
  const metrics = new MetricsRegistry();
  const opened: HypertensorChain[] = [];
  const open = (more: Partial<ClientOptions> = {}) => {
    const chain = HypertensorChain.open({
      endpoints: [server.url],
      metrics,
      ...client,
      ...more,
    });
    opened.push(chain);
    return chain;
  };
  try {
    const peerIds: string[] = [];
    const nodes = KEYS.map(({ address }, i) => {
      const { peerId } = generateIdentity();
      peerIds.push(peerId);
      return server.register({
        hotkey: address.toLowerCase(),
        coldkey: `0x${String(i + 1).repeat(40)}`,
        peerId,
        nodeClass: "validator",
      });
    });
    server.produce();
    await test({
      server,
      chain: open(),
      metrics,
      nodes,
      peerIds,
      open,
      during: async (call, pause = 20) => {
        let ended = false;
        const watched = call.finally(() => {
          ended = true;
        });
        watched.catch(() => {});
        while (!ended) {
          await new Promise((resolve) => setTimeout(resolve, pause));
          if (!ended) server.produce();
        }
        return await call;
      },
    });
  } finally {
    await Promise.all(opened.map((chain) => chain.close()));
    await server.close();
  }
}
