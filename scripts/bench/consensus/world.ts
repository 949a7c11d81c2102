import {
  type BlockRef,
  type Chain,
  type ChainSigner,
  type ChainView,
  type ConsensusSubmission,
  epochPosition,
  type Found,
  type FoundEntry,
  generateIdentity,
  type Identity,
  type NodeScore,
  ONE,
  type RecordStore,
  type SubnetNodeInfo,
} from "../../../mod.ts";
import { ManualClock } from "../../../src/core/manual_clock.ts";
import { heartbeatSubkey } from "../../../src/heartbeat/heartbeat_record.ts";
import { serverInfoValue } from "../../../src/heartbeat/server_info.ts";
import { decode, encode } from "../../../src/records/serializer.ts";
import type { MeshValue } from "../../../src/records/values.ts";
import { workSeed } from "../../../src/consensus/work_provider.ts";
import {
  commitKey,
  commitment,
  revealKey,
  revealValue,
} from "../../../src/validation/commit_reveal.ts";

/** Blocks of an epoch, its slot, and milliseconds between blocks. */
export const LENGTH = 20;
export const SLOT = 3;
export const BLOCK = 6_000;
export const SUBNET = 1;
const GENESIS_TIME = 1_700_000_000_000;
const GENESIS = "0xbench";
/** Round-trip times that a heartbeat tells, as nodes measure them. */
const PINGS = 5;

/** How a proposal relates to what everybody would score. */
export type Proposing = (scores: readonly NodeScore[]) => readonly NodeScore[];

/**
 * A chain and a mesh that answer at once, so that what is measured is what our
 * node does: 256 nodes with heartbeats, commits and reveals that are all right.
 */
export class BenchWorld {
  readonly clock: ManualClock = new ManualClock(GENESIS_TIME);
  readonly nodes: readonly SubnetNodeInfo[];
  readonly identities = Array.from({ length: 256 }, () => generateIdentity());
  readonly #proposing: Proposing;
  readonly #submissions = new Map<number, ConsensusSubmission>();
  readonly #records = new Map<string, Found>();
  readonly #heads: ((head: BlockRef) => void)[] = [];
  #height = SLOT - 1;
  /** The node that is elected in every epoch; our own is node 1. */
  elected = 2;

  constructor(proposing: Proposing) {
    this.#proposing = proposing;
    this.nodes = this.identities.map(({ peerId }, i) => ({
      id: i + 1,
      hotkey: `0x${(i + 1).toString(16).padStart(40, "0")}`,
      coldkey: `0x${(i + 1_001).toString(16).padStart(40, "0")}`,
      peer: { peerId, multiaddr: undefined },
      bootnode: undefined,
      client: undefined,
      nodeClass: "validator",
      startEpoch: 0,
      stake: 100n * ONE,
      reputation: ONE,
    }));
  }

  /** The newest block's height. */
  get height(): number {
    return this.#height;
  }

