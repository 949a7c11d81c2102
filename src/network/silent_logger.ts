import type { ComponentLogger, Logger } from "@libp2p/interface";

const nothing: Logger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => nothing,
});

/**
 * For libp2p's own debug output, which nobody reads: by default each connection
 * makes dozens of loggers that look whether there is a terminal, a seventh of
 * what a connection costs.
 */
export const SILENT_LOGGER: ComponentLogger = { forComponent: () => nothing };
