export { Dht } from "./dht.ts";
export { StoreError, UnansweredError } from "./errors.ts";
export type { AddressBook, Calls, DhtOptions, Streams } from "./options.ts";
export * from "./types.ts";
export type { CacheOptions } from "./read_cache.ts";
