// The one place that configures the logging library.
import { configure, type LogLevel, type LogRecord } from "@logtape/logtape";
import { usageError } from "./args.ts";

const LEVELS = ["debug", "info", "warning", "error"] as const;

/** Sends log lines of a level and above to a writer. @throws {MeshError} `USAGE` */
export async function configureLogging(
  level: string,
  write: (line: string) => void,
): Promise<void> {
  const wanted = level === "warn" ? "warning" : level;
  if (!(LEVELS as readonly string[]).includes(wanted)) {
    throw usageError(
      `There is no log level "${level}".`,
      "Use debug, info, warn or error.",
    );
  }
  await configure({
    reset: true,
    sinks: { out: (record) => write(format(record)) },
    loggers: [
      {
        category: "meshnode",
        lowestLevel: wanted as LogLevel,
        sinks: ["out"],
      },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["out"] },
    ],
  });
}

/** `2026-01-02T03:04:05.678Z INFO  dht: text` */
export function format(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  const level = record.level.toUpperCase().slice(0, 5).padEnd(5);
  const text = record.message.map((part, i) =>
    i % 2 === 0 ? String(part) : describe(part)
  ).join("");
  // One event is one line, whatever a peer put into it.
  // deno-lint-ignore no-control-regex -- control characters are what must not pass
  const line = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  return `${time} ${level} ${record.category.slice(1).join(".")}: ${line}`;
}

function describe(part: unknown): string {
  if (part instanceof Error) {
    const { code } = part as { code?: unknown };
    return typeof code === "string"
      ? `${part.message} (${code})`
      : part.message;
  }
  return String(part);
}
