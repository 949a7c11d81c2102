import type {
  Chain,
  ChainSigner,
  NodeClass,
  SubnetState,
} from "../../../mod.ts";
import type { Registration } from "../../../src/chain/local/mod.ts";
import { eventually } from "../../eventually.ts";
import { KEYS, withServed } from "../hypertensor/served.ts";
import { withChain } from "../local/fixture.ts";

/** Milliseconds of a block, on both kinds. */
export const BLOCK = 6_000;

/** A chain without nodes, of one kind or the other, and what a test may do to it. */
export interface Subject {
  /** The chain, as a node sees it. */
  readonly chain: Chain;
  /** The subnet. */
  readonly subnetId: number;
  /** Hotkeys with funds. */
  readonly hotkeys: readonly string[];
  /** Signs for a hotkey. */
  signer(n: number): ChainSigner;
  /** Registers a node for a hotkey; it is there from the next block on. */
  register(
    n: number,
    peerId: string,
    nodeClass?: NodeClass,
    more?: Partial<Registration>,
  ): number;
  /** Removes a node. */
  remove(nodeId: number): void;
  /** Changes the subnet's state. */
  setState(state: SubnetState): void;
  /** Names a bootnode of the subnet. */
  addBootnode(peerId: string, multiaddr: string): void;
  /** Names the peer of an overwatch node. */
  addOverwatchPeer(peerId: string): void;
  /** Takes all funds from an account. */
  impoverish(account: string): void;
  /** The chain cannot be read, or can again. */
  away(away: boolean): Promise<void>;
  /** Goes on to a block, and waits until our side knows of it. */
  toBlock(block: number): Promise<void>;
  /** Lets time pass while a call is under way. */
  during<T>(call: Promise<T>): Promise<T>;
}

/** A kind of chain. */
export interface Kind {
  /** What it is called in the tests' names. */
  readonly name: string;
  /** Runs a test against a new one. */
  readonly run: (test: (subject: Subject) => Promise<void>) => Promise<void>;
}

const HOTKEYS = KEYS.map(({ address }) => address.toLowerCase());
const coldkey = (n: number) =>
  `0x${(4_096 + n).toString(16).padStart(40, "0")}`;

const local: Kind = {
  name: "local chain",
  run: (test) =>
    withChain(async ({ chain, toBlock, during }) => {
      for (const hotkey of HOTKEYS) chain.setBalance(hotkey, 10n ** 18n);
      await test({
        chain,
        subnetId: 1,
        hotkeys: HOTKEYS,
        signer: (n) => chain.signer(HOTKEYS[n] as string),
        register: (n, peerId, nodeClass = "validator", more = {}) =>
          chain.register({
            hotkey: HOTKEYS[n] as string,
            coldkey: coldkey(n),
            peerId,
            nodeClass,
            ...more,
          }),
        remove: (nodeId) => chain.remove(nodeId),
        setState: (state) => chain.setState(state),
        addBootnode: (peerId, address) => chain.addBootnode(peerId, address),
        addOverwatchPeer: (peerId) => chain.addOverwatchPeer(peerId),
        impoverish: (account) => chain.setBalance(account, 0n),
        away: (away) => {
          chain.faults.unreadable = away;
          return Promise.resolve();
        },
        toBlock,
        during,
      });
    }),
};

const hypertensor = (metadata: "r25" | "r26"): Kind => ({
  name: `Hypertensor ${metadata.toUpperCase()}`,
  run: (test) =>
    withServed(
      async ({ server, open, during }) => {
        const chain = open();
        const { ledger, subnetId } = server;
        for (const { id } of ledger.state().nodes) ledger.remove(id);
        for (const hotkey of HOTKEYS) ledger.pay(hotkey, 10n ** 18n);
        const caughtUp = () =>
          eventually(
            async () => (await chain.head()).hash === server.head.hash,
            () => JSON.stringify(chain.status),
          );
        await test({
          chain,
          subnetId,
          hotkeys: HOTKEYS,
          signer: (n) => chain.signer(KEYS[n] as typeof KEYS[0]),
          register: (n, peerId, nodeClass = "validator", more = {}) =>
            ledger.register(server.head.number, {
              hotkey: HOTKEYS[n] as string,
              coldkey: coldkey(n),
              peerId,
              nodeClass,
              ...more,
            }),
          remove: (nodeId) => ledger.remove(nodeId),
          setState: (state) => ledger.setState(state),
          addBootnode: (peerId, address) => ledger.setBootnode(peerId, address),
          addOverwatchPeer: (peerId) => ledger.addOverwatchPeer(peerId),
          impoverish: (account) =>
            ledger.pay(account, -ledger.balance(account)),
          away: async (away) => {
            if (away) await server.refuseConnections();
            else server.acceptConnections();
          },
          toBlock: async (block) => {
            server.toBlock(block);
            await caughtUp();
          },
          during: (call) => during(call, 50),
        });
      },
      { metadata, epochLength: 20 },
      { timeout: 1_500 },
    ),
});

/** All kinds that must behave alike. */
export const KINDS: readonly Kind[] = [
  local,
  hypertensor("r26"),
  hypertensor("r25"),
];
