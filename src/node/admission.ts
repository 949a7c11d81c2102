import type { StakeOracle } from "../auth/stake.ts";
import type { Admission } from "../network/mod.ts";

/** Admits whoever has stake. */
export function stakeAdmission(stake: StakeOracle): Admission {
  return {
    async refusal(peerId, context) {
      const answer = stake.peek(peerId) ?? await stake.check(peerId, context);
      return answer === "staked"
        ? undefined
        : answer === "unknown"
        ? "stake-unknown"
        : answer;
    },
  };
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
