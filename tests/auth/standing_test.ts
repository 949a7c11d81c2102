import { Standing } from "../../src/auth/standing.ts";
import { ESCALATION } from "../../src/auth/call_quotas.ts";
import { assert, assertEquals } from "../assert.ts";

const RATE = 100;

/** Asks so many times the quota for some seconds; everything beyond it is refused. */
function ask(standing: Standing, times: number, from: number, seconds: number) {
  let level = standing.level(from);
  for (let ms = 0; ms < 1_000 * seconds; ms += 100) {
    const refused = standing.level(from + ms) === "blocked" ? times : times - 1;
    if (refused > 0) level = standing.refused(refused * RATE / 10, from + ms);
  }
  return level;
}

Deno.test("a peer within its quota, and one that bursts for a moment, stands well", () => {
  const standing = new Standing(RATE, 0);
  assertEquals(ask(standing, 1, 0, 3_600), "good");
  const other = new Standing(RATE, 0);
  assertEquals(ask(other, 3, 0, 2), "good");
  assert(other.isClean(60_000));
});

Deno.test("asking twice as much makes suspicious, and banned if it goes on", () => {
  const standing = new Standing(RATE, 0);
  assertEquals(ask(standing, 2, 0, 30), "suspicious");
  assertEquals(ask(standing, 2, 30_000, 40), "banned");
  assert(standing.left(70_000) > 3_580_000);
});

Deno.test("asking four times as much blocks, and ten times as much bans", () => {
  const standing = new Standing(RATE, 0);
  assertEquals(ask(standing, 4, 0, 20), "blocked");
  assertEquals(standing.level(200_000), "blocked");
  assertEquals(standing.level(20_000 + ESCALATION.blockTime), "good");
  assertEquals(ask(new Standing(RATE, 0), 10, 0, 10), "banned");
});

Deno.test("a blocked peer that asks on is banned", () => {
  const standing = new Standing(RATE, 0);
  assertEquals(ask(standing, 4, 0, 20), "blocked");
  assertEquals(ask(standing, 6, 20_000, 30), "banned");
});

Deno.test("bans end, and a peer that was banned of late is banned for longer", () => {
  const standing = new Standing(RATE, 0);
  ask(standing, 10, 0, 10);
  const free = ESCALATION.banTime + 10_000;
  assertEquals(standing.level(free), "good");
  assert(!standing.isClean(free));
  assertEquals(ask(standing, 10, free, 10), "banned");
  assert(standing.left(free) > ESCALATION.banTime);
  const later = free + 2 * ESCALATION.longBanTime + 20_000;
  assertEquals(standing.level(later), "good");
  assert(standing.isClean(later + ESCALATION.longBanTime));
  assertEquals(ask(standing, 10, later + ESCALATION.longBanTime, 10), "banned");
  assert(
    standing.left(later + ESCALATION.longBanTime) < 2 * ESCALATION.banTime,
  );
});

Deno.test("violations decay: seldom suspicion never adds up to a ban", () => {
  const standing = new Standing(RATE, 0);
  for (let i = 0; i < 100; i++) {
    const at = i * 2 * ESCALATION.halfLife;
    assertEquals(ask(standing, 2.2, at, 14), "suspicious", `round ${i}`);
  }
});
