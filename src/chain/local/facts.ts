import type { SubnetState } from "../types.ts";
import { LocalChainError } from "./errors.ts";
import type { Store } from "./store.ts";

/** What a local chain is founded with. */
export interface LocalChainFacts {
  /** Milliseconds of the Unix epoch at block 0. */
  readonly genesisTime: number;
  /** Milliseconds between blocks; 6000 on the real chain. */
  readonly blockMilliseconds: number;
  /** Blocks in an epoch. */
  readonly epochLength: number;
  /** Random text: the source of hashes and elections. */
  readonly seed: string;
  /** The one subnet's id. */
  readonly subnetId: number;
  /** The subnet's name. */
  readonly subnetName: string;
  /** The subnet's block offset in a network epoch. */
  readonly slot: number;
  /** The subnet's state; a removed one and its nodes are not shown, and come back with another state. */
  readonly state: SubnetState | "removed";
  /** The network epoch from which the subnet is active. */
  readonly startEpoch: number;
  /** Least stake of a node, base units. */
  readonly minStake: bigint;
  /** Epochs that a new node waits in the queue. */
  readonly queueEpochs: number;
  /** Epochs with a submission from Idle to Included. */
  readonly idleEpochs: number;
  /** Epochs in consensus from Included to Validator. */
  readonly includedEpochs: number;
}

const NUMBERS = [
  "genesisTime",
  "blockMilliseconds",
  "epochLength",
  "subnetId",
  "slot",
  "startEpoch",
  "queueEpochs",
  "idleEpochs",
  "includedEpochs",
] as const;
const STATES: readonly string[] = [
  "registered",
  "active",
  "paused",
  "removed",
] satisfies LocalChainFacts["state"][];

/** Writes a fact. */
export function writeFact(
  store: Store,
  name: string,
  value: string | number | bigint,
): void {
  store.run(
    "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    name,
    String(value),
  );
}

/** Reads a fact; absent ones are `undefined`. */
export function readFact(store: Store, name: string): string | undefined {
  const row = store.get("SELECT value FROM facts WHERE name = ?", name);
  return row === undefined ? undefined : String(row["value"]);
}

/** Founds a chain. */
export function writeFacts(store: Store, facts: LocalChainFacts): void {
  for (const [name, value] of Object.entries(facts)) {
    writeFact(store, name, value);
  }
}

/** Reads what the chain was founded with. @throws {LocalChainError} */
export function readFacts(store: Store): LocalChainFacts | undefined {
  const rows = store.all("SELECT name, value FROM facts");
  if (rows.length === 0) return undefined;
  const raw = new Map(rows.map(({ name, value }) => [name, String(value)]));
  const text = (name: string) => {
    const value = raw.get(name);
    if (value === undefined || value === "") throw damaged(name);
    return value;
  };
  const number = (name: string) => {
    const value = Number(text(name));
    if (!Number.isSafeInteger(value) || value < 0) throw damaged(name);
    return value;
  };
  const numbers = Object.fromEntries(
    NUMBERS.map((name) => [name, number(name)]),
  ) as Record<typeof NUMBERS[number], number>;
  const state = text("state");
  const minStake = text("minStake");
  if (!STATES.includes(state)) throw damaged("state");
  if (!/^\d{1,39}$/.test(minStake)) throw damaged("minStake");
  if (numbers.blockMilliseconds === 0 || numbers.epochLength === 0) {
    throw damaged("epochLength");
  }
  return {
    ...numbers,
    seed: text("seed"),
    subnetName: text("subnetName"),
    state: state as LocalChainFacts["state"],
    minStake: BigInt(minStake),
  };
}

function damaged(name: string): LocalChainError {
  return new LocalChainError(
    "LOCAL_CHAIN_DAMAGED",
    `The local chain's "${name}" cannot be read.`,
    { hint: "Move the file away, and a new chain is made." },
  );
}
