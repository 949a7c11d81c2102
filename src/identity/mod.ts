export { type Ed25519, ed25519, type Ed25519Verifier } from "./ed25519.ts";
export * from "./identity_file.ts";
export * from "./identity.ts";
export * from "./key_protobuf.ts";
export * from "./openssh.ts";
export * from "./peer_id.ts";
export * from "./public_key.ts";
export * from "./key_lock.ts";
export * from "./keystore.ts";
export {
  isSealed,
  SCRYPT_COST,
  type ScryptCost,
  seal,
  SealedError,
  sealedPeerId,
  type SealedProblem,
  unseal,
} from "./sealed.ts";
