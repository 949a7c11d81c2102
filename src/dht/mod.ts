export { Dht } from "./dht.ts";
export { StoreError } from "./errors.ts";
export type { Calls, DhtOptions } from "./options.ts";
export * from "./types.ts";
