import type { StakeRegistry } from "../auth/stake_registry.ts";
import type { Clock } from "../core/clock.ts";
import type { Metrics } from "../core/metrics.ts";
import type { RecordStore } from "../dht/types.ts";
import { heartbeatKeyRule, heartbeatRule } from "../heartbeat/mod.ts";
import type { Identity } from "../identity/mod.ts";
import type { LocalStorage } from "../records/local_storage.ts";
import { decode, encode } from "../records/serializer.ts";
import {
  commitRevealRules,
  CompositeValidator,
  type EpochClock,
  type KeyRule,
  PredicateValidator,
  RulesValidator,
  SignatureValidator,
} from "../validation/mod.ts";
import type { NodeOptions } from "./options.ts";

/** What the rules of a node's records are made of. */
export interface RecordRulesParts {
  /** Whose node it is. */
  readonly identity: Identity;
  /** Who has stake; absent without a chain. */
  readonly registry: StakeRegistry | undefined;
  /** Where the chain stands; absent without one. */
  readonly epochs: EpochClock | undefined;
  /** The records held here. */
  readonly storage: LocalStorage;
  /** The records of the mesh. They need the rules, so that they are asked for when used. */
  readonly records: () => RecordStore;
  /** The time. */
  readonly clock: Clock;
  /** Where to count. */
  readonly metrics: Metrics;
}

/** Makes the rules of a node: with a chain, only the kinds of records that the subnet has. */
export function makeRecordRules(
  { subnet }: Pick<NodeOptions, "subnet">,
  parts: RecordRulesParts,
): CompositeValidator {
  const signatures = new SignatureValidator(parts.identity);
  const { epochs, registry, storage, clock, metrics } = parts;
  const rules = subnetRules(subnet?.rules ?? commitRevealRules(subnet?.phases));
  return new CompositeValidator([
    signatures,
    epochs === undefined
      ? new PredicateValidator(heartbeatRule())
      : new RulesValidator({
        ...{ rules, epochs, clock, metrics },
        ...(registry === undefined ? {} : { owners: registry }),
        held: (key, subkey) => {
          const [held] = storage.find(key, [subkey]);
          return held && { ...held, value: signatures.stripValue(held) };
        },
        commits: async ({ rule, epoch, subkey }, signal) => {
          const key = rules.find(({ name }) => name === rule)?.key;
          if (typeof key !== "function") return undefined;
          const found = await parts.records().get(key(epoch), {
            latest: true,
            subkeys: [decode(subkey)],
            signal,
          });
          const [entry] = found?.kind === "dictionary" ? found.entries : [];
          return entry && encode(entry.value);
        },
      }),
    ...subnet?.validators ?? [],
  ]);
}

function subnetRules(rules: readonly KeyRule[] | "any"): readonly KeyRule[] {
  return [
    heartbeatKeyRule(),
    ...rules === "any" ? [{ name: "other", owned: false }] : rules,
  ];
}
