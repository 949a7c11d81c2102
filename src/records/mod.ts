export * from "./dht_id.ts";
export * from "./errors.ts";
export * from "./record.ts";
export * from "./serializer.ts";
export * from "./timed_storage.ts";
export * from "./values.ts";
export * from "./dictionary.ts";
export * from "./local_storage.ts";
