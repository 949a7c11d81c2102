export * from "./announcer.ts";
export * from "./directory.ts";
export * from "./heartbeat_record.ts";
export * from "./ping_aggregator.ts";
export * from "./presence.ts";
export * from "./presence_file.ts";
export * from "./server_info.ts";
