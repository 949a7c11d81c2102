import type { Bytes } from "../core/bytes.ts";
import {
  AuthError,
  type Authorizer,
  type RequestFacts,
  type ResponseFacts,
} from "./authorizer.ts";
import type { StakeOracle } from "./stake.ts";

/** Accepts only what an inner authorizer accepts, and only from staked peers. */
export class ProofOfStakeAuthorizer implements Authorizer {
  readonly #inner: Authorizer;
  readonly #stake: StakeOracle;

  /** Asks the oracle once the inner authorizer is content. */
  constructor(inner: Authorizer, stake: StakeOracle) {
    this.#inner = inner;
    this.#stake = stake;
  }

  /** Signs like the inner one. */
  signRequest(facts: RequestFacts): Bytes {
    return this.#inner.signRequest(facts);
  }

  /** Checks the request, then its caller's stake. */
  async checkRequest(
    facts: RequestFacts,
    auth: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#inner.checkRequest(facts, auth, signal);
    await this.#checkStake(facts.peer, facts.minClass, signal);
  }

  /** Signs like the inner one. */
  signResponse(facts: ResponseFacts): Bytes {
    return this.#inner.signResponse(facts);
  }

  /** Checks the response, then its responder's stake. */
  async checkResponse(
    facts: ResponseFacts,
    auth: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#inner.checkResponse(facts, auth, signal);
    await this.#checkStake(facts.peer, undefined, signal);
  }

  async #checkStake(
    peer: string,
    minClass: RequestFacts["minClass"],
    signal?: AbortSignal,
  ): Promise<void> {
    const answer = this.#stake.peek(peer, minClass) ??
      await this.#stake.check(peer, { minClass, signal });
    if (answer === "staked") return;
    if (
      answer === "not-staked" && minClass !== undefined &&
      this.#stake.peek(peer) === "staked"
    ) {
      throw new AuthError(
        "low-class",
        `The node of peer ${peer} is not of class ${minClass} yet.`,
      );
    }
    throw answer === "not-staked"
      ? new AuthError("not-staked", `Peer ${peer} has no stake in the subnet.`)
      : new AuthError(
        "stake-unknown",
        `The chain cannot be asked whether peer ${peer} has stake.`,
      );
  }
}
