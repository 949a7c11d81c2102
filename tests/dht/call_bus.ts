import { type Bytes, type Clock, concat, MeshError } from "../../mod.ts";
import type { Calls } from "../../src/dht/mod.ts";

type Handler = Parameters<Calls["register"]>[1];

/** Calls between DHTs of one process, with faults that a test switches on. */
export class CallBus {
  readonly #handlers = new Map<string, Handler>();
  readonly #clock: Clock | undefined;
  /** Peers that cannot be reached, which shows at once. */
  readonly dead = new Set<string>();
  /** Peers that swallow what they are sent. */
  readonly silent = new Set<string>();
  /** Who is cut off from whom. */
  divide: (from: string, to: string) => boolean = () => false;
  /** Calls that fail at once. */
  refuse: (peerId: string, method: string) => boolean = () => false;
  /** Milliseconds that a peer takes to answer; needs a clock. */
  readonly delays = new Map<string, number>();
  /** Changes answers on the way. */
  tamper: (peerId: string, method: string, answer: Bytes) => Bytes = (
    _peer,
    _method,
    answer,
  ) => answer;
  /** Every call made, as "peer method". */
  readonly calls: string[] = [];

  /** Silent and slow peers need the clock that the DHTs have. */
  constructor(clock?: Clock) {
    this.#clock = clock;
  }

  /** The calls of one peer. */
  of(peerId: string): Calls {
    return {
      call: async (to, method, body, { timeout, signal }) => {
        this.calls.push(`${to} ${method}`);
        const handler = this.#handlers.get(`${to} ${method}`);
        if (
          !this.reaches(peerId, to) || handler === undefined ||
          this.refuse(to, method)
        ) {
          throw new MeshError("RPC_UNREACHABLE", `${to} does not answer.`);
        }
        if (this.silent.has(to)) {
          await this.#wait(timeout, signal);
          throw new MeshError("RPC_TIMEOUT", `${to} did not answer in time.`);
        }
        const delay = this.delays.get(to);
        if (delay !== undefined) await this.#wait(delay, signal);
        const answer = concat(await handler(body, { peerId }));
        return this.tamper(to, method, answer);
      },
      register: (method, handler) => {
        const name = `${peerId} ${method}`;
        this.#handlers.set(name, handler);
        return () => this.#handlers.delete(name);
      },
    };
  }

  /** Whether both are alive and not cut off from each other. */
  reaches(from: string, to: string): boolean {
    return !this.dead.has(from) && !this.dead.has(to) && !this.divide(from, to);
  }

  /** Calls a peer with bytes of the caller's choice. */
  raw(to: string, method: string, body: Uint8Array): Promise<Uint8Array> {
    return this.of("stranger").call(to, method, body, { timeout: 1_000 });
  }

  /** The peers that were called with a method, in order. */
  askedFor(method: string): string[] {
    return this.calls.map((call) => call.split(" "))
      .flatMap(([peer, name]) => name === method ? [peer as string] : []);
  }

  async #wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (this.#clock === undefined) throw new Error("The bus has no clock.");
    await this.#clock.sleep(milliseconds, signal);
  }
}
