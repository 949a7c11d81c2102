import type { StakeOracle } from "../auth/stake.ts";
import type { Admission } from "../network/mod.ts";

/** Admits whoever has stake. */
export function stakeAdmission(stake: StakeOracle): Admission {
  return {
    async refusal(peerId, signal) {
      const answer = stake.peek(peerId) ?? await stake.check(peerId, signal);
      return answer === "staked"
        ? undefined
        : answer === "unknown"
        ? "stake-unknown"
        : answer;
    },
  };
}
