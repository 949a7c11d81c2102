import { ManualClock } from "../../mod.ts";
import { Entry } from "../../src/node/entry.ts";
import { assertEquals } from "../assert.ts";

const SELF = "12D3KooWSelf";
const OTHER = "/ip4/192.0.2.1/tcp/31330/p2p/12D3KooWOther";
const never = new AbortController().signal;

function entryOf(...bootstrap: string[]) {
  const clock = new ManualClock(0);
  const members: string[] = [];
  const host = { members: () => members };
  const entry = new Entry({ host, peerId: SELF, bootstrap, clock });
  return { entry, members, clock };
}

Deno.test("who has nobody but itself to enter through is in the mesh", async () => {
  for (const bootstrap of [[], [`/ip4/192.0.2.2/tcp/31330/p2p/${SELF}`]]) {
    const { entry } = entryOf(...bootstrap);
    assertEquals(entry.isMade, true);
    assertEquals(await entry.made(() => true, never), true);
  }
});

Deno.test("who has others to enter through is in the mesh once one is there", async () => {
  const { entry, members, clock } = entryOf(OTHER);
  const made = entry.made(() => true, never);
  await clock.advance(1_000);
  assertEquals(entry.isMade, false);
  members.push("12D3KooWOther");
  await clock.advance(100);
  assertEquals([await made, entry.isMade], [true, true]);
});

Deno.test("who shall not enter any more, or ends, does not", async () => {
  const { entry, members, clock } = entryOf(OTHER);
  let isWanted = true;
  const unwanted = entry.made(() => isWanted, never);
  isWanted = false;
  const ending = new AbortController();
  const ended = entry.made(() => true, ending.signal);
  ending.abort();
  members.push("12D3KooWOther");
  await clock.advance(100);
  assertEquals([await unwanted, await ended], [false, false]);
});
