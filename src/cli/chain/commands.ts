import type { Entry } from "../command.ts";

/** All commands that concern the chain, each loaded when it is used. */
export const CHAIN_COMMANDS: Readonly<Record<string, Entry>> = {
  chain: {
    summary: "Look at a chain: subnets, nodes, epochs, stakes.",
    commands: {
      status: {
        summary: "Show what the chain is and where it stands.",
        load: async () => (await import("./status.ts")).statusCommand,
      },
      subnet: {
        summary: "Show a subnet, or list all of them.",
        load: async () => (await import("./subnet.ts")).subnetCommand,
      },
      nodes: {
        summary: "List the nodes of a subnet.",
        load: async () => (await import("./nodes.ts")).nodesCommand,
      },
      node: {
        summary: "Show a node of a subnet.",
        load: async () => (await import("./node.ts")).nodeCommand,
      },
      epoch: {
        summary: "Show where a subnet stands in its epoch.",
        load: async () => (await import("./epoch.ts")).epochCommand,
      },
      bootnodes: {
        summary: "List the bootnodes of a subnet.",
        load: async () => (await import("./bootnodes.ts")).bootnodesCommand,
      },
      stake: {
        summary: "Show what an account has at stake.",
        load: async () => (await import("./stake.ts")).stakeCommand,
      },
      reputation: {
        summary: "Show the reputation of a subnet's nodes and their owners.",
        load: async () => (await import("./reputation.ts")).reputationCommand,
      },
      watch: {
        summary: "Follow a subnet, block by block.",
        load: async () => (await import("./watch.ts")).watchCommand,
      },
    },
  },
};
