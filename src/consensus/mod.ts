export * from "./driver.ts";
export * from "./machine.ts";
export * from "./scorer.ts";
export * from "./scores.ts";
