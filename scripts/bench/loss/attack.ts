import { identityFromSeed, LocalChain } from "../../../mod.ts";
import { accountOf } from "../../../tests/chain/local/fixture.ts";
import { SeededRandom } from "../../../tests/fixtures/virtual/seeded_random.ts";
import { TextLineStream } from "../dht/lines.ts";
import type { Attack, AttackerReport, AttackerSettings } from "./attacker.ts";
import type { Lan, Place } from "./lan.ts";
import { Mesh, sleep } from "./mesh.ts";
import type { NodeProcess } from "./node_process.ts";
import type { Sample, Status } from "./orders.ts";
import { type GetTimes, timesOf } from "./reads.ts";

/** How attacks are measured. */
export interface AttackSettings {
  readonly nodes: number;
  readonly records: number;
  /** Between two rounds of a node's own work, ms. */
  readonly pause: number;
  /** How long is worked without an attack, before and after each, and under it, ms. */
  readonly calm: number;
  readonly attack: number;
  readonly seed: number;
  /** Which of them. */
  readonly attacks: readonly Attack[];
}

/** Memory of the attacked node, MiB. */
export interface MemoryUse {
  /** In use before the attack and after it, without garbage. */
  readonly before: number;
  readonly after: number;
  /** Resident, before and each second of it. */
  readonly resident: readonly number[];
}

/** What came of one attack. */
export interface AttackResult {
  readonly attack: Attack;
  readonly did: AttackerReport;
  /** What all honest nodes did before it and after it, and under it. */
  readonly calm: { readonly get: GetTimes; readonly put: GetTimes };
  readonly attacked: { readonly get: GetTimes; readonly put: GetTimes };
  readonly memory: MemoryUse;
  /** What the attacked node spent of a core, without the attack and under it. */
  readonly core: readonly [number, number];
  /** What the attacked node counted meanwhile. */
  readonly counts: Readonly<Record<string, number>>;
}

const MIB = 1024 * 1024;
/** Between two looks at the memory, ms. */
const LOOK = 1_000;

/** Has honest nodes with stake work, and attacks one of them in every way. */
export async function measureAttacks(
  lan: Lan,
  settings: AttackSettings,
  say: (text: string) => void,
): Promise<AttackResult[]> {
  const { nodes, records, seed } = settings;
  const random = new SeededRandom(seed);
  const folder = await Deno.makeTempDir();
  const path = `${folder}/chain.db`;
  const chain = LocalChain.create(path, {
    blockMilliseconds: 500,
    // Records may live for a good while.
    epochLength: 10_000,
  });
  const register = (n: number) => {
    const seed = random.bytes(32);
    const { peerId } = identityFromSeed(seed);
    const [hotkey, coldkey] = [accountOf(n), accountOf(1_000 + n)];
    chain.register({ hotkey, coldkey, peerId, nodeClass: "validator" });
    return seed.toHex();
  };
  try {
    const seeds = Array.from({ length: nodes }, (_, i) => register(i + 1));
    const attackers = settings.attacks.map((_, i) => register(nodes + i + 1));
    say(`${nodes} processes start`);
    await using mesh = await Mesh.start(
      lan,
      nodes,
      (n) => ({ seed: seeds[n] as string, chain: path }),
    );
    const keys = await mesh.fill(records);
    const place = await lan.place();
    const results: AttackResult[] = [];
    for (const [i, attack] of settings.attacks.entries()) {
      say(`one node is attacked: ${attack}`);
      const victim = mesh.nodes[0] as NodeProcess;
      await using attacker = await AttackerProcess.start(place, {
        attack,
        address: victim.addresses[0] as string,
        seed: attack === "stranger"
          ? random.bytes(32).toHex()
          : attackers[i] as string,
      });
      results.push(await measure(mesh, keys, attacker, attack, settings));
    }
    return results;
  } finally {
    await chain.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(
  mesh: Mesh,
  keys: readonly string[],
  attacker: AttackerProcess,
  attack: Attack,
  settings: AttackSettings,
): Promise<AttackResult> {
  const victim = mesh.nodes[0] as NodeProcess;
  const status = (collect = false) => victim.obey({ do: "status", collect });
  const work = async (duration: number) => {
    const { pause, seed } = settings;
    const before = await status();
    const samples = (await Promise.all(
      mesh.nodes.map((node, n) =>
        node.obey({
          ...{ do: "read", keys, duration, pause, puts: true },
          seed: seed + n,
        })
      ),
    )).flat();
    const core = ((await status()).cpu - before.cpu) / duration;
    return { samples, core };
  };
  const calm = await work(settings.calm);
  // Other work on the machine comes and goes: it is measured on both sides.
  const before = await status(true);
  attacker.begin();
  const looks: Status[] = [];
  const looking = (async () => {
    for (let left = settings.attack; left > 0; left -= LOOK) {
      await sleep(LOOK);
      looks.push(await status());
    }
  })();
  const attacked = await work(settings.attack);
  await looking;
  const did = await attacker.end();
  const after = await status(true);
  const later = await work(settings.calm);
  return {
    attack,
    did,
    calm: byAct([...calm.samples, ...later.samples]),
    attacked: byAct(attacked.samples),
    memory: {
      before: (before.used ?? NaN) / MIB,
      after: (after.used ?? NaN) / MIB,
      resident: [before, ...looks].map(({ rss }) => Math.round(rss / MIB)),
    },
    core: [(calm.core + later.core) / 2, attacked.core],
    counts: Object.fromEntries(
      Object.entries(after.counts).map(([name, value]) =>
        [name, value - (before.counts[name] ?? 0)] as const
      ).filter(([, value]) => value > 0),
    ),
  };
}

function byAct(samples: readonly Sample[]) {
  const of = (act: Sample["act"]) =>
    timesOf(samples.filter((each) => each.act === act));
  return { get: of("get"), put: of("put") };
}

/** An attacker in a process of its own, which gets only the time that nobody else wants. */
class AttackerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(place: Place, settings: AttackerSettings) {
    const script = new URL("attacker.ts", import.meta.url).pathname;
    const [program = "", ...args] = [
      ...place.command,
      ...["nice", "-n", "19", Deno.execPath(), "run", "-A", "-q", script],
      JSON.stringify(settings),
    ];
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#orders = this.#child.stdin.getWriter();
  }

  static async start(
    place: Place,
    settings: AttackerSettings,
  ): Promise<AttackerProcess> {
    const attacker = new AttackerProcess(place, settings);
    await attacker.#lines.read();
    return attacker;
  }

  begin(): void {
    this.#orders.write(new TextEncoder().encode("\n")).catch(() => {});
  }

  async end(): Promise<AttackerReport> {
    await this.#orders.close();
    const { value } = await this.#lines.read();
    if (value === undefined) throw new Error("The attacker's process ended.");
    return JSON.parse(value) as AttackerReport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
    await this.#child.status;
    await this.#lines.cancel().catch(() => {});
  }
}
