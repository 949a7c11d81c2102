/**
 * meshnode as a library.
 *
 * @module
 */
export type { Bytes } from "./src/core/bytes.ts";
export * from "./src/core/errors.ts";
export * from "./src/identity/mod.ts";
export * from "./src/records/mod.ts";
export * from "./src/validation/mod.ts";
