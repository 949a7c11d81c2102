import {
  checkPhases,
  epochPosition,
  type Phase,
  phaseAt,
  PHASES,
  type Phases,
  readingBlock,
} from "../../mod.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const phasesOf = (length: number, phases: Phases = PHASES) => {
  const counts: Partial<Record<Phase, number>> = {};
  for (let block = 0; block < length; block++) {
    const phase = phaseAt(epochPosition(100 + block, 100, length), phases);
    counts[phase] = (counts[phase] ?? 0) + 1;
  }
  return counts;
};

Deno.test("the documentation's phases, in blocks", () => {
  assertEquals(phasesOf(20), { vote: 3, commit: 7, reveal: 2, score: 8 });
  assertEquals(phasesOf(100), { vote: 15, commit: 35, reveal: 10, score: 40 });
  assertEquals(phasesOf(300), {
    vote: 45,
    commit: 105,
    reveal: 30,
    score: 120,
  });
  assertEquals(phaseAt(epochPosition(1, 3, 20), PHASES), "vote");
});

Deno.test("a subnet has its own boundaries, rounded alike everywhere", () => {
  const own = { commit: 0.1, reveal: 0.55, score: 0.7, cutOff: 0.1 };
  assertEquals(phasesOf(20, own), { vote: 2, commit: 9, reveal: 3, score: 6 });
  // 0.55 of 20 is 11.000000000000002 for the machine, and block 11 for people.
  assertEquals(phaseAt(epochPosition(11, 0, 20), own), "reveal");
});

Deno.test("phases that do not ascend, or have no block, are refused at load", () => {
  assertEquals(checkPhases(PHASES, 20), PHASES);
  for (
    const wrong of [
      { commit: 0 },
      { commit: 0.5 },
      { reveal: 0.7 },
      { score: 1 },
      { score: NaN },
      { cutOff: 0 },
      { cutOff: 1.5 },
    ]
  ) {
    assertThrows(() => checkPhases({ ...PHASES, ...wrong }), {
      code: "PHASES_INVALID",
    });
  }
  const narrow = { ...PHASES, reveal: 0.58 };
  checkPhases(narrow, 100);
  assertThrows(() => checkPhases(narrow, 20), {
    code: "PHASES_INVALID",
    message: 'With epochs of 20 blocks the phase "reveal" has no block.',
  });
});

Deno.test("records are read two blocks after the cut-off, or in the epoch's last block", () => {
  assertEquals(readingBlock(PHASES, 100), 62);
  assertEquals(readingBlock(PHASES, 20), 14);
  assertEquals(readingBlock({ ...PHASES, score: 0.9 }, 20), 19);
  assertEquals(readingBlock({ ...PHASES, score: 0.95 }, 20), 19);
});
