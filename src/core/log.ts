// The one place that names the logging library, so that it can be exchanged
// with one line. A library only writes; the application configures the sinks.
import { getLogger } from "@logtape/logtape";

/** Structured facts of a log line, by name. */
export type LogFields = Record<string, unknown>;

/** Writes log lines; `{name}` in a message stands for the field of that name. */
export interface Logger {
  /** What only a developer wants to see. */
  debug(message: string, fields?: LogFields): void;
  /** What an operator wants to see. */
  info(message: string, fields?: LogFields): void;
  /** What an operator should look at. */
  warn(message: string, fields?: LogFields): void;
  /** What keeps the node from its work. */
  error(message: string, fields?: LogFields): void;
}

/** The logger of one part, such as `dht` or `rpc`. */
export function loggerOf(part: string): Logger {
  return getLogger(["meshnode", part]);
}
