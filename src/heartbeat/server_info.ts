import { MeshError } from "../core/errors.ts";
import { Float, type MeshValue, Tuple } from "../records/values.ts";
import type { OnlineTime } from "./presence.ts";

/** What a node says of itself; the index is the number on the wire. */
export const SERVER_STATES = ["offline", "joining", "online"] as const;

/** A node's state. */
export type ServerState = typeof SERVER_STATES[number];

/** What a heartbeat tells. */
export interface ServerInfo {
  /** Whether the node works. */
  readonly state: ServerState;
  /** What it is, such as `validator` or `bootnode`. */
  readonly role: string;
  /** Requests per second, as far as it knows. */
  readonly throughput: number;
  /** A name for people. */
  readonly publicName?: string | undefined;
  /** Version of its software. */
  readonly version?: string | undefined;
  /** Whether it is reached through a relay only. */
  readonly usingRelay?: boolean | undefined;
  /** Round-trip times to other peers, in seconds, by peer id. */
  readonly nextPings?: ReadonlyMap<string, number> | undefined;
  /**
   * DHT time (Unix seconds) since when it is online. Beyond the reference,
   * whose readers ignore it: whoever reads when agrees on who was there.
   */
  readonly onlineSince?: number | undefined;
  /** DHT time (Unix seconds) at which it left; beyond the reference, too. */
  readonly offlineSince?: number | undefined;
  /** The time before, in which it was online; beyond the reference, too. */
  readonly before?: OnlineTime | undefined;
}

/** Bounds of what a heartbeat may tell. */
const LIMITS = { text: 256, pings: 256 };

/** The error for a value that is no {@linkcode ServerInfo}. */
export class ServerInfoError extends MeshError {
  /** Says what is wrong with it. */
  constructor(message: string) {
    super("SERVER_INFO", message);
    this.name = "ServerInfoError";
  }
}

/** The reference's tuple `(state, role, throughput, {…})`. */
export function serverInfoValue(info: ServerInfo): MeshValue {
  const pings = info.nextPings &&
    new Map([...info.nextPings].map(([peer, time]) => [peer, new Float(time)]));
  return new Tuple([
    SERVER_STATES.indexOf(info.state),
    info.role,
    new Float(info.throughput),
    new Map<MeshValue, MeshValue>([
      ["public_name", info.publicName ?? null],
      ["version", info.version ?? null],
      ["using_relay", info.usingRelay ?? null],
      ["next_pings", pings ?? null],
      ...since("online_since", info.onlineSince),
      ...since("offline_since", info.offlineSince),
      ...since("was_online_since", info.before?.since),
      ...since("was_online_until", info.before?.until),
      ...(info.before?.left ? [["was_left", true] as const] : []),
    ]),
  ]);
}

/**
 * Reads the reference's tuple; further keys of its map are ignored.
 *
 * @throws {ServerInfoError} for anything else.
 */
export function parseServerInfo(value: MeshValue): ServerInfo {
  if (!(value instanceof Tuple) || value.items.length !== 4) {
    throw new ServerInfoError("It is no tuple of four.");
  }
  const [number, role, throughput, extra] = value.items;
  const state = typeof number === "number" ? SERVER_STATES[number] : undefined;
  if (state === undefined) throw new ServerInfoError("Its state is unknown.");
  if (!(extra instanceof Map)) {
    throw new ServerInfoError("Its fourth part is no map.");
  }
  const usingRelay = extra.get("using_relay") ?? undefined;
  if (usingRelay !== undefined && typeof usingRelay !== "boolean") {
    throw new ServerInfoError("Its using_relay is neither true nor false.");
  }
  return {
    state,
    role: text("role", role),
    throughput: amount("throughput", throughput),
    publicName: optionalText("public_name", extra.get("public_name")),
    version: optionalText("version", extra.get("version")),
    usingRelay,
    nextPings: pings(extra.get("next_pings")),
    onlineSince: optionalAmount(extra, "online_since"),
    offlineSince: optionalAmount(extra, "offline_since"),
    before: onlineBefore(extra),
  };
}

function since(
  name: string,
  time: number | undefined,
): readonly (readonly [MeshValue, MeshValue])[] {
  return time === undefined ? [] : [[name, new Float(time)]];
}

function onlineBefore(
  extra: ReadonlyMap<MeshValue, MeshValue>,
): OnlineTime | undefined {
  const since = optionalAmount(extra, "was_online_since");
  const until = optionalAmount(extra, "was_online_until");
  return since === undefined || until === undefined
    ? undefined
    : { since, until, left: extra.get("was_left") === true };
}

function optionalAmount(
  extra: ReadonlyMap<MeshValue, MeshValue>,
  name: string,
): number | undefined {
  const value = extra.get(name);
  return value === undefined || value === null
    ? undefined
    : amount(name, value);
}

function text(name: string, value: MeshValue | undefined): string {
  if (typeof value === "string" && value.length <= LIMITS.text) return value;
  throw new ServerInfoError(`Its ${name} is no short text.`);
}

function optionalText(
  name: string,
  value: MeshValue | undefined,
): string | undefined {
  return value === undefined || value === null ? undefined : text(name, value);
}

function amount(name: string, value: MeshValue | undefined): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) {
    return value;
  }
  throw new ServerInfoError(`Its ${name} is no amount.`);
}

function pings(
  value: MeshValue | undefined,
): ReadonlyMap<string, number> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!(value instanceof Map) || value.size > LIMITS.pings) {
    throw new ServerInfoError("Its next_pings is no small map.");
  }
  return new Map(
    [...value].map(([peer, time]) => [
      text("peer", peer),
      amount("round-trip time", time),
    ]),
  );
}
