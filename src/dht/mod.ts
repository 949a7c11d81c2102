export { type Calls, Dht, type DhtOptions } from "./dht.ts";
export * from "./types.ts";
