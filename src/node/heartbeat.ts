import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { loggerOf } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import { VERSION } from "../core/version.ts";
import type { RecordStore } from "../dht/types.ts";
import {
  type Directory,
  HeartbeatAnnouncer,
  type PingAggregator,
  presenceFile,
} from "../heartbeat/mod.ts";
import type { Identity } from "../identity/mod.ts";
import type { EpochClock } from "../validation/mod.ts";
import type { NodeOptions } from "./options.ts";

/** What a heartbeat works with. */
export interface HeartbeatParts {
  /** Whose heartbeat it is. */
  readonly identity: Identity;
  /** Where it is stored. */
  readonly records: RecordStore;
  /** Reads the others. */
  readonly directory: Directory;
  /** Measures the others. */
  readonly pings: PingAggregator;
  /** Where the chain stands; absent without one. */
  readonly epochs: EpochClock | undefined;
  /** The time. */
  readonly clock: Clock;
  /** Where to count. */
  readonly metrics: Metrics;
}

/** The heartbeat of a node as the options want it. */
export function heartbeatOf(
  options: Pick<
    NodeOptions,
    "role" | "publicName" | "heartbeatPeriod" | "dataFolder"
  >,
  { epochs, ...parts }: HeartbeatParts,
): HeartbeatAnnouncer {
  const { dataFolder } = options;
  return new HeartbeatAnnouncer({
    ...parts,
    info: {
      role: options.role ?? "validator",
      throughput: 1,
      publicName: options.publicName,
      version: VERSION,
      usingRelay: false,
    },
    period: heartbeatPeriod(options.heartbeatPeriod, epochs),
    ...(dataFolder === undefined
      ? {}
      : { memory: presenceFile(join(dataFolder, "presence.json")) }),
  });
}

/**
 * Blocks between two heartbeats at least: who is scored must be known for a
 * block after the records were read.
 */
const LEAST_BLOCKS = 1.5;

/**
 * The seconds between heartbeats: those asked for, unless the subnet's epochs
 * are too short for heartbeats that live for two periods, or its blocks too
 * long for one.
 */
export function heartbeatPeriod(
  asked: number | undefined,
  epochs: EpochClock | undefined,
): number {
  const period = asked ?? 120;
  const now = epochs?.now();
  if (now === undefined) return period;
  const longest = now.length * now.blockSeconds / 2;
  const least = Math.min(LEAST_BLOCKS * now.blockSeconds, longest);
  if (period < least) {
    loggerOf("node").warn(
      "A heartbeat every {asked} s is too often for blocks of {block} s: it " +
        "is sent every {least} s.",
      { asked, block: now.blockSeconds, least },
    );
    return least;
  }
  if (period <= longest) return period;
  if (asked !== undefined) {
    loggerOf("node").warn(
      "A heartbeat every {asked} s is too seldom for epochs of {epoch} s: it " +
        "is sent every {longest} s.",
      { asked, epoch: 2 * longest, longest },
    );
  }
  return longest;
}
