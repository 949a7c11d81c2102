import config from "../../deno.json" with { type: "json" };

/** This software's version, from `deno.json`. */
export const VERSION: string = config.version;
