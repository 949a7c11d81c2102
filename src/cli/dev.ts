import { fileURLToPath } from "node:url";
import type { Parsed } from "./args.ts";
import type { Command, CommandContext } from "./command.ts";
import { EXIT } from "./exit.ts";
import { localPermissions } from "./permissions.ts";
import { NodeProcess } from "./dev/node_process.ts";
import {
  DEV_SUBNET,
  type DevMesh,
  type DevNode,
  setUpDev,
} from "./dev/setup.ts";
import { DevState } from "./dev/state.ts";
import { render } from "./dev/view.ts";
import { Screen } from "./screen.ts";
import { V8_FLAGS } from "./v8_flags.ts";

const REFRESH = 250;

/** `meshnode dev` */
export const devCommand: Command = {
  isLasting: true,
  summary: "See a whole mesh work on this machine.",
  usage: "[options]",
  description:
    `Starts a chain in a file, a bootnode and validators, each in a process of its
own, connected over TCP, and shows what they do. Ctrl-C stops them all.

Identities and chain are kept: the next run goes on with them.`,
  options: {
    directory: {
      value: "PATH",
      help: "Where everything is kept.",
      default: ".meshnode/dev",
    },
    validators: {
      value: "N",
      help: "Validators, besides the bootnode.",
      default: "3",
    },
    "block-time": {
      value: "MS",
      help: "Milliseconds between blocks.",
      default: "1500",
    },
    "epoch-length": {
      value: "BLOCKS",
      help: "Blocks in an epoch.",
      default: "20",
    },
    fresh: { help: "Begin anew: new identities, new chain." },
    "no-view": { help: "Print one line per event, also in a terminal." },
    json: { help: "Print one JSON text per event." },
  },
  examples: [
    ["meshnode dev", "four nodes, epochs of 30 seconds"],
    ["meshnode dev --fresh --validators 5", "six nodes, on a new chain"],
    ["meshnode dev --json > events.jsonl", "for programs"],
  ],
  async run(args, context) {
    const print = printer(args, context);
    print(`mesh in ${args.text("directory")}`);
    const mesh = await setUpDev({
      directory: args.text("directory") as string,
      validators: args.integer("validators", 1, 16),
      blockTime: args.integer("block-time", 50, 60_000),
      epochLength: args.integer("epoch-length", 10, 1_000),
      fresh: args.flag("fresh"),
    });
    try {
      await runMesh(mesh, args, context, print);
    } finally {
      await mesh.chain.close();
      mesh.lock[Symbol.dispose]();
    }
    return EXIT.ok;
  },
};

/** Prints events as lines, or as JSON texts. */
function printer(
  args: Parsed,
  context: CommandContext,
): (text: string) => void {
  return (text) => {
    const time = new Date().toISOString();
    context.out(
      args.flag("json")
        ? JSON.stringify({ time, text })
        : `${time.slice(11, 19)} ${text}`,
    );
  };
}

async function runMesh(
  mesh: DevMesh,
  args: Parsed,
  context: CommandContext,
  print: (text: string) => void,
): Promise<void> {
  const { signal } = context;
  const directory = args.text("directory") as string;
  const title = `${directory}  subnet ${DEV_SUBNET}  ` +
    `${args.text("epoch-length")} blocks of ${args.text("block-time")} ms`;
  const viewed = context.isTerminal && !args.flag("json") &&
    !args.flag("no-view");
  const state = new DevState(mesh.nodes, (text) => {
    if (!viewed) print(text);
  });
  const processes = mesh.nodes.map((node) =>
    new NodeProcess({
      command: nodeCommand(mesh, node),
      directory: node.directory,
      onEvent: (event) => state.onNodeEvent(node.name, event),
      onExit: (code, pause) => state.onNodeExit(node.name, code, pause),
    })
  );
  const stop = () => processes.forEach((process) => process.stop());
  if (signal.aborted) return;
  signal.addEventListener("abort", stop, { once: true });
  const running = Promise.all(processes.map((process) => process.run()));
  try {
    using screen = viewed ? new Screen() : undefined;
    while (!signal.aborted) {
      await state.readChain(mesh.chain, signal);
      if (screen !== undefined) {
        const { columns, rows } = screen.size;
        screen.show(render(state, title, columns, rows));
      }
      await new Promise((resolve) => setTimeout(resolve, REFRESH));
    }
  } finally {
    stop();
    const codes = await running;
    const clean = codes.filter((code) => code === 0).length;
    print(`stopped: ${clean} of ${codes.length} nodes ended cleanly`);
  }
}

/** The command line of a node's process. */
function nodeCommand(mesh: DevMesh, node: DevNode): string[] {
  const program = Deno.build.standalone ? [Deno.execPath()] : [
    Deno.execPath(),
    "run",
    "--no-prompt",
    `--v8-flags=${V8_FLAGS}`,
    ...localPermissions(mesh.directory),
    fileURLToPath(new URL("../../main.ts", import.meta.url)),
  ];
  return [
    ...program,
    "run",
    "--status-json",
    "--chain",
    `local:${mesh.chainPath}`,
    "--subnet-id",
    String(DEV_SUBNET),
    "--identity",
    node.identityPath,
    "--listen",
    `/ip4/127.0.0.1/tcp/${node.port}`,
    "--role",
    node.nodeId === undefined ? "bootnode" : "validator",
    "--public-name",
    node.name,
    "--data",
    node.directory,
    "--heartbeat-period",
    "2",
  ];
}
