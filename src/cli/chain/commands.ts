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
  register: {
    summary: "Register a node in a subnet.",
    load: async () => (await import("./register.ts")).registerCommand,
  },
  subnet: {
    summary: "Register, activate, pause and change a subnet.",
    commands: {
      register: {
        summary: "Register a subnet.",
        load: async () =>
          (await import("./subnet_commands.ts")).registerSubnetCommand,
      },
      activate: {
        summary: "Activate a registered subnet.",
        load: async () =>
          (await import("./subnet_commands.ts")).activateSubnetCommand,
      },
      pause: {
        summary: "Pause a subnet.",
        load: async () =>
          (await import("./subnet_commands.ts")).pauseSubnetCommand,
      },
      unpause: {
        summary: "End the pause of a subnet.",
        load: async () =>
          (await import("./subnet_commands.ts")).unpauseSubnetCommand,
      },
      remove: {
        summary: "Remove a subnet for good.",
        load: async () =>
          (await import("./subnet_commands.ts")).removeSubnetCommand,
      },
      "update-bootnodes": {
        summary: "Change the bootnodes of a subnet.",
        load: async () =>
          (await import("./subnet_commands.ts")).updateBootnodesCommand,
      },
    },
  },
  node: {
    summary: "Remove a node, or change its keys.",
    commands: {
      remove: {
        summary: "Remove a node from its subnet.",
        load: async () =>
          (await import("./node_commands.ts")).removeNodeCommand,
      },
      "update-hotkey": {
        summary: "Give a node another hotkey.",
        load: async () =>
          (await import("./node_commands.ts")).updateHotkeyCommand,
      },
      "update-coldkey": {
        summary: "Give a node to another coldkey.",
        load: async () =>
          (await import("./node_commands.ts")).updateColdkeyCommand,
      },
    },
  },
  stake: {
    summary: "Stake, delegate, withdraw and collect.",
    commands: {
      add: {
        summary: "Add to the stake of a node.",
        load: async () => (await import("./stake_commands.ts")).addStakeCommand,
      },
      remove: {
        summary: "Withdraw stake of a node.",
        load: async () =>
          (await import("./stake_commands.ts")).removeStakeCommand,
      },
      claim: {
        summary: "Collect what was withdrawn.",
        load: async () => (await import("./stake_commands.ts")).claimCommand,
      },
      delegate: {
        summary: "Delegate to a subnet.",
        load: async () => (await import("./stake_commands.ts")).delegateCommand,
      },
      undelegate: {
        summary: "Withdraw what was delegated to a subnet.",
        load: async () =>
          (await import("./stake_commands.ts")).undelegateCommand,
      },
      transfer: {
        summary: "Hand what was delegated to another account.",
        load: async () => (await import("./stake_commands.ts")).transferCommand,
      },
      donate: {
        summary: "Give to all who delegated to a subnet.",
        load: async () => (await import("./stake_commands.ts")).donateCommand,
      },
    },
  },
  account: {
    summary: "Make and look at accounts of the chain.",
    commands: {
      generate: {
        summary: "Make an account of the chain.",
        load: async () => (await import("./account.ts")).generateAccountCommand,
      },
      show: {
        summary: "Show whose account a key is.",
        load: async () => (await import("./account.ts")).showAccountCommand,
      },
      balance: {
        summary: "Show what an account can spend.",
        load: async () => (await import("./account.ts")).balanceCommand,
      },
    },
  },
  overwatch: {
    summary: "Look at those who watch over subnets.",
    commands: {
      status: {
        summary: "Show the overwatch epoch.",
        load: async () =>
          (await import("./overwatch.ts")).overwatchStatusCommand,
      },
      nodes: {
        summary: "List the overwatch nodes.",
        load: async () =>
          (await import("./overwatch.ts")).overwatchNodesCommand,
      },
      weights: {
        summary: "Show what an overwatch node committed and revealed.",
        load: async () =>
          (await import("./overwatch.ts")).overwatchWeightsCommand,
      },
    },
  },
};
