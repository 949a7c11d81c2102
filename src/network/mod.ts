export * from "./duplex.ts";
export * from "./errors.ts";
export type { Admission, AdmissionContext } from "./gater.ts";
export { Host } from "./host.ts";
export type { HostOptions } from "./host_options.ts";
export {
  INBOUND_QUOTAS,
  type InboundQuota,
  type InboundQuotas,
} from "./inbound_limits.ts";
export type { MembershipState } from "./membership.ts";
export type { KnownPeer } from "./peer_list.ts";
