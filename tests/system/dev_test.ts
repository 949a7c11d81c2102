import { LocalChain, ONE, readIdentityFile } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { processesWith, Program, withFolder } from "./program.ts";

const EPOCHS = 5;
/** Epochs of 6 s. */
const FAST = ["--block-time", "300", "--epoch-length", "20"];

const identitiesOf = (folder: string) =>
  Promise.all(
    ["bootnode", "validator-1", "validator-2", "validator-3"].map(
      async (name) =>
        (await readIdentityFile(`${folder}/${name}/identity.key`)).peerId,
    ),
  );

Deno.test("four processes attest every epoch, three of three, and go on after a restart", () =>
  withFolder(async (folder) => {
    const dev = () => new Program("dev", "--directory", folder, ...FAST);
    const first = dev();
    await eventually(
      () => (first.out.match(/attested 3\/3/g)?.length ?? 0) > EPOCHS,
      () => first.out + first.err,
      60_000,
    );
    first.signal("SIGINT");
    assertEquals(await first.ended(), 0, first.err);
    const chain = LocalChain.open(`${folder}/chain.db`);
    const view = await chain.view();
    const complete: number[] = [];
    for (let epoch = 0; epoch < 20; epoch++) {
      const submission = await view.submission(1, epoch);
      if (submission === undefined) continue;
      assertEquals(submission.electorate, [1, 2, 3]);
      if (submission.attestations.size < 3) continue;
      complete.push(epoch);
      assertEquals(
        submission.validatorId,
        await view.electedValidator(1, epoch),
      );
      assert(submission.scores.every(({ score }) => score === ONE));
    }
    const { genesis } = await chain.constants();
    await chain.close();
    // The first epoch may begin before all are there; from then on none is lost.
    const [begin = 0] = complete;
    assert(begin <= 1, `${complete}`);
    assertEquals(
      complete.slice(0, EPOCHS),
      Array.from({ length: EPOCHS }, (_, i) => begin + i),
    );

    const identities = await identitiesOf(folder);
    const second = dev();
    await eventually(
      () => /attested 3\/3/.test(second.out),
      () => second.out + second.err,
      30_000,
    );
    const rival = dev();
    assertEquals(await rival.ended(), 75);
    assert(rival.err.includes("already"), rival.err);
    second.signal("SIGTERM");
    assertEquals(await second.ended(), 0, second.err);
    assertEquals(await identitiesOf(folder), identities);
    const again = LocalChain.open(`${folder}/chain.db`);
    assertEquals((await again.constants()).genesis, genesis);
    await again.close();
  }));

Deno.test("at any moment, a signal ends everything within five seconds", () =>
  withFolder(async (folder) => {
    for (let round = 0; round < 20; round++) {
      const dev = new Program("dev", "--directory", folder, ...FAST);
      await eventually(() => dev.out !== "", () => dev.err);
      const moment = Math.random() * 2_500;
      await new Promise((resolve) => setTimeout(resolve, moment));
      const start = performance.now();
      dev.signal(round % 2 === 0 ? "SIGINT" : "SIGTERM");
      const code = await dev.ended();
      const told =
        `round ${round}, ${moment.toFixed()} ms: ${dev.out}${dev.err}`;
      assertEquals(code, 0, told);
      assert(performance.now() - start < 5_000, told);
      assertEquals(await processesWith(folder), [], told);
    }
  }));

Deno.test("nodes end when the process that started them is killed", () =>
  withFolder(async (folder) => {
    const dev = new Program("dev", "--directory", folder, ...FAST);
    await eventually(
      () => /validator-1 online/.test(dev.out),
      () => dev.out + dev.err,
    );
    assertEquals((await processesWith(folder)).length, 5);
    dev.signal("SIGKILL");
    await dev.ended();
    await eventually(
      async () => (await processesWith(folder)).length === 0,
      () => "processes are left",
      10_000,
    );
  }));
