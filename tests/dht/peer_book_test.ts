import { PATIENCE, PeerBook } from "../../src/dht/peer_book.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("patience follows a peer's round-trip times, within bounds", () => {
  const book = new PeerBook(3_000);
  assertEquals(book.timeout("a"), PATIENCE.firstTimeout);
  assertEquals(book.hedge("a"), PATIENCE.firstHedge);
  for (let i = 0; i < 50; i++) book.answered("a", 2);
  assertEquals(book.timeout("a"), PATIENCE.minTimeout);
  assertEquals(book.hedge("a"), PATIENCE.minHedge);
  for (let i = 0; i < 50; i++) book.answered("a", i % 2 === 0 ? 40 : 80);
  const hedge = book.hedge("a");
  assert(hedge > 80 && hedge <= PATIENCE.maxHedge, `${hedge}`);
  for (let i = 0; i < 50; i++) book.answered("a", 60_000);
  assertEquals(book.timeout("a"), 3_000);
  assertEquals(book.hedge("a"), PATIENCE.maxHedge);
});

Deno.test("a peer is silent from its first lost call to its next answer", () => {
  const book = new PeerBook(3_000);
  book.answered("a", 10);
  assert(!book.isSilent("a"));
  book.failed("a", 0);
  assert(book.isSilent("a"));
  assertEquals(book.hedge("a"), PATIENCE.minHedge);
  book.answered("a", 10);
  assert(!book.isSilent("a"));
});

Deno.test("a peer that others wait for is expected after those that answer, a silent one last", () => {
  const book = new PeerBook(3_000);
  for (const peer of ["quick", "late", "silent"]) book.answered(peer, 2);
  book.asked("late", 0);
  assertEquals(book.expected("late", PATIENCE.minHedge), 2);
  const now = PATIENCE.minHedge + 1;
  assertEquals(book.expected("late", now), 3_000);
  assertEquals(book.expected("quick", now), 2);
  book.failed("silent", now);
  assertEquals(book.expected("silent", now), Infinity);
  // An answer to another call says that it lives.
  book.asked("late", now);
  book.answered("late", 2);
  assertEquals(book.expected("late", now), 2);
});

Deno.test("a call is under way until it ended, whatever became of it", () => {
  const book = new PeerBook(3_000);
  assert(!book.isAsked("a"));
  book.asked("a", 0);
  book.asked("a", 0);
  book.ended("a");
  assert(book.isAsked("a"));
  book.ended("a");
  assert(!book.isAsked("a"));
  assertEquals(book.expected("a", 10_000), book.rtt("a"));
  // The book may have forgotten a peer meanwhile.
  book.ended("never asked");
  assert(!book.isAsked("never asked"));
});

Deno.test("silent peers are probed with growing pauses, and nobody else", () => {
  const book = new PeerBook(3_000);
  book.answered("loud", 1);
  let now = 0;
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    book.failed("a", now);
    const start = now;
    while (book.due(["a", "loud", "unknown"], now).length === 0) now += 100;
    assertEquals(book.due(["a", "loud", "unknown"], now), ["a"]);
    pauses.push(now - start);
  }
  assertEquals(pauses, [
    1_000,
    2_000,
    4_000,
    8_000,
    16_000,
    30_000,
    30_000,
    30_000,
  ]);
});

Deno.test("a clock that was set back makes no negative times", () => {
  const book = new PeerBook(3_000);
  book.answered("a", -5_000);
  assertEquals(book.rtt("a"), 0);
  assertEquals(book.timeout("a"), PATIENCE.minTimeout);
});

Deno.test("the book does not grow with the number of peers that ever came", () => {
  const book = new PeerBook(3_000);
  for (let i = 0; i < 10_000; i++) book.failed(`peer-${i}`, 0);
  const all = Array.from({ length: 10_000 }, (_, i) => `peer-${i}`);
  assertEquals(book.due(all, 1e9).length, 4_096);
});
