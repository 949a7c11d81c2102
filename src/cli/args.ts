// The one place that parses flags; another parser can take its place.
import { parseArgs } from "node:util";
import { MeshError } from "../core/errors.ts";

/** A flag of a command. */
export interface Option {
  /** Name of its value in help; a flag without one is true or false. */
  readonly value?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** What it does. */
  readonly help: string;
  /** Value when it is not given, for help and for use. */
  readonly default?: string;
}

/** Options by name. */
export type Options = Readonly<Record<string, Option>>;

/** What was given. */
export interface Parsed {
  /** The text of an option, or its default. */
  text(name: string): string | undefined;
  /** The texts of an option that may be given more than once. */
  texts(name: string): readonly string[];
  /** Whether a flag was given. */
  flag(name: string): boolean;
  /** The whole number of an option within bounds. @throws {MeshError} `USAGE` */
  integer(name: string, least: number, most: number): number;
  /** What is not an option. */
  readonly positionals: readonly string[];
}

/** The error for a command line that cannot be understood. */
export function usageError(message: string, hint: string): MeshError {
  return new MeshError("USAGE", message, { hint });
}

/** Reads a command line. @throws {MeshError} `USAGE` */
export function parse(
  args: readonly string[],
  options: Options,
  mostPositionals: number,
): Parsed {
  const names = Object.keys(options);
  let given: ReturnType<typeof parseArgs>;
  try {
    given = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, option]) => [name, {
          type: option.value === undefined ? "boolean" : "string",
          multiple: option.multiple ?? false,
        }]),
      ),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const wrong = /'--?([^'= ]+)/.exec(message)?.[1];
    const near = wrong === undefined || names.includes(wrong)
      ? undefined
      : nearest(wrong, names);
    throw usageError(
      message.split(/\. (?:To|Did)/)[0] as string,
      near === undefined
        ? "See --help for all options."
        : `Did you mean --${near}? See --help for all options.`,
    );
  }
  if (given.positionals.length > mostPositionals) {
    throw usageError(
      `"${given.positionals[mostPositionals]}" is not expected here.`,
      "See --help for how the command is used.",
    );
  }
  const text = (name: string) => {
    const value = given.values[name];
    return typeof value === "string" ? value : options[name]?.default;
  };
  return {
    text,
    texts: (name) => {
      const value = given.values[name];
      return Array.isArray(value) ? value.map(String) : [];
    },
    flag: (name) => given.values[name] === true,
    integer: (name, least, most) => {
      const value = Number(text(name));
      if (Number.isSafeInteger(value) && value >= least && value <= most) {
        return value;
      }
      throw usageError(
        `--${name} is a whole number from ${least} to ${most}, not "${
          text(name)
        }".`,
        "See --help for what it does.",
      );
    },
    positionals: given.positionals,
  };
}

/** The name that was probably meant, if one is near. */
export function nearest(
  wrong: string,
  names: readonly string[],
): string | undefined {
  const [best] = names
    .map((name) => ({ name, far: editDistance(wrong, name) }))
    .sort((a, b) => a.far - b.far);
  return best !== undefined && best.far <= Math.max(1, wrong.length / 3)
    ? best.name
    : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(
        (row[j] as number) + 1,
        (next[j - 1] as number) + 1,
        (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length] as number;
}
