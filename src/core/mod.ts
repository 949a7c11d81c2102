export * from "./bytes.ts";
export * from "./clock.ts";
export * from "./deadline.ts";
export * from "./errors.ts";
export * from "./log.ts";
export * from "./manual_clock.ts";
export * from "./metrics.ts";
export * from "./version.ts";
