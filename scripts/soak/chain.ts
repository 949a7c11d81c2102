// deno-lint-ignore-file no-console
// Three voting members on a chain with short blocks, whose connections drop
// again and again: no epoch may be missed, and memory must not grow.
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

/** Most that the heap may grow by, MiB in an hour. */
const LIMIT = 1;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    minutes: { type: "string", default: "30" },
    "block-ms": { type: "string", default: "250" },
    "drop-every": { type: "string", default: "20" },
  },
});
const seconds = 60 * Number(values.minutes);
if (!(seconds > 0)) throw new Error("--minutes is a number above 0.");

const result = await soak({
  seconds,
  blockMilliseconds: Number(values["block-ms"]),
  dropEvery: Number(values["drop-every"]),
  settled: 300,
  every: 30,
  progress: (line) => console.log(line),
});
const { epochs, missed, reconnects, heapSlope } = result;
for (const [epoch, votes] of missed) {
  console.log(`Epoch ${epoch} got ${votes} votes.`);
}
const grows = heapSlope !== undefined && heapSlope > LIMIT;
console.log(
  `${epochs} epochs, ${missed.size} missed, ${reconnects} reconnects, heap ` +
    (heapSlope === undefined
      ? "watched for too short a time"
      : `${heapSlope >= 0 ? "+" : ""}${heapSlope.toFixed(3)} MiB/h`) +
    `: ${epochs > 0 && missed.size === 0 && !grows ? "passed" : "FAILED"}`,
);
Deno.exit(epochs > 0 && missed.size === 0 && !grows ? 0 : 1);
