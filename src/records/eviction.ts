import { equal } from "../core/bytes.ts";
import type { Shares } from "./shares.ts";
import type { HeldFacts, RecordTable } from "./table.ts";

/** Most records that give way to one. */
const MOST_VICTIMS = 8_192;
/** Most owners that are looked at for one who takes more than its share. */
const MOST_OWNERS = 64;

/** What is missing; nothing where a number is not positive. */
interface Wanted {
  readonly bytes: number;
  readonly records: number;
}

/**
 * The records that give way to a new one: none when there is room, `undefined`
 * when nobody's should.
 *
 * A member's records never give way to a stranger's. A stranger's give way to
 * a member's, whoever takes most first. Among equals, only those who take more
 * than the new record's owner give way, and its own records that expire sooner.
 * Of an owner's records, what expires soonest goes first.
 */
export function makeRoom(
  table: RecordTable,
  shares: Shares,
  next: HeldFacts,
  wanted: Wanted,
): HeldFacts[] | undefined {
  const victims: HeldFacts[] = [];
  let { bytes, records } = wanted;
  if (bytes <= 0 && records <= 0) return victims;
  for (const victim of candidates(table, shares, next)) {
    if (victims.length >= MOST_VICTIMS) return undefined;
    victims.push(victim);
    bytes -= victim.size;
    records--;
    if (bytes <= 0 && records <= 0) return victims;
  }
  return undefined;
}

function* candidates(
  table: RecordTable,
  shares: Shares,
  next: HeldFacts,
): Generator<HeldFacts> {
  const member = shares.isMember(next.owner);
  const equals = largest(shares, member);
  if (member) {
    for (const owner of shares.largest(false)) {
      yield* rowsOf(table, owner, next);
    }
  }
  const own = shares.of(next.owner).bytes + next.size;
  for (const owner of equals) {
    let { bytes } = shares.of(owner);
    if (bytes <= own || owner === next.owner) continue;
    for (const row of rowsOf(table, owner, next)) {
      bytes -= row.size;
      if (bytes < own) break;
      yield row;
    }
  }
  for (const row of rowsOf(table, next.owner, next)) {
    if (row.expiration >= next.expiration) return;
    yield row;
  }
}

/** Some owners of a kind, those who take most first. */
function largest(shares: Shares, members: boolean): string[] {
  const owners: string[] = [];
  for (const owner of shares.largest(members)) {
    owners.push(owner);
    if (owners.length >= MOST_OWNERS) break;
  }
  return owners.sort((a, b) => shares.of(b).bytes - shares.of(a).bytes);
}

/** An owner's records, soonest expiration first, without the one that is replaced. */
function* rowsOf(
  table: RecordTable,
  owner: string,
  next: HeldFacts,
): Generator<HeldFacts> {
  for (let seen = 0, most = 1;; seen = most, most *= 8) {
    const rows = table.soonestOf(owner, most);
    for (const row of rows.slice(seen)) if (!isSame(row, next)) yield row;
    if (rows.length < most) return;
  }
}

/**
 * The subkey that gives way to a new one in a key that is full: a stranger's
 * to a member's, or one of the member who has most of them.
 */
export function makeRoomInKey(
  rows: Iterable<HeldFacts>,
  next: HeldFacts,
  shares: Shares,
): HeldFacts | undefined {
  // Looking costs more than refusing, and strangers come for nothing.
  if (!shares.isMember(next.owner)) return undefined;
  const owners = new Map<string, { count: number; soonest: HeldFacts }>();
  for (const row of rows) {
    const known = owners.get(row.owner);
    if (known === undefined) owners.set(row.owner, { count: 1, soonest: row });
    else {
      known.count++;
      if (row.expiration < known.soonest.expiration) known.soonest = row;
    }
  }
  const own = owners.get(next.owner)?.count ?? 0;
  const [first] = [...owners]
    .map(([owner, facts]) => ({ ...facts, member: shares.isMember(owner) }))
    .filter(({ member, count }) => !member || count > own + 1)
    .sort((a, b) => Number(a.member) - Number(b.member) || b.count - a.count);
  return first?.soonest;
}

function isSame(a: HeldFacts, b: HeldFacts): boolean {
  return equal(a.key, b.key) && equal(a.subkey, b.subkey);
}
