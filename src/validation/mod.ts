export * from "./composite.ts";
export * from "./predicate.ts";
export * from "./signature.ts";
export * from "./validator.ts";
