import { Consensus } from "../consensus/driver.ts";
import { openJournal } from "../consensus/journal_folder.ts";
import type { ConsensusReport } from "../consensus/report.ts";
import type { Clock } from "../core/clock.ts";
import type { Metrics } from "../core/metrics.ts";
import type { RecordStore } from "../dht/types.ts";
import type { Directory } from "../heartbeat/directory.ts";
import type { Identity } from "../identity/mod.ts";
import type { NodeOptions } from "./options.ts";

/** What consensus works with. */
export interface ConsensusParts {
  /** Whose commits and reveals they are. */
  readonly identity: Identity;
  /** Where those are stored. */
  readonly records: RecordStore;
  /** Who is alive. */
  readonly directory: Directory;
  /** Where the journal is kept; in memory by default. */
  readonly folder: string | undefined;
  /** Whether the node is connected to the mesh. */
  readonly joined: () => boolean;
  /** Is told what happens. */
  readonly onReport: (report: ConsensusReport) => void;
  /** The time. */
  readonly clock: Clock;
  /** Where to count. */
  readonly metrics: Metrics;
}

/** Consensus as the options want it; none without a chain and a signer. */
export function consensusOf(
  options: NodeOptions,
  parts: ConsensusParts,
): Consensus | undefined {
  const { chain, subnet = {}, subnetId = 1, attestPolicy } = options;
  if (chain?.signer === undefined) return undefined;
  const { directory, folder, joined, onReport, clock, metrics } = parts;
  const { scorer, work, queue, phases } = subnet;
  return new Consensus({
    chain: chain.chain,
    signer: chain.signer,
    ...{ subnetId, directory, joined, onReport, clock, metrics },
    ...(scorer === undefined ? {} : { scorer }),
    ...(queue === undefined ? {} : { queue }),
    ...(work === undefined ? {} : {
      work: {
        provider: work,
        records: parts.records,
        identity: parts.identity,
      },
    }),
    ...(folder === undefined
      ? {}
      : { journal: (signal) => openJournal(folder, signal, clock) }),
    rules: {
      ...(phases === undefined ? {} : { phases }),
      ...(attestPolicy === undefined ? {} : { attest: attestPolicy }),
    },
  });
}
