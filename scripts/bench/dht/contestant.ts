// deno-lint-ignore-file no-console
// One contestant in a process of its own, under Deno or Node:
// contestant.ts <name> <settings as JSON> <folder of packages>.
// Progress goes to stderr, the result as one line of JSON to stdout.
import process from "node:process";
import { Contest } from "./contest.ts";
import {
  type Contestant,
  CONTESTANTS,
  type ContestSettings,
  type SwarmModule,
} from "./swarm.ts";

const [name, settings, folder] = process.argv.slice(2) as [
  Contestant,
  string,
  string,
];
const { module, runtime } = CONTESTANTS[name];
const { open }: SwarmModule = await import(`./swarms/${module}`);
const swarm = await open(folder);
const contest = new Contest(
  swarm,
  JSON.parse(settings) as ContestSettings,
  (text) => console.error(`  ${name}: ${text}`),
);
const version = runtime === "deno" ? process.versions["deno"] : process.version;
const result = await contest.run(name, `${runtime} ${version}`);
console.log(JSON.stringify(result));
await swarm.stop();
process.exit(0);
