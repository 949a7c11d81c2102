import type { Clock } from "../core/clock.ts";
import type { Tasks } from "../core/tasks.ts";
import type { PeerBook } from "./peer_book.ts";
import type { ReplicaCalls } from "./replica_calls.ts";
import type { ReplicaService } from "./service.ts";

/** What reads and writes work with. */
export interface DhtParts {
  /** Our own peer id. */
  readonly peerId: string;
  /** Our own replica. */
  readonly service: ReplicaService;
  /** The other ones. */
  readonly replicas: ReplicaCalls;
  /** How they answer. */
  readonly book: PeerBook;
  /** What goes on after an answer or a quorum. */
  readonly tasks: Tasks;
  /** The time. */
  readonly clock: Clock;
  /** How many peers hold a record. */
  readonly numReplicas: number;
  /** How many take a record before its store succeeds; the majority by default. */
  readonly writeQuorum: number | undefined;
}
