// Words for people.
import { formatFraction, formatTensor } from "../../chain/amount.ts";
import { epochPosition } from "../../chain/epoch.ts";
import type { ChainConstants, NodeClass } from "../../chain/types.ts";

/** `1 h 5 min`, `2 min 6 s` or `45 s`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  const units = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return units.slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** `1 node`, `2 nodes`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** An amount with its unit. */
export function tensor(amount: bigint): string {
  return `${formatTensor(amount)} TENSOR`;
}

/** A fraction by 1e18 as a percentage of at most two decimals, rounded down. */
export function percent(fraction: bigint): string {
  const step = 10n ** 14n;
  return formatFraction(fraction / step * step);
}

/** Where a block lies in a subnet's epoch, in words. */
export function epochWords(
  block: number,
  slot: number,
  { epochLength, blockMilliseconds }: ChainConstants,
): string {
  const { epoch, elapsed, remaining, progress, beforeSlot } = epochPosition(
    block,
    slot,
    epochLength,
  );
  const left = `${count(remaining, "block")} (about ${
    duration(remaining * blockMilliseconds)
  })`;
  return beforeSlot
    ? `before the first epoch, which begins in ${left}`
    : `epoch ${epoch}: block ${elapsed + 1} of ${epochLength} (${
      Math.floor(progress * 100)
    } % done), ${left} to go`;
}

/** What a node of a class may do. */
export const CLASS_WORDS: Readonly<Record<NodeClass, string>> = {
  registered: "waits in the queue; others let it connect, and it earns nothing",
  idle: "active, not yet scored",
  included: "scored by the others, earns; becomes a validator when they agree",
  validator: "may be elected, proposes and attests, earns",
};
