import type { EventRecord } from "@polkadot/types/interfaces";
import type { Vec } from "@polkadot/types";
import { ChainCallError, ChainSubmitError } from "../errors.ts";
import type { BlockRef } from "../types.ts";
import type { HypertensorClient } from "./client.ts";

/** Where a call was found. */
export interface Inclusion {
  /** The block. */
  readonly block: BlockRef;
  /** Its place among the block's calls. */
  readonly index: number;
}

/** What the chain said of a call that succeeded. */
export interface ChainEvent {
  /** `Pallet.Event`. */
  readonly name: string;
  /** Its data. */
  readonly data: unknown;
}

/** Looks for signed bytes in a block. @throws {ChainUnreadableError} */
export async function findIn(
  client: HypertensorClient,
  block: BlockRef,
  bytes: string,
  signal: AbortSignal | undefined,
): Promise<Inclusion | undefined> {
  const answer = await client.ask("chain_getBlock", [block.hash], { signal });
  const inner = Object(Object(answer)["block"]) as Record<string, unknown>;
  const calls = inner["extrinsics"];
  const index = Array.isArray(calls) ? calls.indexOf(bytes) : -1;
  return index < 0 ? undefined : { block, index };
}

/**
 * What became of a call that is in a block: being in it is not success.
 *
 * @throws {ChainCallError} by the name of the chain's error.
 * @throws {ChainSubmitError} when the block's events cannot be read.
 */
export async function outcomeOf(
  client: HypertensorClient,
  { block, index }: Inclusion,
  signal: AbortSignal | undefined,
): Promise<ChainEvent[]> {
  const reader = await client.at(block, { signal });
  const { registry } = reader.runtime.types;
  let records: EventRecord[];
  try {
    const value = await reader.get("system", "events", [], { signal });
    records = [...value as Vec<EventRecord>].filter(({ phase }) =>
      phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() === index
    );
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ChainSubmitError(
      "look",
      `The call is in block ${block.number}, and what became of it cannot be read.`,
      { cause },
    );
  }
  const events = records.map(({ event }) => ({
    name: `${event.section}.${event.method}`,
    data: event.data.toHuman(),
    raw: event.data,
  }));
  if (events.some(({ name }) => name === "system.ExtrinsicSuccess")) {
    return events.map(({ name, data }) => ({ name, data }));
  }
  const failed = events.find(({ name }) => name === "system.ExtrinsicFailed");
  if (failed === undefined) {
    throw new ChainSubmitError(
      "look",
      `Block ${block.number} tells nothing of its call ${index}.`,
    );
  }
  const [reason] = failed.raw as unknown as [{
    readonly isModule: boolean;
    readonly asModule: Parameters<typeof registry.findMetaError>[0];
    readonly type: string;
  }];
  if (!reason.isModule) {
    throw new ChainCallError(
      reason.type,
      `The chain refused it: ${reason.type}.`,
    );
  }
  const { name, docs } = registry.findMetaError(reason.asModule);
  throw new ChainCallError(
    name,
    `The chain refused it: ${name}. ${docs.join(" ").trim()}`.trim(),
  );
}
