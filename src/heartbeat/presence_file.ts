import { loggerOf } from "../core/log.ts";
import {
  parsePresence,
  type PresenceMemory,
  presenceText,
} from "./presence.ts";

/** Longest file that is read, bytes. */
const MAX_SIZE = 1_024;

/** Keeps the presence in a file, replaced as a whole. A file that cannot be used costs no more than the memory. */
export function presenceFile(path: string): PresenceMemory {
  const log = loggerOf("heartbeat");
  const failed = (what: string, error: unknown) =>
    log.warn("Could not {what} {path}: {error}", { what, path, error });
  return {
    recall() {
      try {
        const { size } = Deno.statSync(path);
        return size > MAX_SIZE
          ? undefined
          : parsePresence(Deno.readTextFileSync(path));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) failed("read", error);
        return undefined;
      }
    },
    keep(presence) {
      try {
        const part = `${path}.part`;
        Deno.writeTextFileSync(part, presenceText(presence), { mode: 0o600 });
        Deno.renameSync(part, path);
      } catch (error) {
        failed("write", error);
      }
    },
  };
}
