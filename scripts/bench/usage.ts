// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";

/** What a benchmark is told makes no sense; the message says what. */
export class UsageError extends Error {}

/**
 * What the command line says, as `read` understands it. Prints the help and
 * ends where it is wanted; names the fault before it and ends with 2 where
 * something makes no sense.
 */
export function told<T>(help: string, read: (args: readonly string[]) => T): T {
  if (Deno.args.includes("--help")) {
    console.log(help);
    Deno.exit(0);
  }
  try {
    return read(Deno.args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`error: ${error.message}\n\n${help}`);
    Deno.exit(2);
  }
}

/** The values of flags; those with a default of `false` are true or false. @throws {UsageError} */
export function flagsOf<
  T extends Readonly<Record<string, string | false | undefined>>,
>(
  args: readonly string[],
  defaults: T,
): { [K in keyof T]: T[K] extends false ? boolean : T[K] } {
  const { values } = parsed(() =>
    parseArgs({
      args: [...args],
      options: Object.fromEntries(
        Object.entries(defaults).map(([name, value]) => [
          name,
          { type: value === false ? "boolean" : "string" },
        ]),
      ),
    })
  );
  return { ...defaults, ...values } as ReturnType<typeof flagsOf<T>>;
}

/** Arguments that are no flags, as many as are given, at most some. @throws {UsageError} */
export function argumentsOf(
  args: readonly string[],
  most: number,
): readonly string[] {
  const { positionals } = parsed(() =>
    parseArgs({ args: [...args], options: {}, allowPositionals: true })
  );
  if (positionals.length <= most) return positionals;
  throw new UsageError(`"${positionals[most]}" is not expected.`);
}

/** A number from 0, whole where it counts something. @throws {UsageError} */
export function numberOf(
  name: string,
  text: string,
  { isWhole = false, least = 0, most = Infinity } = {},
): number {
  const value = text.trim() === "" ? NaN : Number(text);
  const fits = isWhole ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (fits && value >= least && value <= most) return value;
  throw new UsageError(
    `${name} is a ${isWhole ? "whole " : ""}number ` +
      `${most === Infinity ? "not below" : "from"} ${least}` +
      `${most === Infinity ? "" : ` to ${most}`}, not "${text}".`,
  );
}

/** Reads those of some flags that are numbers: what counts something, and any. */
export function numbersOf<K extends string>(
  values: Readonly<Record<K, unknown>>,
) {
  const read = (isWhole: boolean) =>
  (
    name: K,
    limits: { readonly least?: number; readonly most?: number } = {},
  ) => numberOf(`--${name}`, String(values[name]), { isWhole, ...limits });
  return { count: read(true), number: read(false) };
}

/** The words of a list, of those that there are. @throws {UsageError} */
export function listOf<T extends string>(
  name: string,
  text: string,
  known: readonly T[],
): T[] {
  const wanted = text.split(",");
  const wrong = wanted.find((each) => !known.some((word) => word === each));
  if (wrong === undefined) return known.filter((each) => wanted.includes(each));
  throw new UsageError(
    `${name} knows no "${wrong}"; there are ${known.join(", ")}.`,
  );
}

/** What the platform's parser says, as a fault of the command line. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // What follows tells how to pass an argument that looks like a flag.
    const [message] = error.message.split(/\. (?:To|Did)|\n/);
    throw new UsageError(`${message?.replace(/\.$/, "")}.`);
  }
}
