export * from "./chain.ts";
export * from "./epoch.ts";
export * from "./epoch_clock.ts";
export * from "./errors.ts";
export * from "./types.ts";
