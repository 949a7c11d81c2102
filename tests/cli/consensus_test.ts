import { JOURNAL_FILE, parseRecording, SqliteJournal } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { epochEvents } from "../consensus/epoch_events.ts";
import { live } from "../consensus/live.ts";
import { meshnode, withFolder } from "../system/program.ts";

/** A data folder with the journal of a node that voted in three epochs. */
async function voted(data: string, peer = "12D3KooWnode"): Promise<void> {
  await Deno.mkdir(`${data}/${peer}`, { recursive: true });
  const journal = SqliteJournal.open(`${data}/${peer}/${JOURNAL_FILE}`);
  live(journal, epochEvents(0, 3));
  journal.close();
}

Deno.test("a node's votes are listed, explained, and run again from a file", () =>
  withFolder(async (data) => {
    await voted(data);
    const history = await meshnode(
      ...["consensus", "history", "--data", data, "--json"],
    );
    assertEquals(
      JSON.parse(history.out).map((
        { epoch, outcome, work }: Record<string, unknown>,
      ) => [epoch, outcome, work]),
      [2, 1, 0].map((epoch) => [epoch, "proposed", "revealed"]),
    );
    const explained = await meshnode(
      ...["consensus", "explain", "1", "--data", data],
    );
    assert(/^Epoch 1: \d+ steps/.test(explained.out), explained.out);
    assert(/propose$/m.test(explained.out), explained.out);
    const { out } = await meshnode(
      ...["consensus", "explain", "1", "--data", data, "--json"],
    );
    assertEquals(parseRecording(out).epoch, 1);
    await Deno.writeTextFile(`${data}/epoch.json`, out);
    const replayed = await meshnode(
      "consensus",
      "replay",
      `${data}/epoch.json`,
    );
    assertEquals(replayed.out, explained.out);
    assertEquals(replayed.code, 0);
  }));

Deno.test("what is not recorded, or no recording, is said with its own code", () =>
  withFolder(async (data) => {
    await voted(data);
    await Deno.writeTextFile(`${data}/none.json`, "{}");
    for (
      const [args, code, says] of [
        [["explain", "99", "--data", data], 65, "epoch 99"],
        [["explain", "x", "--data", data], 2, "no epoch"],
        [["history", "--data", `${data}/none`], 78, "No node has voted"],
        [["replay", `${data}/none.json`], 65, "no recording"],
        [["replay", `${data}/gone.json`], 74, "cannot be read"],
        [["replay"], 2, "No recording"],
      ] as const
    ) {
      const ended = await meshnode("consensus", ...args);
      assertEquals(ended.code, code, ended.err);
      assert(ended.err.includes(says), ended.err);
    }
    await voted(data, "12D3KooWother");
    const two = await meshnode("consensus", "history", "--data", data);
    assertEquals(two.code, 78);
    assert(two.err.includes("--peer"), two.err);
    const one = await meshnode(
      ...["consensus", "history", "--data", data, "--peer", "12D3KooWother"],
    );
    assert(/^ +2 +proposed +revealed/m.test(one.out), one.out + one.err);
  }));
