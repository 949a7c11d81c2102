import { V8_FLAGS } from "../../../src/cli/v8_flags.ts";
import { TextLineStream } from "../dht/lines.ts";
import type { Place } from "./lan.ts";
import type { Answers, NodeSettings, Order, Reply, Status } from "./orders.ts";

/** A node in a process of its own. */
export class NodeProcess {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #born = Promise.withResolvers<Status>();
  readonly #reading: Promise<void>;
  #count = 0;
  /** Base58, once it is started. */
  peerId = "";
  /** Multiaddrs, once it is started. */
  addresses: readonly string[] = [];
  /** Where it is. */
  readonly place: Place;

  private constructor(place: Place, settings: NodeSettings) {
    this.place = place;
    const script = new URL("node.ts", import.meta.url).pathname;
    const [program = "", ...args] = [
      ...place.command,
      ...[
        Deno.execPath(),
        "run",
        `--v8-flags=--expose-gc,${V8_FLAGS}`,
        "-A",
        "-q",
      ],
      script,
      JSON.stringify(settings),
    ];
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#reading = this.#read().finally(() => this.#over());
  }

  /** Starts a process and waits until its node listens. */
  static async start(
    place: Place,
    settings: Omit<NodeSettings, "address">,
  ): Promise<NodeProcess> {
    const { address } = place;
    const node = new NodeProcess(place, { ...settings, address });
    const { peerId, addresses } = await node.#born.promise;
    node.peerId = peerId;
    node.addresses = addresses;
    return node;
  }

  /** Has an order obeyed. */
  async obey<O extends Order>(order: O): Promise<Answers[O["do"]]> {
    const id = ++this.#count;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const line = JSON.stringify({ id, order }) + "\n";
    // What fails here fails for the reader, too.
    await this.#orders.write(new TextEncoder().encode(line)).catch(() => {});
    return await waiting.promise as Answers[O["do"]];
  }

  /** Ends the process by SIGKILL. */
  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
  }

  /** Waits for its end. */
  async ended(): Promise<void> {
    await Promise.all([this.#child.status, this.#reading]);
    await this.#orders.abort().catch(() => {});
  }

  async #read(): Promise<void> {
    let first = true;
    for await (
      const line of this.#child.stdout.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream())
    ) {
      if (first) this.#born.resolve(JSON.parse(line) as Status);
      else this.#answered(JSON.parse(line) as Reply);
      first = false;
    }
  }

  #answered({ id, answer, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(error));
  }

  #over(): void {
    const gone = new Error("The node's process ended.");
    this.#born.reject(gone);
    this.#born.promise.catch(() => {});
    for (const { reject } of this.#waiting.values()) reject(gone);
    this.#waiting.clear();
  }
}
