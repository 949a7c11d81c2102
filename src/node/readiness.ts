import type { ClockState } from "../auth/clock_monitor.ts";
import type { StakeRegistry } from "../auth/stake_registry.ts";
import type { LastingWork } from "./lifetime.ts";
import type { NodeStatus, Unready } from "./options.ts";

/** What readiness is concluded from. */
export interface ReadinessFacts {
  /** What the heartbeat says. */
  readonly state: NodeStatus["state"];
  /** Where the node stands in the mesh. */
  readonly network: NodeStatus["network"];
  /** The node's own peer id. */
  readonly peerId: string;
  /** Who has stake; absent without a chain. */
  readonly registry: StakeRegistry | undefined;
  /** What the peers say of our clock. */
  readonly clock: ClockState;
  /** What should go on in the node, and has failed. */
  readonly failed: ReadonlySet<LastingWork>;
}

const STAKE = {
  none: "The subnet's members were never read from the chain.",
  stale: "The subnet's members cannot be read from the chain; those that " +
    "were known stay admitted for a while, strangers are refused.",
  expired: "The subnet's members could not be read from the chain for so " +
    "long that nobody is admitted any more.",
};

/** What keeps a node from full work; nothing when it is ready. */
export function unreadiness(facts: ReadinessFacts): Unready[] {
  const { state, peerId, registry, clock } = facts;
  const found: Unready[] = [];
  if (state !== "online") {
    found.push({ part: "mesh", reason: `The node is ${state}.` });
  } else if (facts.network === "isolated") {
    const reason = "The node is isolated: it should see others, and sees none.";
    found.push({ part: "mesh", reason });
  }
  if (registry !== undefined) {
    const { health } = registry;
    if (health !== "fresh") {
      found.push({ part: "stake", reason: STAKE[health] });
    } else if (registry.peek(peerId) !== "staked") {
      const reason = "The node has no stake: others refuse it.";
      found.push({ part: "stake", reason });
    }
  }
  if (clock.isOff) {
    const seconds = (clock.offset ?? 0).toFixed(1);
    const reason = `The clock is off: its peers' are ${seconds} s ahead.`;
    found.push({ part: "clock", reason });
  }
  if (facts.failed.size > 0) {
    const parts = [...facts.failed].join(", ");
    const reason = `Work that has failed does not go on until the node is ` +
      `started again: ${parts}.`;
    found.push({ part: "work", reason });
  }
  return found;
}
