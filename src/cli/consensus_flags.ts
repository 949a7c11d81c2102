import { parseAttestPolicy } from "../consensus/mod.ts";
import type { NodeOptions } from "../node/mod.ts";
import { type Options, type Parsed, usageError } from "./args.ts";

/** The flags of `meshnode run` that concern consensus. */
export const CONSENSUS_FLAGS: Options = {
  "attest-policy": {
    value: "POLICY",
    help: "Which proposals to attest: exact, or tolerance:PART.",
    default: "exact",
  },
  "while-inactive": {
    value: "WHAT",
    help: "stay in the mesh or leave it while the subnet is not active.",
    default: "stay",
  },
};

/** What those flags say. @throws {MeshError} `USAGE`, `ATTEST_POLICY_INVALID` */
export function consensusFlags(
  args: Parsed,
): Pick<NodeOptions, "attestPolicy" | "whileInactive"> {
  const whileInactive = args.text("while-inactive");
  if (whileInactive !== "stay" && whileInactive !== "leave") {
    throw usageError(
      `--while-inactive is stay or leave, not "${whileInactive}".`,
      "See --help for what it does.",
    );
  }
  return {
    attestPolicy: parseAttestPolicy(args.text("attest-policy") as string),
    whileInactive,
  };
}