  /** Brings the next block, with the proposal one block after an epoch's first. */
  async nextBlock(): Promise<void> {
    this.#height++;
    const { epoch, elapsed } = epochPosition(this.#height, SLOT, LENGTH);
    if (elapsed === 1 && this.elected !== 1) {
      this.#submit(epoch, this.elected, this.#proposing(this.honest(epoch)));
    }
    await this.clock.advance(BLOCK);
    for (const tell of this.#heads.splice(0)) tell(this.#ref(this.#height));
  }

  /** What everybody would score. */
  honest(epoch: number): NodeScore[] {
    // Others in each epoch, so that nothing can be kept of the one before.
    return this.nodes.map(({ id }) => ({
      nodeId: id,
      score: ONE / 2n + BigInt((id * 7_919 + epoch * 104_729) % 1_000_003),
    }));
  }

  /** Makes the records of an epoch, and forgets those that none needs any more. */
  begin(epoch: number): void {
    this.#records.set("node", this.#heartbeats());
    this.#records.set(commitKey(epoch), this.#workOf(epoch, "commit"));
    this.#records.set(revealKey(epoch), this.#workOf(epoch, "reveal"));
    this.#submissions.delete(epoch - 2);
    this.#records.delete(commitKey(epoch - 2));
    this.#records.delete(revealKey(epoch - 2));
  }

  readonly chain: Chain = {
    constants: () =>
      Promise.resolve({
        epochLength: LENGTH,
        blockMilliseconds: BLOCK,
        genesis: GENESIS,
      }),
    head: () => Promise.resolve(this.#ref(this.#height)),
    heads: (signal) => this.#follow(signal),
    blockAt: (number) => Promise.resolve(this.#ref(number)),
    view: (block) => Promise.resolve(this.#view(block?.number ?? this.#height)),
    close: () => Promise.resolve(),
  };

  readonly signer: ChainSigner = {
    hotkey: `0x${"1".padStart(40, "0")}`,
    propose: ({ scores }) => {
      const { epoch } = epochPosition(this.#height, SLOT, LENGTH);
      this.#submit(epoch, 1, scores);
      return Promise.resolve({ block: this.#ref(this.#height) });
    },
    attest: () => {
      const { epoch } = epochPosition(this.#height, SLOT, LENGTH);
      const known = this.#submissions.get(epoch) as ConsensusSubmission;
      const attestations = new Map(known.attestations)
        .set(1, { block: this.#height, data: undefined });
      this.#submissions.set(epoch, { ...known, attestations });
      return Promise.resolve({ block: this.#ref(this.#height) });
    },
  };

  readonly records: RecordStore = {
    store: () => Promise.resolve({ stored: true, quorum: 1, replicas: [] }),
    get: (key, options) => {
      options?.onHeard?.(true);
      const found = this.#records.get(String(key));
      const wanted = options?.subkeys &&
        new Set(options.subkeys.map((each) => (each as Uint8Array).toHex()));
      if (found?.kind !== "dictionary" || wanted === undefined) {
        return Promise.resolve(found);
      }
      return Promise.resolve({
        kind: "dictionary",
        entries: found.entries.filter(({ subkey }) =>
          wanted.has((subkey as Uint8Array).toHex())
        ),
      });
    },
  };

  #submit(
    epoch: number,
    validatorId: number,
    scores: readonly NodeScore[],
  ): void {
    this.#submissions.set(epoch, {
      validatorId,
      block: this.#height,
      attestations: new Map([[validatorId, {
        block: this.#height,
        data: undefined,
      }]]),
      scores,
      electorate: this.nodes.map(({ id }) => id),
      prioritizeQueueNodeId: undefined,
      removeQueueNodeId: undefined,
    });
  }

  #ref(number: number): BlockRef {
    return { number, hash: `0x${number.toString(16)}` };
  }

  async *#follow(signal: AbortSignal): AsyncGenerator<BlockRef> {
    while (!signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<
        BlockRef | undefined
      >();
      const end = () => resolve(undefined);
      this.#heads.push(resolve);
      signal.addEventListener("abort", end, { once: true });
      const head = await promise;
      signal.removeEventListener("abort", end);
      if (head !== undefined) yield head;
    }
  }

  #view(number: number): ChainView {
    const at = <T>(value: T) => Promise.resolve(value);
    const ids = this.nodes.map(({ id }) => id);
    return {
      block: this.#ref(number),
      stale: false,
      time: () => at(GENESIS_TIME + (number - SLOT + 1) * BLOCK),
      subnet: () =>
        at({
          ...{ id: SUBNET, name: "bench", state: "active", startEpoch: 0 },
          ...{ slot: SLOT, minStake: 0n },
        }),
      nodes: () => at(this.nodes),
      nodeOfHotkey: () => at(this.nodes[0]),
      electedValidator: () => at(this.elected),
      submission: (_, epoch) => at(this.#submissions.get(epoch)),
      attestors: () => at(ids),
      bootnodes: () => at([]),
      proofOfStake: () => at(true),
      balance: () => at(ONE),
    };
  }

  #heartbeats(): Found {
    const now = this.clock.now() / 1_000;
    return this.#dictionary((i) => ({
      value: serverInfoValue({
        state: "online",
        role: "validator",
        throughput: 1,
        publicName: `validator-${i + 1}`,
        version: "0.1.0",
        usingRelay: false,
        nextPings: new Map(
          Array.from({ length: PINGS }, (_, n) => [
            this.identities[(i + n + 1) % 256]?.peerId ?? "",
            0.01 * (n + 1),
          ]),
        ),
        onlineSince: GENESIS_TIME / 1_000 - 1_000 + i,
      }),
      expiration: now + 240,
    }));
  }

  #workOf(epoch: number, what: "commit" | "reveal"): Found {
    const data = workSeed(GENESIS, SUBNET, epoch);
    const expiration = this.clock.now() / 1_000 + 2 * LENGTH * BLOCK / 1_000;
    return this.#dictionary((i) => {
      const reveal = { salt: new Uint8Array(32).fill(i), data };
      const { peerId } = this.identities[i] as Identity;
      const value = what === "commit"
        ? commitment(epoch, peerId, reveal)
        : revealValue(reveal);
      return { value, expiration };
    });
  }

  #dictionary(
    entry: (
      i: number,
    ) => { readonly value: MeshValue; readonly expiration: number },
  ): Extract<Found, { kind: "dictionary" }> {
    const entries = this.identities.map((identity, i): FoundEntry => {
      const subkey = heartbeatSubkey(identity);
      const { value, expiration } = entry(i);
      return {
        ...{ subkey, subkeyBytes: encode(subkey), expiration },
        // As it comes from the wire.
        value: decode(encode(value)),
      };
    });
    return { kind: "dictionary", entries };
  }
}
