import type { SubnetBootnode, SubnetNodeInfo } from "../types.ts";
import { type LocalChainFacts, readFacts } from "./facts.ts";
import { nodesOf } from "./rows.ts";
import type { Row, Store } from "./store.ts";

/** Changes that can be looked behind. */
const KEPT = 256;

/** What a chain's tables hold at one block. */
interface Kept {
  readonly state: LocalChainFacts["state"];
  readonly startEpoch: number;
  readonly rows: {
    readonly nodes: readonly Row[];
    readonly peers: readonly Row[];
    readonly bootnodes: readonly Row[];
    readonly overwatch: readonly Row[];
    readonly balances: readonly Row[];
  };
}

/** What changes of a chain, besides elections and proposals, as it was at a block. */
export interface Moment {
  /** The subnet's state. */
  readonly state: LocalChainFacts["state"];
  /** The network epoch from which it is active. */
  readonly startEpoch: number;
  /** All nodes, ascending by id. */
  readonly nodes: readonly SubnetNodeInfo[];
  /** The subnet's own bootnodes. */
  readonly bootnodes: readonly SubnetBootnode[];
  /** Peer ids of overwatch nodes. */
  readonly overwatch: readonly string[];
  /** Free balances by account. */
  readonly balances: ReadonlyMap<string, bigint>;
}

/**
 * Changes something from a block on, and keeps what was there before for those
 * who read at an earlier one.
 */
export function changeFrom<T>(store: Store, block: number, act: () => T): T {
  const before = JSON.stringify(present(store));
  const result = act();
  if (block > 0 && before !== JSON.stringify(present(store))) {
    // The first change in a block counts: it knows how the last one ended.
    store.run("INSERT OR IGNORE INTO past VALUES (?, ?)", block - 1, before);
    store.run(
      "DELETE FROM past WHERE until NOT IN " +
        "(SELECT until FROM past ORDER BY until DESC LIMIT ?)",
      KEPT,
    );
  }
  return result;
}

/** How it was at a block. */
export function momentOf(store: Store, block: number): Moment {
  const row = store.get(
    "SELECT kept FROM past WHERE until >= ? ORDER BY until LIMIT 1",
    block,
  );
  const { state, startEpoch, rows } = row === undefined
    ? present(store)
    : JSON.parse(String(row["kept"])) as Kept;
  const text = (each: Row, name: string) => String(each[name]);
  return {
    state,
    startEpoch,
    nodes: state === "removed" ? [] : nodesOf(rows.nodes, rows.peers),
    bootnodes: state === "removed" ? [] : rows.bootnodes.map((each) => ({
      peerId: text(each, "peer_id"),
      multiaddr: text(each, "multiaddr"),
    })),
    overwatch: rows.overwatch.map((each) => text(each, "peer_id")),
    balances: new Map(
      rows.balances.map((each) => [
        text(each, "account"),
        BigInt(text(each, "amount")),
      ]),
    ),
  };
}

function present(store: Store): Kept {
  const { state, startEpoch } = readFacts(store) as LocalChainFacts;
  const all = (table: string) => store.all(`SELECT * FROM ${table} ORDER BY 1`);
  return {
    state,
    startEpoch,
    rows: {
      nodes: all("nodes"),
      peers: all("peers"),
      bootnodes: all("bootnodes"),
      overwatch: all("overwatch"),
      balances: all("balances"),
    },
  };
}
