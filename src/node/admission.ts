import type { CallLimiter } from "../auth/call_limiter.ts";
import type { StakeOracle } from "../auth/stake.ts";
import type { Admission, AdmissionContext } from "../network/mod.ts";

/** Admits whoever has stake, is not banned and does not connect too often. */
export function nodeAdmission(
  stake: StakeOracle | undefined,
  limiter: CallLimiter | undefined,
): Admission {
  return {
    open: stake === undefined,
    async refusal(peerId, context) {
      const origin = context.loopback ? undefined : context.origin;
      if (limiter?.levelOf(peerId, origin) === "banned") return "banned";
      const lacking = stake && await stakeRefusal(stake, peerId, context);
      if (lacking !== undefined || context.direction === "outbound") {
        return lacking;
      }
      // Last, so that only peers that may connect are remembered for it.
      return limiter?.admit({
          ...{ peer: peerId, origin, what: "connections", bytes: 0 },
        }) === undefined
        ? undefined
        : "too-many-connections";
    },
  };
}

async function stakeRefusal(
  stake: StakeOracle,
  peerId: string,
  { origin, signal }: AdmissionContext,
): Promise<string | undefined> {
  const answer = stake.peek(peerId) ??
    await stake.check(peerId, { origin, signal });
  if (answer === "staked") return undefined;
  return answer === "unknown" ? "stake-unknown" : answer;
}

/** Connected peers that nobody would let in now: whose stake went while they connected. */
export function unstaked(
  stake: StakeOracle,
  connected: Iterable<string>,
): string[] {
  return [...connected].filter((peerId) => {
    const answer = stake.peek(peerId);
    return answer !== "staked" && answer !== "unknown";
  });
}
