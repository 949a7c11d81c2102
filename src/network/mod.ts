export * from "./duplex.ts";
export * from "./errors.ts";
export type { Admission } from "./gater.ts";
export { Host, type HostOptions } from "./host.ts";
