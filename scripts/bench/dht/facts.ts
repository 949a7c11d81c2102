import { cpus, loadavg, totalmem } from "node:os";

/** Load at which other work disturbs the numbers. */
const LOADED = 1.5;

/** Where and when something was measured. */
export interface Facts {
  readonly at: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly deno: string;
  readonly commit: string;
  /** The average number of processes that wanted the processor in the minute before. */
  readonly load: number;
}

/** Notes the facts. */
export function facts(): Facts {
  return {
    at: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    deno: Deno.version.deno,
    commit: commit(),
    load: loadavg()[0] ?? NaN,
  };
}

/** Says so when others use the machine. */
export function warnIfLoaded(load: number, say: (text: string) => void): void {
  if (load < LOADED) return;
  say(
    `The machine is busy: its load is ${load.toFixed(2)}. ` +
      "The numbers will be worse than they could be.",
  );
}

function commit(): string {
  try {
    const { success, stdout } = new Deno.Command("git", {
      args: ["describe", "--always", "--dirty"],
      stderr: "null",
    }).outputSync();
    if (success) return new TextDecoder().decode(stdout).trim();
  } catch {
    // Sources without git.
  }
  return "unknown";
}
