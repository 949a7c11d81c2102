export type { Registration } from "./calls.ts";
export { LocalChainError } from "./errors.ts";
export type { LocalChainFacts } from "./facts.ts";
export type { LocalChainFaults } from "./faults.ts";
export { LocalChain, type LocalChainOptions } from "./local_chain.ts";
