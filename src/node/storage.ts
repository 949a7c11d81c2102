import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { StakeRegistry } from "../auth/stake_registry.ts";
import { type Clock, dhtTime } from "../core/clock.ts";
import type { Metrics } from "../core/metrics.ts";
import {
  FILE_LIMITS,
  LocalStorage,
  SqliteTable,
  StorageError,
} from "../records/mod.ts";
import type { NodeOptions } from "./options.ts";

const FILE = "records.db";

/**
 * Opens the records of a node: in a file of its folder, in memory without one.
 * The subnet's members are those who have stake.
 *
 * @throws {StorageError} `RECORDS_IN_USE`, `RECORDS_UNUSABLE`.
 */
export async function openStorage(
  options: Pick<NodeOptions, "dataFolder" | "storageLimits">,
  clock: Clock,
  metrics: Metrics,
  registry: StakeRegistry | undefined,
): Promise<LocalStorage> {
  const { dataFolder, storageLimits } = options;
  const now = () => dhtTime(clock);
  const isMember = (owner: string) => registry?.peek(owner) === "staked";
  if (dataFolder === undefined) {
    return new LocalStorage(now, {
      limits: storageLimits ?? {},
      isMember,
      metrics,
    });
  }
  try {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StorageError(
      "RECORDS_UNUSABLE",
      `The folder ${dataFolder} cannot be made: ${
        cause instanceof Error ? cause.message : cause
      }.`,
      { cause, hint: "Name another folder, or allow to write there." },
    );
  }
  return new LocalStorage(now, {
    table: SqliteTable.open(join(dataFolder, FILE), { now, metrics }),
    limits: { ...FILE_LIMITS, ...storageLimits },
    isMember,
    metrics,
  });
}
