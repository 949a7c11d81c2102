export * from "./chain.ts";
export * from "./epoch.ts";
export * from "./epoch_clock.ts";
export * from "./errors.ts";
export * from "./types.ts";
export type { ClientOptions, ClientStatus } from "./hypertensor/client.ts";
export {
  type HypertensorAccess,
  type OpenedHypertensor,
  openHypertensor,
} from "./open_hypertensor.ts";
