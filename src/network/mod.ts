export * from "./duplex.ts";
export * from "./errors.ts";
export type { Admission, AdmissionContext } from "./gater.ts";
export { Host, type HostOptions } from "./host.ts";
export {
  INBOUND_QUOTAS,
  type InboundQuota,
  type InboundQuotas,
} from "./inbound_limits.ts";
export type { MembershipState } from "./membership.ts";
export type { KnownPeer } from "./peer_list.ts";
