import { commitKey, revealKey, SqliteJournal } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { withFolder } from "../system/program.ts";
import { ARRIVED } from "./links.ts";
import { BLOCK } from "./sim_chain.ts";
import { type Stage, withStage } from "./stage.ts";

/** The epoch whose work is looked at. */
const EPOCH = 1;
const POINTS = 100;
/** Longest way of a message, ms. */
const DELAY = 200;
/** Up for one second, after it is connected and with the ways of its messages. */
const NEEDED = 1_000 + ARRIVED + 4 * DELAY;

/** When node 1 is killed, and how long it is down, ms; `Infinity` is as long as can be. */
interface Point {
  readonly name: string;
  /** A moment, or a write to the journal, counted from its first one. */
  readonly at: { readonly time: number } | { readonly write: number };
  readonly down: number;
  /** Killed a second time, after so many writes of the next life. */
  readonly again?: number;
}

/** What a life without a kill looks like between commit and reveal. */
interface Between {
  /** Writes to the journal at which another one has the commit, and none the reveal. */
  readonly writes: readonly { readonly index: number; readonly what: string }[];
  /** From when to when that is so. */
  readonly from: number;
  readonly until: number;
}

function has(stage: Stage, what: "commit" | "reveal"): boolean {
  const key = what === "commit" ? commitKey(EPOCH) : revealKey(EPOCH);
  const peerId = stage.nodes[0]?.peerId ?? "";
  return stage.mesh.holders(key, peerId) > 0;
}

function isBetween(stage: Stage): boolean {
  return has(stage, "commit") && !has(stage, "reveal");
}

/** A stage of four, of which the first one keeps its journal on the disk. */
function staged<T>(path: string, test: (stage: Stage) => Promise<T>) {
  return withStage({
    ...{ seed: 1, count: 4, delay: DELAY },
    journal: (node) => node === 0 ? () => SqliteJournal.open(path) : undefined,
  }, async (stage) => {
    for (const node of stage.nodes) node.start();
    return await test(stage);
  });
}

function unharmed(path: string): Promise<Between> {
  return staged(path, async (stage) => {
    const { nodes: [node], clock, timeOf } = stage;
    const writes: { index: number; what: string }[] = [];
    let index = 0;
    if (node !== undefined) {
      node.onWrite = (what) => {
        index++;
        if (isBetween(stage)) writes.push({ index, what });
      };
    }
    let from = 0;
    let until = 0;
    while (clock.now() < timeOf(EPOCH, 12)) {
      await clock.advance(10);
      if (!isBetween(stage)) continue;
      from ||= clock.now();
      until = clock.now();
    }
    return { writes, from, until };
  });
}

/** A hundred different points: every write, and moments between them, each with several ways to come back. */
function pointsOf({ writes, from, until }: Between): Point[] {
  const downs = [1, 700, 2 * BLOCK, Infinity];
  const steps = writes.flatMap(({ index, what }) =>
    [undefined, 1, 2, 3, 4].flatMap((again) =>
      downs.map((down): Point => ({
        name: `write ${index} (${what}), down ${down}, again ${again}`,
        at: { write: index },
        down,
        ...(again === undefined ? {} : { again }),
      }))
    )
  );
  const moments = Array.from({ length: POINTS - steps.length }, (_, i) => {
    const time = from + (until - from) * i / (POINTS - steps.length - 1);
    const down = downs[i % downs.length] as number;
    return { name: `moment ${time}, down ${down}`, at: { time }, down };
  });
  return [...steps, ...moments];
}

/** Kills node 1 at a point. Whether it was between commit and reveal, and whether the reveal came in time. */
function killed(path: string, { at, down, again }: Point) {
  return staged(path, async (stage) => {
    const { nodes: [node], clock, timeOf, until, violations } = stage;
    const latest = timeOf(EPOCH, 12) - NEEDED;
    if (node === undefined) throw new Error("There is no node.");
    let between = false;
    let kills = 0;
    const kill = (then: () => void) => {
      if (kills++ === 0) between = isBetween(stage);
      node.kill();
      const pause = Math.min(down, latest - clock.now());
      clock.after(pause, () => {
        node.start();
        then();
      });
    };
    const once = () => {
      if (again !== undefined) node.killAtWrite(again, () => kill(() => {}));
    };
    if ("time" in at) clock.after(at.time - clock.now(), () => kill(once));
    else node.killAtWrite(at.write, () => kill(once));
    await until(timeOf(EPOCH, 12));
    return { between, revealed: has(stage, "reveal"), violations, kills };
  });
}

Deno.test("a node killed between commit and reveal, at 100 points, reveals in the window in 100 of 100", () =>
  withFolder(async (folder) => {
    const points = pointsOf(await unharmed(`${folder}/unharmed.db`));
    assertEquals(new Set(points.map(({ name }) => name)).size, POINTS);
    let twice = 0;
    for (const [i, point] of points.entries()) {
      const { kills, ...result } = await killed(`${folder}/${i}.db`, point);
      const all = { between: true, revealed: true, violations: [] };
      assertEquals(result, all, point.name);
      if (kills > 1) twice++;
    }
    assert(twice > 10, `${twice} nodes were killed a second time`);
  }));
