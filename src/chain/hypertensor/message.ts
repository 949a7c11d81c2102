import { ChainUnreadableError } from "../errors.ts";

/** What an endpoint says to a question. */
export type Answer =
  | { readonly kind: "result"; readonly id: number; readonly result: unknown }
  | {
    readonly kind: "error";
    readonly id: number;
    readonly number: number;
    readonly text: string;
    readonly data: unknown;
  };

/** What an endpoint tells a subscriber. */
export interface Notice {
  /** Tells notices from answers. */
  readonly kind: "notice";
  /** The subscription's name. */
  readonly subscription: string;
  /** What is told. */
  readonly result: unknown;
}

/** Longest message that is looked at, characters; metadata have some 400 000. */
const LONGEST = 32 * 1024 * 1024;

/**
 * Reads a JSON-RPC message of an endpoint; `undefined` for one that is neither
 * an answer nor a notice, or does not say whose.
 *
 * @throws {ChainUnreadableError} for what is no JSON-RPC.
 */
export function parseMessage(data: unknown): Answer | Notice | undefined {
  if (typeof data !== "string" || data.length > LONGEST) {
    throw new ChainUnreadableError("A message is no text, or too long.");
  }
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch (cause) {
    throw new ChainUnreadableError("A message is no JSON.", { cause });
  }
  if (!isRecord(message)) {
    throw new ChainUnreadableError("A message is no object.");
  }
  if ("id" in message && message["id"] !== null) return answerOf(message);
  const params = message["params"];
  if (!isRecord(params)) return undefined;
  const { subscription, result } = params;
  if (typeof subscription !== "string" && typeof subscription !== "number") {
    return undefined;
  }
  return { kind: "notice", subscription: String(subscription), result };
}

function answerOf(
  message: Readonly<Record<string, unknown>>,
): Answer | undefined {
  const { id: given, error, result } = message;
  if (typeof given !== "string" && typeof given !== "number") {
    return undefined;
  }
  const id = Number(given);
  if (error === undefined || error === null) {
    return { kind: "result", id, result: result ?? null };
  }
  const { code, message: text, data } = isRecord(error) ? error : {};
  return {
    kind: "error",
    id,
    number: Number.isSafeInteger(code) ? Number(code) : 0,
    text: typeof text === "string" ? text : "no reason given",
    data,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
