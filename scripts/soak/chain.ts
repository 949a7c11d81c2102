// Soak of the chain connection: a validator of a served chain with short
// blocks, whose connection is cut again and again. Says whether an epoch was
// missed and whether memory grows.
import { parseArgs } from "node:util";
import {
  type ConsensusReport,
  createNode,
  generateIdentity,
  MetricsRegistry,
  openHypertensor,
} from "../../mod.ts";
import { accountFromSecret } from "../../src/chain/hypertensor/mod.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    "block-ms": { type: "string", default: "250" },
    "drop-seconds": { type: "string", default: "20" },
  },
});
const minutes = Number(values.minutes);
/** Memory is looked at from here on, minutes. */
const WARM_UP = 5;
/** Most growth, bytes in an hour. */
const MOST_GROWTH = 1024 * 1024;
const SAMPLE = 5_000;

// deno-lint-ignore no-console -- it is what the script is for
const tell = (line: string) => console.log(line);
const { gc } = globalThis as unknown as { gc?: () => void };

const secret = `0x${"1".repeat(64)}`;
const hotkey = accountFromSecret(secret).address.toLowerCase();
const identity = generateIdentity();
const coldkey = `0x${"11".repeat(20)}`;
const server = new Deno.Command(Deno.execPath(), {
  args: [
    "run",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-net=127.0.0.1",
    "--allow-sys",
    "--ignore-env",
    new URL("../../tests/fixtures/chain/server_main.ts", import.meta.url).href,
    `--block-ms=${values["block-ms"]}`,
    `--drop-every=${1_000 * Number(values["drop-seconds"])}`,
    `--validator=${hotkey},${coldkey},${identity.peerId}`,
  ],
  stdin: "piped",
  stdout: "piped",
}).spawn();

/** The first line that the server prints. */
async function firstLine(): Promise<{ url: string; subnetId: number }> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of server.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return JSON.parse(text);
}

/** Bytes an hour by the least squares. */
function slope(samples: readonly { at: number; bytes: number }[]): number {
  const mean = (of: (s: { at: number; bytes: number }) => number) =>
    samples.reduce((sum, each) => sum + of(each), 0) / samples.length;
  const [at, bytes] = [mean(({ at }) => at), mean(({ bytes }) => bytes)];
  const over = samples.reduce((s, e) => s + (e.at - at) * (e.bytes - bytes), 0);
  const under = samples.reduce((s, e) => s + (e.at - at) ** 2, 0);
  return under === 0 ? 0 : over / under * 3_600_000;
}

const { url, subnetId } = await firstLine();
const metrics = new MetricsRegistry();
const epochs: { epoch: number; outcome: string }[] = [];
const access = await openHypertensor({ endpoints: [url], metrics }, secret);
const node = await createNode({
  identity,
  subnetId,
  metrics,
  heartbeatPeriod: 1,
  chain: {
    chain: access.chain,
    ...(access.signer === undefined ? {} : { signer: access.signer }),
  },
  onConsensus: (report: ConsensusReport) => {
    if (report.kind !== "outcome") return;
    epochs.push({ epoch: report.epoch, outcome: report.outcome });
  },
});
const samples: { at: number; bytes: number }[] = [];
const start = performance.now();
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, SAMPLE));
  const at = performance.now() - start;
  gc?.();
  const { heapUsed, rss } = Deno.memoryUsage();
  if (at >= WARM_UP * 60_000) samples.push({ at, bytes: heapUsed });
  const last = epochs.at(-1);
  const connections = metrics.get("meshnode_chain_connections_total");
  tell(
    `${(at / 60_000).toFixed(1).padStart(5)} min  epoch ${
      last?.epoch ?? "–"
    } ` +
      `${last?.outcome ?? ""}  ${connections} connections  ` +
      `heap ${(heapUsed / 1e6).toFixed(1)} MB  rss ${
        (rss / 1e6).toFixed(0)
      } MB`,
  );
  if (at >= minutes * 60_000) break;
}
await node.stop();
await server.stdin.close();
await server.status;

const first = epochs[0]?.epoch ?? 0;
const missed = epochs.filter(({ epoch, outcome }, i) =>
  outcome !== "proposed" || epoch !== first + i
);
const growth = slope(samples);
tell(
  `${epochs.length} epochs, ${missed.length} missed; ` +
    `${metrics.get("meshnode_chain_connections_total")} connections`,
);
for (const { epoch, outcome } of missed) tell(`  epoch ${epoch}: ${outcome}`);
let good = epochs.length > 0 && missed.length === 0;
if (samples.length >= 12 && gc !== undefined) {
  tell(`heap grows by ${(growth / 1024 / 1024).toFixed(2)} MiB an hour`);
  good &&= growth <= MOST_GROWTH;
} else tell("too short to say whether the heap grows");
tell(good ? "good" : "BAD");
Deno.exit(good ? 0 : 1);
