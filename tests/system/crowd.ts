// deno-lint-ignore-file no-console
// Runs in namespaces of its own: a site with one address, from which more nodes
// come than one of two others takes in. Prints what these two see of it.
import { Lan } from "../../scripts/bench/loss/lan.ts";
import { sleep } from "../../scripts/bench/loss/mesh.ts";
import { NodeProcess } from "../../scripts/bench/loss/node_process.ts";
import { eventually } from "../eventually.ts";

/** What the two saw. */
export interface Crowd {
  /** How many of the site are members for the one that limits them, and for the other. */
  readonly limited: number;
  readonly open: number;
  /** How many the first turned down. */
  readonly crowded: boolean;
}

/** How many come from the site, and how many of them the first takes in. */
export const SITE = { nodes: 4, taken: 2 } as const;

const PATIENCE = 60_000;

async function watch(): Promise<Crowd> {
  const lan = await Lan.create();
  const nodes: NodeProcess[] = [];
  const start = async (...args: Parameters<typeof NodeProcess.start>) => {
    const node = await NodeProcess.start(...args);
    nodes.push(node);
    return node;
  };
  const open = await start(await lan.place(), { bootstrap: [] });
  const bootstrap = open.addresses;
  const limited = await start(await lan.place(), {
    bootstrap,
    perNetwork: SITE.taken,
  });
  const site = await lan.place();
  for (let n = 0; n < SITE.nodes; n++) await start(site, { bootstrap });
  const look = (node: NodeProcess) => node.obey({ do: "status" });
  const met = async () =>
    (await Promise.all(nodes.filter((node) => node !== limited).map(look)))
      .every(({ members }) => members === nodes.length - 1);
  await eventually(met, () => "not all have met", PATIENCE);
  const turnedDown = async () =>
    Object.entries((await look(limited)).counts).some(([name, count]) =>
      name === "meshnode_network_crowded_total" && count > 0
    );
  await eventually(turnedDown, () => "nobody was turned down", PATIENCE);
  // Whoever else might come has come by then.
  await sleep(2_000);
  const others = nodes.length - 1 - SITE.nodes;
  const result = {
    limited: (await look(limited)).members - others,
    open: (await look(open)).members - others,
    crowded: await turnedDown(),
  };
  nodes.forEach((node) => node.kill());
  await Promise.all(nodes.map((node) => node.ended()));
  return result;
}

if (import.meta.main) {
  console.log(JSON.stringify(await watch()));
  Deno.exit(0);
}
