import { join } from "node:path";
import { ManualClock } from "../../mod.ts";
import { NodeChild } from "../../src/cli/dev/node_child.ts";
import { NodeProcess } from "../../src/cli/dev/node_process.ts";
import type { NodeEvent } from "../../src/cli/node_event.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { withFolder } from "../system/program.ts";

/** A program instead of a node. */
const program = (code: string) => [Deno.execPath(), "eval", code];

const STARTED = `console.log(JSON.stringify(
  { event: "started", peerId: "p", addresses: [] }));`;
const WAITS = "await Deno.stdin.readable.getReader().read();";

Deno.test("a child's events are told, its log is kept, its code is given", () =>
  withFolder(async (directory) => {
    const events: NodeEvent[] = [];
    const child = new NodeChild({
      command: program(
        `console.log("no event");${STARTED}console.error("a line");Deno.exit(7);`,
      ),
      directory,
      onEvent: (event) => events.push(event),
    });
    assertEquals(await child.ended, 7);
    assertEquals(events.map(({ event }) => event), ["started"]);
    const log = await Deno.readTextFile(join(directory, "node.log"));
    assertEquals(log, "a line\n");
    // Whom it would have reached is gone.
    child.signal("SIGKILL");
    child.end(600_000);
    assertEquals(await child.ended, 7);
  }));

Deno.test("a child that does not end when it is asked to is ended", () =>
  withFolder(async (directory) => {
    for (const [obeys, code] of [[true, 5], [false, 137]] as const) {
      const act = obeys ? "Deno.exit(5)" : "console.error('no')";
      const events: NodeEvent[] = [];
      const child = new NodeChild({
        command: program(
          `Deno.addSignalListener("SIGTERM", () => ${act});${STARTED}${WAITS}`,
        ),
        directory,
        onEvent: (event) => events.push(event),
      });
      await eventually(() => events.length === 1, () => "it never started");
      child.end(obeys ? 600_000 : 100);
      assertEquals(await child.ended, code);
    }
  }));

Deno.test("a node's process is started anew after ever longer pauses, until it is stopped", () =>
  withFolder(async (directory) => {
    const clock = new ManualClock();
    const exits: [code: number, pause: number][] = [];
    let starts = 0;
    const process = new NodeProcess({
      // Fails until there is a file, then stays.
      command: program(
        `${STARTED}
        try { Deno.statSync(${JSON.stringify(join(directory, "stay"))}); }
        catch { Deno.exit(3); }
        ${WAITS}`,
      ),
      directory,
      onEvent: () => starts++,
      onExit: (code, pause) => exits.push([code, pause]),
      clock,
    });
    const running = process.run();
    for (const pause of [1_000, 2_000]) {
      await eventually(
        () => exits.at(-1)?.[1] === pause,
        () => JSON.stringify(exits),
      );
      if (pause === 2_000) {
        await Deno.writeTextFile(join(directory, "stay"), "");
      }
      await clock.advance(pause);
    }
    await eventually(() => starts === 3, () => String(starts));
    process.stop();
    process.stop();
    assert(await running !== 0);
    assertEquals(exits, [[3, 1_000], [3, 2_000]]);
  }));
