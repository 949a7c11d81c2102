export * from "./authorizer.ts";
export * from "./call_limiter.ts";
export * from "./call_quotas.ts";
export { type ReplayBounds } from "./replay_window.ts";
export * from "./signature_authorizer.ts";
export * from "./stake.ts";
export * from "./stake_authorizer.ts";
export * from "./stake_registry.ts";
export type { StandingLevel } from "./standing.ts";
