/** A time in which a node was online, in DHT time (Unix seconds). */
export interface OnlineTime {
  /** Its begin. */
  readonly since: number;
  /** Its end, exclusive: when the node left, or else when its last heartbeat ended. */
  readonly until: number;
  /** Whether it said that it leaves. */
  readonly left: boolean;
}

/** What a node remembers of its last words, so that a restart does not change what it was. */
export interface Presence extends OnlineTime {
  /** Until when its last heartbeat lives. */
  readonly expiration: number;
}

/** Keeps a node's presence over restarts. */
export interface PresenceMemory {
  /** What was kept last. */
  recall(): Presence | undefined;
  /** Keeps it; called before a heartbeat that says so is sent. */
  keep(presence: Presence): void;
}

/** A presence's text. */
export function presenceText(presence: Presence): string {
  const { since, until, left, expiration } = presence;
  return JSON.stringify({ since, until, left, expiration });
}

/** Reads a presence's text; `undefined` for anything else. */
export function parsePresence(text: string): Presence | undefined {
  try {
    const { since, until, left, expiration } = JSON.parse(text);
    const times = [since, until, expiration];
    return times.every(Number.isFinite) && typeof left === "boolean"
      ? { since, until, left, expiration }
      : undefined;
  } catch {
    return undefined;
  }
}
