import { type Options, parse, type Parsed, usageError } from "./args.ts";
import { nearest } from "./args.ts";
import { EXIT } from "./exit.ts";
import type { Prompt } from "./prompt.ts";

/** Where a command reads and writes. */
export interface CommandContext {
  /** Writes a line to standard output; false once nobody reads it any more. */
  out(line: string): boolean;
  /** Writes a line to standard error. */
  err(line: string): void;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Asks the user. */
  readonly prompt: Prompt;
  /** Aborted when the user wants it to end. */
  readonly signal: AbortSignal;
}

/** A command. */
export interface Command {
  /** One line for lists. */
  readonly summary: string;
  /** What follows the command's name. */
  readonly usage: string;
  /** What it does, for its help. */
  readonly description: string;
  /** Its options. */
  readonly options: Options;
  /** Whether it lasts until the user ends it, who then has what they wanted. */
  readonly isLasting?: boolean;
  /** Most arguments that are not options. */
  readonly positionals?: number;
  /** Command lines that teach, each with what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Does it, and gives the exit code. */
  run(args: Parsed, context: CommandContext): Promise<number>;
}

/** A command that is loaded when needed, or a group of commands. */
export type Entry =
  | {
    readonly summary: string;
    readonly load: () => Promise<Command>;
  }
  | {
    readonly summary: string;
    readonly commands: Readonly<Record<string, Entry>>;
  };

const COMMON: Options = {
  help: { help: "Show this help." },
};

/** Finds the command, and runs it or shows its help. @throws {MeshError} `USAGE` */
export async function dispatch(
  name: string,
  entry: Entry,
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  if ("commands" in entry) {
    const [first, ...rest] = args;
    if (first === undefined || first === "--help" || first === "help") {
      (first === undefined ? context.err : context.out)(
        groupHelp(name, entry),
      );
      return first === undefined ? 2 : 0;
    }
    const next = entry.commands[first];
    if (next !== undefined && Object.hasOwn(entry.commands, first)) {
      return dispatch(`${name} ${first}`, next, rest, context);
    }
    const near = nearest(first, Object.keys(entry.commands));
    throw usageError(
      `There is no command "${name} ${first}".`,
      near === undefined
        ? `See \`${name} --help\` for what there is.`
        : `Did you mean \`${name} ${near}\`?`,
    );
  }
  const command = await entry.load();
  const options = { ...command.options, ...COMMON };
  const parsed = parse(args, options, command.positionals ?? 0);
  if (parsed.flag("help")) {
    context.out(commandHelp(name, command, options));
    return 0;
  }
  try {
    return await command.run(parsed, context);
  } catch (error) {
    const { signal } = context;
    // Asked to end while it was starting: that is what it did.
    const isEnded = signal.aborted && error === signal.reason;
    if (command.isLasting && isEnded) return EXIT.ok;
    throw error;
  }
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
    .join("\n");
}

function groupHelp(
  name: string,
  entry: Extract<Entry, { commands: unknown }>,
): string {
  const rows = Object.entries(entry.commands)
    .map(([each, { summary }]) => [each, summary] as const);
  return `${entry.summary}

Usage: ${name} <command> [options]

Commands:
${columns(rows)}

\`${name} <command> --help\` tells more.`;
}

function commandHelp(name: string, command: Command, options: Options): string {
  const rows = Object.entries(options).map((
    [option, { value, help, ...more }],
  ) =>
    [
      `--${option}${value === undefined ? "" : ` ${value}`}`,
      help + (more.multiple ? " May be given more than once." : "") +
      (more.default === undefined ? "" : ` [${more.default}]`),
    ] as const
  );
  const examples = command.examples.flatMap(([line, what]) => [
    `  # ${what}`,
    `  ${line}`,
  ]);
  return `${command.description}

Usage: ${name} ${command.usage}

Options:
${columns(rows)}

Examples:
${examples.join("\n")}`;
}
