/** A place in the network for one node. */
export interface Place {
  /** The name of its network namespace. */
  readonly name: string;
  /** Its IPv4 address, in a /24 of its own. */
  readonly address: string;
  /** Runs a program there: to be put before its command line. */
  readonly command: readonly string[];
}

/**
 * The command line of a script as the first process of namespaces of its own
 * (users, network, mounts, processes): nothing that it starts outlives it.
 */
export function insideCommand(
  script: string,
  args: readonly string[],
): [string, ...string[]] {
  return [
    ...["unshare", "-Urnmpf", "--kill-child", "--mount-proc"] as const,
    ...[Deno.execPath(), "run", "-A", "-q", script, ...args],
  ];
}

/** Runs a script once more as {@linkcode insideCommand} says. Gives its exit code. */
export async function runInside(
  script: string,
  args: readonly string[],
): Promise<number> {
  const [program, ...all] = insideCommand(script, args);
  const child = new Deno.Command(program, {
    args: all,
    // Its end tells the script that nobody waits for it any more.
    stdin: "piped",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  return (await child.status).code;
}

/** Whether this machine lets us make such namespaces. */
export function hasNamespaces(): boolean {
  try {
    return new Deno.Command("unshare", {
      args: ["-Urnmpf", "--mount-proc", "ip", "rule", "list"],
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  } catch {
    return false;
  }
}

/**
 * A network inside one machine: every node has a namespace and an address of
 * its own behind a router, which drops what comes from and goes to those that
 * are cut off. Nobody is told: no connection is reset, no host is unreachable.
 */
export class Lan {
  #count = 0;

  private constructor() {}

  /** Prepares the namespaces that {@linkcode runInside} made. */
  static async create(): Promise<Lan> {
    await run("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
    await Deno.mkdir("/run/netns");
    await Deno.writeTextFile("/proc/sys/net/ipv4/ip_forward", "1");
    await run("ip", ["link", "set", "lo", "up"]);
    return new Lan();
  }

  /** Makes a place. */
  async place(): Promise<Place> {
    const n = ++this.#count;
    if (n > 254) throw new Error("There is no room for so many nodes.");
    const name = `n${n}`;
    await ip(
      `netns add ${name}`,
      `link add v${n} type veth peer name eth0 netns ${name}`,
      `address add 10.77.${n}.1/24 dev v${n}`,
      `link set v${n} up`,
    );
    await run("ip", ["-n", name, "-batch", "-"], [
      "link set lo up",
      `address add 10.77.${n}.2/24 dev eth0`,
      "link set eth0 up",
      `route add default via 10.77.${n}.1`,
    ]);
    return {
      name,
      address: `10.77.${n}.2`,
      command: ["ip", "netns", "exec", name],
    };
  }

  /** Drops every packet from and to some places. */
  async cut(places: readonly Place[]): Promise<void> {
    await ip(...places.flatMap((place) => rules("add", place)));
  }

  /** Lets packets through again. */
  async heal(places: readonly Place[]): Promise<void> {
    await ip(...places.flatMap((place) => rules("delete", place)));
  }

  /** Drops every packet between two groups; within each of them they pass. */
  async part(some: readonly Place[], others: readonly Place[]): Promise<void> {
    await ip(...between("add", some, others));
  }

  /** Lets packets of two groups that were parted through again. */
  async join(some: readonly Place[], others: readonly Place[]): Promise<void> {
    await ip(...between("delete", some, others));
  }
}

function rules(act: "add" | "delete", { name, address }: Place): string[] {
  return [
    `rule ${act} iif v${name.slice(1)} blackhole`,
    `route ${act} blackhole ${address}/32`,
  ];
}

function between(
  act: "add" | "delete",
  some: readonly Place[],
  others: readonly Place[],
): string[] {
  return some.flatMap((a) =>
    others.flatMap((b) =>
      [[a, b], [b, a]].map(([from, to]) =>
        `rule ${act} from ${from?.address} to ${to?.address} blackhole`
      )
    )
  );
}

async function ip(...lines: string[]): Promise<void> {
  await run("ip", ["-batch", "-"], lines);
}

async function run(
  program: string,
  args: readonly string[],
  lines: readonly string[] = [],
): Promise<void> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"))
    .catch(() => {});
  await writer.close().catch(() => {});
  const { success, stderr } = await child.output();
  if (success) return;
  const told = new TextDecoder().decode(stderr).trim();
  throw new Error(`${program} ${args.join(" ")} failed: ${told}`);
}
