// deno-lint-ignore-file no-console
// What a node costs while nobody asks anything of it: nodes in one process over
// TCP on loopback, all connected to each other, watched for a while.
//
//   deno run --allow-read --allow-net=127.0.0.1 --allow-sys --ignore-env \
//     scripts/bench/idle.ts [nodes] [seconds]
import process from "node:process";
import { createNode, type MeshNode } from "../../mod.ts";
import { argumentsOf, numberOf, told } from "./usage.ts";

const HELP = `scripts/bench/idle.ts [NODES] [SECONDS]

  NODES     16
  SECONDS   how long they are watched; 60`;
const { count, seconds } = told(HELP, (args) => {
  const [nodes = "16", time = "60"] = argumentsOf(args, 2);
  return {
    count: numberOf("NODES", nodes, { isWhole: true, least: 1 }),
    seconds: numberOf("SECONDS", time),
  };
});
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const nodes: MeshNode[] = [await createNode()];
const bootstrap = nodes[0]?.addresses() ?? [];
const started = performance.now();
nodes.push(
  ...await Promise.all(
    Array.from({ length: count - 1 }, () => createNode({ bootstrap })),
  ),
);
while (nodes.some((node) => node.members().length < count - 1)) await sleep(20);
console.log(
  `${count} nodes know each other after ${
    (performance.now() - started).toFixed(0)
  } ms`,
);
// What starting leaves behind is no idle work.
await sleep(20_000);
const before = process.cpuUsage();
const start = performance.now();
await sleep(1_000 * seconds);
const { user, system } = process.cpuUsage(before);
const elapsed = performance.now() - start;
const share = (user + system) / 1_000 / elapsed;
console.log(
  `idle for ${(elapsed / 1_000).toFixed(0)} s: ${
    (100 * share).toFixed(2)
  } % of a core together, ${(100 * share / count).toFixed(3)} % per node`,
);
await Promise.all(nodes.map((node) => node.stop()));
Deno.exit(0);
