import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** After this, a process that should have ended is killed, ms. */
const STUCK = 30_000;

/** What Deno is told to run `meshnode` with arguments, as the tasks do. */
export function argumentsFor(...args: string[]): string[] {
  return [
    "run",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-net=127.0.0.1",
    "--allow-sys",
    "--allow-run",
    "--ignore-env",
    MAIN,
    ...args,
  ];
}

/** A running meshnode process, with everything that it printed so far. */
export class Program {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  /** Standard output so far. */
  out = "";
  /** Standard error so far. */
  err = "";
  /** Whether to read on; if not, what comes next is the last that is taken. */
  isRead = true;

  /** Starts `meshnode` with arguments, as the tasks do. */
  constructor(...args: string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: argumentsFor(...args),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const read = async (
      stream: ReadableStream<Uint8Array>,
      take: (text: string) => void,
    ) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) {
        take(decoder.decode(chunk));
        if (!this.isRead) break;
      }
    };
    this.#reading = Promise.all([
      read(this.#child.stdout, (text) => this.out += text),
      read(this.#child.stderr, (text) => this.err += text),
    ]);
  }

  /** Sends a signal; a process that is gone already is no error. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It is gone.
    }
  }

  /** Waits for the end, and gives the exit code. */
  async ended(): Promise<number> {
    const stuck = setTimeout(() => this.signal("SIGKILL"), STUCK);
    const [{ code }] = await Promise.all([this.#child.status, this.#reading]);
    clearTimeout(stuck);
    return code;
  }
}

/** Runs `meshnode` to its end. */
export async function meshnode(
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const program = new Program(...args);
  const code = await program.ended();
  return { code, out: program.out, err: program.err };
}

/** Command lines of processes that contain a text. */
export async function processesWith(text: string): Promise<string[]> {
  // The text comes by standard input, lest the search find itself.
  const search = new Deno.Command("sh", {
    args: [
      "-c",
      "for f in $(grep -alF -f - /proc/[0-9]*/cmdline 2>/dev/null); do " +
      "tr '\\0' ' ' <$f; echo; done 2>/dev/null",
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = search.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${text}\n`));
  await writer.close();
  const { stdout } = await search.output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line);
}

/** Gives a temporary directory to a test. */
export async function withFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
