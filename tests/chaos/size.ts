/** How large the kill tests are: small in the suite, full by `deno task chaos`. */
export const SIZE = Deno.env.get("MESHNODE_CHAOS") === "full"
  ? { nodes: 64, records: 1_000, rounds: 10 }
  : { nodes: 24, records: 120, rounds: 3 };
