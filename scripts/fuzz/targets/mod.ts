import type { Target } from "../engine.ts";
import { callTargets } from "./calls.ts";
import { chainTargets } from "./chain.ts";
import { consensusTargets } from "./consensus.ts";
import { endpointTargets } from "./endpoint.ts";
import { keyTargets } from "./keys.ts";
import { recordTargets } from "./records.ts";
import { textTargets } from "./texts.ts";

/** Every decoder that reads what others wrote. */
export async function allTargets(): Promise<Target[]> {
  return [
    ...callTargets(),
    ...recordTargets(),
    ...await keyTargets(),
    ...textTargets(),
    ...await chainTargets(),
    ...await endpointTargets(),
    ...consensusTargets(),
  ];
}
