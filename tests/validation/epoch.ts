import {
  commitment,
  commitRevealRules,
  CompositeValidator,
  dhtId,
  type DhtRecord,
  encode,
  type EpochTime,
  generateIdentity,
  type Identity,
  type KeyRule,
  ManualClock,
  type MeshValue,
  MetricsRegistry,
  ownedSubkey,
  type Reveal,
  revealValue,
  type RulesOptions,
  RulesValidator,
  SignatureValidator,
} from "../../mod.ts";

/** Blocks in an epoch of {@linkcode EpochTest}. */
export const LENGTH = 20;
/** Seconds of its blocks. */
export const BLOCK = 6;

/** A rule for heartbeats as nodes have them. */
export const HEARTBEAT: KeyRule = {
  name: "heartbeat",
  key: "node",
  quota: 100,
  lifetime: 1.1,
};

/** A replica's rules at a settable place in the chain. */
export class EpochTest {
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly metrics = new MetricsRegistry();
  readonly rules: CompositeValidator;
  /** Where the chain stands. */
  at: EpochTime | undefined = {
    epoch: 7,
    elapsed: 0,
    length: LENGTH,
    blockSeconds: BLOCK,
  };

  constructor(options: Partial<RulesOptions> = {}) {
    this.rules = new CompositeValidator([
      new SignatureValidator(generateIdentity()),
      new RulesValidator({
        rules: [HEARTBEAT, ...commitRevealRules()],
        epochs: { now: () => this.at },
        clock: this.clock,
        metrics: this.metrics,
        ...options,
      }),
    ]);
  }

  /** Moves to a fraction of an epoch. */
  go(progress: number, epoch = 7): void {
    const elapsed = progress * LENGTH;
    this.at = { epoch, elapsed, length: LENGTH, blockSeconds: BLOCK };
  }

  /** DHT time so many epochs from now. */
  epochsFromNow(epochs: number): number {
    return this.clock.now() / 1_000 + epochs * LENGTH * BLOCK;
  }

  /** A signed record of an owner. */
  record(
    owner: Identity,
    key: string,
    value: MeshValue,
    options: { readonly lives?: number; readonly subkey?: MeshValue } = {},
  ): DhtRecord {
    const { lives = 1, subkey = ownedSubkey(owner) } = options;
    const record = {
      key: dhtId(key),
      subkey: encode(subkey),
      value: encode(value),
      expiration: this.epochsFromNow(lives),
    };
    const value_ = new SignatureValidator(owner).signValue(record);
    return { ...record, value: value_ };
  }

  /** A signed commit. */
  commit(owner: Identity, made: Reveal, epoch = 7, lives = 1): DhtRecord {
    const value = commitment(epoch, owner.peerId, made);
    return this.record(owner, `commit_epoch_${epoch}`, value, { lives });
  }

  /** A signed reveal. */
  reveal(owner: Identity, made: Reveal, epoch = 7, lives = 1): DhtRecord {
    const value = revealValue(made);
    return this.record(owner, `reveal_epoch_${epoch}`, value, { lives });
  }

  /** Stores as a replica does, and gives the verdict. */
  store(
    record: DhtRecord,
    sender?: Identity,
    type: "post" | "copy" = "post",
  ): string {
    const verdict = this.rules.judge(record, type, sender?.peerId);
    if (verdict === "ok") this.rules.stored(record, type, sender?.peerId);
    return verdict;
  }

  /** How often something was not taken for a reason. */
  refusals(reason: string): number {
    return this.metrics.samples()
      .filter(({ name, labels }) =>
        name === "meshnode_record_refusals_total" &&
        labels["reason"] === reason
      )
      .reduce((sum, { value }) => sum + value, 0);
  }
}

/** Something to commit to. */
export function secret(text: string): Reveal {
  const data = new TextEncoder().encode(text);
  return { salt: crypto.getRandomValues(new Uint8Array(32)), data };
}
