import { type Clock, dhtTime, systemClock } from "../core/clock.ts";
import { type Metrics, MetricsRegistry } from "../core/metrics.ts";
import type { Tasks } from "../core/tasks.ts";
import { LocalStorage } from "../records/local_storage.ts";
import type { DhtRecord } from "../records/record.ts";
import { Lookup } from "./lookup/lookup.ts";
import { LookupService } from "./lookup/lookup_service.ts";
import { CLOSEST } from "./lookup/lookup_wire.ts";
import { Router } from "./lookup/router.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import type { DhtOptions } from "./options.ts";
import { Changes } from "./owner/changes.ts";
import { Claims } from "./owner/claims.ts";
import { OwnerService } from "./owner/owner_service.ts";
import type { OwnerToolsParts } from "./owner/owner_tools.ts";
import { OWNER_METHODS } from "./owner/owner_wire.ts";
import { PeerBook } from "./peer_book.ts";
import { Prober } from "./prober.ts";
import { Reader } from "./reader.ts";
import { ReadRepair } from "./repair/read_repair.ts";
import { RepairService } from "./repair/repair_service.ts";
import { REPAIR_METHODS } from "./repair/repair_wire.ts";
import { Repairer } from "./repair/repairer.ts";
import { Syncer } from "./repair/syncer.ts";
import { ReplicaCalls } from "./replica_calls.ts";
import { MAX_LIFETIME, ReplicaService } from "./service.ts";
import { METHODS } from "./wire.ts";
import { checkedQuorum, Writer } from "./writer.ts";

/** The parts of a DHT, which know each other. */
export interface Assembly {
  /** The time. */
  readonly clock: Clock;
  /** Where to count. */
  readonly metrics: Metrics;
  /** How many peers hold a record. */
  readonly numReplicas: number;
  /** Who holds what. */
  readonly neighbourhood: Neighbourhood;
  /** Who may hold what, also beyond the peers that we know. */
  readonly router: Router;
  /** Our own replica. */
  readonly service: ReplicaService;
  /** The other ones. */
  readonly replicas: ReplicaCalls;
  /** Brings records to replicas. */
  readonly writer: Writer;
  /** Reads them. */
  readonly reader: Reader;
  /** Completes replicas after reads. */
  readonly readRepair: ReadRepair;
  /** Asks silent peers for a sign of life. */
  readonly prober: Prober;
  /** What the tools of owners work with. */
  readonly tools: OwnerToolsParts;
  /** Keeps as many copies as there should be. */
  readonly repairer: Repairer;
}

/**
 * Makes the parts of a DHT, and registers its methods with the calls.
 * `onChange` is told what our own replica stores, or takes back.
 */
export function assemble(
  options: DhtOptions,
  tasks: Tasks,
  onChange: (record: DhtRecord) => void,
): Assembly {
  const { peerId, calls, numReplicas = 5 } = options;
  const writeQuorum = checkedQuorum(options.writeQuorum, numReplicas);
  const clock = options.clock ?? systemClock;
  const metrics = options.metrics ?? new MetricsRegistry();
  const storage = options.storage ?? new LocalStorage(() => dhtTime(clock));
  const book = new PeerBook(options.timeout ?? 3_000);
  const changes = new Changes();
  const claims = new Claims(clock);
  const neighbourhood = new Neighbourhood(peerId, options.members);
  const replicas = new ReplicaCalls(calls, book, clock, metrics);
  const service = new ReplicaService(
    storage,
    peerId,
    options.validator,
    clock,
    metrics,
    options.maxLifetime ?? MAX_LIFETIME,
    {
      onStored: (record) => {
        onChange(record);
        changes.tell(record);
      },
      onHeld: (record) => claims.confirm(record),
      onRestored: (record) => {
        onChange(record);
        changes.takeBack(record);
      },
    },
  );
  const owners = new OwnerService(service, changes, claims, peerId);
  const shared = {
    peerId,
    service,
    replicas,
    book,
    tasks,
    clock,
    numReplicas,
    writeQuorum,
  };
  const syncer = new Syncer(storage, replicas, metrics);
  serveOwners(options, owners);
  serve(
    options,
    service,
    new RepairService({
      peerId,
      storage,
      service,
      isMember: (peer) => neighbourhood.has(peer),
      replicasOf: (key) => neighbourhood.nearest(key, numReplicas),
    }),
  );
  const closest = new LookupService(neighbourhood, options.addresses);
  calls.register(
    CLOSEST,
    async (body, caller) => await closest.onClosest(body, caller.peerId),
  );
  return {
    clock,
    metrics,
    numReplicas,
    neighbourhood,
    service,
    replicas,
    writer: new Writer(shared),
    reader: new Reader(shared),
    readRepair: new ReadRepair(peerId, service, syncer, tasks, clock),
    prober: new Prober(book, replicas, () => neighbourhood.peers()),
    tools: {
      peerId,
      service,
      owners,
      replicas,
      book,
      validator: options.validator,
      metrics,
      tasks,
    },
    router: new Router({
      neighbourhood,
      lookup: new Lookup({
        peerId,
        ...{ neighbourhood, replicas, book, clock, tasks },
        learn: (peers) => options.addresses?.learn(peers),
      }),
      isComplete: options.isComplete ?? (() => true),
      clock,
      metrics,
    }),
    repairer: new Repairer({
      peerId,
      storage,
      syncer,
      neighbourhood,
      book,
      clock,
      metrics,
      numReplicas,
    }),
  };
}

/** Answers what peers ask. A malformed body rejects the call, as it should. */
function serve(
  { calls }: DhtOptions,
  service: ReplicaService,
  repair: RepairService,
): void {
  calls.register(METHODS.ping, () => Promise.resolve(service.onPing()));
  calls.register(
    METHODS.store,
    async (body, { peerId }) => await service.onStore(body, peerId),
  );
  calls.register(METHODS.find, async (body) => await service.onFind(body));
  calls.register(
    REPAIR_METHODS.range,
    async (body, { peerId }) => await repair.onRange(body, peerId),
  );
  calls.register(
    REPAIR_METHODS.compare,
    async (body) => await repair.onCompare(body),
  );
  calls.register(
    REPAIR_METHODS.copy,
    async (body, { peerId }) => await repair.onCopy(body, peerId),
  );
}

/** Answers what owners ask of us. */
function serveOwners(
  { calls, streams }: DhtOptions,
  owners: OwnerService,
): void {
  calls.register(
    OWNER_METHODS.storeIf,
    async (body, { peerId }) => await owners.onStoreIf(body, peerId),
  );
  calls.register(OWNER_METHODS.list, async (body) => await owners.onList(body));
  streams?.registerStream(
    OWNER_METHODS.watch,
    (body, caller) => owners.onWatch(body, caller),
  );
}
