import type { ChainEvent } from "../../chain/hypertensor/outcome.ts";
import type { BlockRef } from "../../chain/types.ts";
import { facts, printable } from "../table.ts";
import type { Preview } from "./send.ts";
import { tensor } from "./words.ts";

/** A call that was included and has succeeded. */
export interface SentCall {
  /** The block that includes it. */
  readonly block: BlockRef;
  /** The call's hash. */
  readonly hash: string;
  /** What the chain said of it. */
  readonly events: readonly ChainEvent[];
}

/** What is known of a call before it is sent, for people. */
export function planText(preview: Preview): string {
  const { balance, spends, fee } = preview;
  const conditions = preview.checks.map(({ what, holds, found, error }) =>
    holds
      ? `  yes  ${printable(what)}`
      : `  NO   ${printable(what)} (${error})${
        found === undefined ? "" : `\n       ${printable(found)}`
      }`
  );
  return [
    printable(preview.title),
    "",
    facts([
      ...preview.facts,
      ["Signed by", preview.signer],
      ["Free balance", tensor(balance)],
      ["Spent", spends === 0n ? undefined : tensor(spends)],
      ["Fee", `about ${tensor(fee)}`],
    ]),
    "",
    `Call: ${preview.call.name}`,
    indented(argumentLines(preview.call.args)),
    "",
    "The chain's conditions:",
    ...conditions,
    ...preview.warnings.map((warning) => `\nNote: ${printable(warning)}`),
  ].filter((part, i, all) => part !== "" || all[i - 1] !== "").join("\n");
}

/** What became of a call, for people. */
export function sentText({ block, hash, events }: SentCall): string {
  const said = events
    .filter(({ name }) => name.startsWith("network."))
    .map(({ name, data }) =>
      `${name.slice("network.".length)}${dataText(data)}`
    );
  return [
    `Done: included in block ${block.number}.`,
    facts([["Transaction", hash], ["Block", block.hash]]),
    ...said.map((line) => `Event: ${printable(line)}`),
  ].join("\n");
}

/** Names and values of an event, without what is nested in it. */
function dataText(data: unknown): string {
  if (typeof data !== "object" || data === null) return "";
  const parts = Object.entries(data)
    .filter(([, value]) => typeof value === "string")
    .map(([name, value]) => Array.isArray(data) ? value : `${name} ${value}`);
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}

function argumentLines(args: Readonly<Record<string, unknown>>): string {
  return facts(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}

function indented(text: string): string {
  return text === "" ? "" : text.replaceAll(/^/gm, "  ");
}
