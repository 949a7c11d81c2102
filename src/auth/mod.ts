export * from "./authorizer.ts";
export { type ReplayBounds } from "./replay_window.ts";
export * from "./signature_authorizer.ts";
export * from "./stake.ts";
export * from "./stake_authorizer.ts";
export * from "./stake_registry.ts";
