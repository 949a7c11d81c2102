import { fileURLToPath } from "node:url";
import {
  type ConsensusReport,
  generateIdentity,
  LocalChain,
} from "../../mod.ts";
import { epochPosition } from "../../src/chain/epoch.ts";
import { TextLineStream } from "../../src/cli/dev/lines.ts";
import { assert, assertEquals } from "../assert.ts";
import { accountOf } from "../chain/local/fixture.ts";
import { eventually } from "../eventually.ts";
import { meshnode, Program, withFolder } from "./program.ts";

const VOTER = fileURLToPath(new URL("voter.ts", import.meta.url));
const LENGTH = 20;
const SLOT = 3;

interface Told {
  readonly started?: number;
  readonly call?: string;
  readonly block?: number;
  readonly ended?: string;
  readonly report?: ConsensusReport;
}

/** A process that votes for node 1, with all that it told. */
class Voter implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly told: Told[] = [];

  constructor(path: string, folder: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--allow-read", "--allow-write"],
        ...["--ignore-env", VOTER, path, folder],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#reading = this.#read();
  }

  /** Epochs in which it made a call, once for each call. */
  calls(what: string): number[] {
    return this.told.filter(({ call, ended }) =>
      call === what && ended === undefined
    ).map(({ block = 0 }) => epochOf(block));
  }

  /** Epochs whose proposal it knows to be its key's. */
  proposed(): number[] {
    return this.told.flatMap(({ report }) =>
      report?.kind === "outcome" && report.outcome === "proposed"
        ? [report.epoch]
        : []
    );
  }

  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is gone.
    }
    await this.#child.status;
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #read(): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextLineStream());
    for await (const line of lines) this.told.push(JSON.parse(line));
  }
}

const epochOf = (block: number) => epochPosition(block, SLOT, LENGTH).epoch;

async function withChain(
  test: (chain: LocalChain, path: string, folder: string) => Promise<void>,
  blockMilliseconds = 150,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/chain.db`;
    const chain = LocalChain.create(path, {
      blockMilliseconds,
      epochLength: LENGTH,
    });
    chain.register({
      ...{ hotkey: accountOf(1), coldkey: accountOf(101) },
      ...{ peerId: generateIdentity().peerId, nodeClass: "validator" },
    });
    try {
      await test(chain, path, folder);
    } finally {
      await chain.close();
    }
  });
}

const count = (epochs: readonly number[], epoch: number) =>
  epochs.filter((each) => each === epoch).length;

Deno.test("of two processes with one key and one folder, one makes calls, and the other takes over when it is killed", () =>
  withChain(async (chain, path, folder) => {
    await using first = new Voter(path, `${folder}/journal`);
    await eventually(
      () => first.proposed().length > 0,
      () => JSON.stringify(first.told),
      60_000,
    );
    await using second = new Voter(path, `${folder}/journal`);
    await eventually(
      () => second.told.length > 0 && first.proposed().length > 3,
      () => JSON.stringify([first.told, second.told]),
      60_000,
    );
    assertEquals(second.told.length, 1, "it stands by and says nothing");
    await first.kill();
    await eventually(
      () => second.proposed().length > 2,
      () => JSON.stringify(second.told),
      60_000,
    );
    await second.kill();
    const view = await chain.view();
    const calls = [...first.calls("propose"), ...second.calls("propose")];
    for (const epoch of new Set(calls)) {
      // The one that was killed may have been about to propose: a new attempt
      // is made only when the chain shows that the first one did not arrive.
      const included = [first, second].flatMap(({ told }) => told)
        .filter(({ call, block = 0, ended }) =>
          call === "propose" && epochOf(block) === epoch &&
          ended === "included"
        ).length;
      assert(included <= 1, `epoch ${epoch}: ${included} proposals`);
      assert(count(first.calls("propose"), epoch) <= 1);
      assert(count(second.calls("propose"), epoch) <= 1);
      const last = Math.max(...calls);
      if (epoch < last) {
        assertEquals((await view.submission(1, epoch))?.validatorId, 1);
      }
    }
  }));

Deno.test("two processes with one key and folders of their own never make two proposals", () =>
  withChain(async (chain, path, folder) => {
    await using first = new Voter(path, `${folder}/one`);
    await using second = new Voter(path, `${folder}/two`);
    const both = [first, second];
    await eventually(
      () => both.every((each) => each.proposed().length > 4),
      () => JSON.stringify(both.map(({ told }) => told)),
      60_000,
    );
    await Promise.all(both.map((each) => each.kill()));
    const epochs = first.proposed().filter((epoch) =>
      second.proposed().includes(epoch)
    );
    assert(epochs.length > 2, "both know of the same proposals");
    const view = await chain.view();
    for (const epoch of epochs) {
      const told = both.flatMap(({ told }) => told).filter(({ call, block }) =>
        call === "propose" && epochOf(block ?? 0) === epoch
      );
      const ends = told.flatMap(({ ended }) => ended ?? []);
      const included = ends.filter((each) => each === "included").length;
      assertEquals(included, 1, `epoch ${epoch}: ${JSON.stringify(told)}`);
      for (const each of both) {
        assert(
          count(each.calls("propose"), epoch) <= 1,
          "who was refused finds the proposal there, and tries no more",
        );
      }
      const submission = await view.submission(1, epoch);
      assertEquals(submission?.attestations.size, 1);
    }
  }));

Deno.test("who comes after the proposal finds it there, and makes no call", () =>
  withChain(async (chain, path, folder) => {
    await using first = new Voter(path, `${folder}/one`);
    for (let round = 0; round < 20; round++) {
      const known = first.proposed().length;
      await eventually(
        () => first.proposed().length > known,
        () => JSON.stringify(first.told),
        60_000,
      );
      await using late = new Voter(path, `${folder}/late-${round}`);
      await eventually(
        () => late.proposed().length > 0,
        () => JSON.stringify(late.told),
        60_000,
      );
      const [epoch = -1] = late.proposed();
      const { started = 0 } = late.told[0] ?? {};
      const submission = await (await chain.view()).submission(1, epoch);
      // A slow machine may start it so late that the next epoch is its first.
      if (submission === undefined || submission.block > started) continue;
      assertEquals(late.calls("propose"), []);
      return;
    }
    throw new Error("It never came after a proposal.");
  }, 400));

Deno.test("meshnode refuses to run twice with one key, or with one folder", () =>
  withFolder(async (folder) => {
    const key = `${folder}/identity.key`;
    await meshnode("key", "generate", "--output", key);
    await Deno.copyFile(key, `${folder}/copy.key`);
    await Deno.chmod(`${folder}/copy.key`, 0o600);
    const run = (identity: string) => [
      ...["run", "--identity", identity, "--data", `${folder}/data`],
      ...["--listen", "/ip4/127.0.0.1/tcp/0"],
    ];
    const first = new Program(...run(key));
    try {
      await eventually(() => /^Peer/m.test(first.out), () => first.err);
      const [again, copy] = await Promise.all([
        meshnode(...run(key)),
        meshnode(...run(`${folder}/copy.key`)),
      ]);
      assertEquals(again?.code, 75, again?.err);
      assertEquals(copy?.code, 75, copy?.err);
    } finally {
      first.signal("SIGTERM");
      assertEquals(await first.ended(), 0, first.err);
    }
  }));
