import {
  Consensus,
  type ConsensusOptions,
  type ConsensusReport,
  Directory,
  HeartbeatAnnouncer,
  PingAggregator,
  type Scorer,
} from "../../mod.ts";
import { LocalChain } from "../../src/chain/local/mod.ts";
import { accountOf, BLOCK, withChain } from "../chain/local/fixture.ts";
import { makeMesh, type MeshPeer } from "../heartbeat/mesh.ts";

const GENESIS = 1_700_000_000_000;
/** The subnet of the chain. */
export const SUBNET = 1;

/** A running validator. */
export interface Validator {
  readonly consensus: Consensus;
  readonly reports: ConsensusReport[];
  readonly outcomes: () => string[];
  readonly chain: LocalChain;
  readonly stop: () => Promise<void>;
}

/** Three validators with heartbeats on one chain, all driven by one clock. */
export async function withValidators(
  test: (set: {
    chain: LocalChain;
    validators: Validator[];
    start: (
      n: number,
      scorer?: Scorer,
      more?: Partial<ConsensusOptions>,
    ) => Validator;
    toBlock: (block: number) => Promise<void>;
    toEpoch: (epoch: number) => Promise<void>;
  }) => Promise<void>,
  scorers: readonly (Scorer | undefined)[] = [undefined, undefined, undefined],
  { startAll = true }: {
    /** Whether they run from the beginning; else the test starts them. */
    readonly startAll?: boolean;
  } = {},
): Promise<void> {
  await withChain(async ({ path, clock, chain }) => {
    const { peers } = makeMesh(scorers.length, clock);
    peers.forEach(({ identity }, i) =>
      chain.register({
        hotkey: accountOf(i + 1),
        coldkey: accountOf(i + 101),
        peerId: identity.peerId,
        nodeClass: "validator",
      })
    );
    const running: Validator[] = [];
    const start = (
      n: number,
      scorer?: Scorer,
      more: Partial<ConsensusOptions> = {},
    ): Validator => {
      const { dht, identity } = peers[n - 1] as MeshPeer;
      const own = LocalChain.open(path, clock);
      const directory = new Directory(dht);
      const heartbeat = new HeartbeatAnnouncer({
        identity,
        records: dht,
        directory,
        pings: new PingAggregator({ ping: () => Promise.resolve(1), clock }),
        info: { role: "validator", throughput: 1 },
        period: 60,
        clock,
      });
      heartbeat.setState("online");
      const reports: ConsensusReport[] = [];
      const consensus = new Consensus({
        chain: own,
        signer: own.signer(accountOf(n)),
        subnetId: SUBNET,
        directory,
        ...(scorer === undefined ? {} : { scorer }),
        onReport: (report) => reports.push(report),
        clock,
        ...more,
      });
      const end = new AbortController();
      const tasks = [heartbeat.run(end.signal), consensus.run(end.signal)];
      const validator: Validator = {
        consensus,
        reports,
        chain: own,
        outcomes: () =>
          reports.flatMap((each) =>
            each.kind === "outcome" ? [each.outcome] : []
          ),
        stop: async () => {
          end.abort();
          await Promise.all(tasks);
          await heartbeat.farewell();
          await own.close();
        },
      };
      running.push(validator);
      return validator;
    };
    const toBlock = (block: number) =>
      clock.advance(GENESIS + block * BLOCK + 1 - clock.now());
    if (startAll) scorers.forEach((scorer, i) => start(i + 1, scorer));
    try {
      await test({
        chain,
        validators: running,
        start,
        toBlock,
        toEpoch: (epoch) => toBlock(3 + epoch * 20),
      });
    } finally {
      await Promise.all(running.map(({ stop }) => stop()));
    }
  });
}
