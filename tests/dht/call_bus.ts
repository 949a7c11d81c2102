import { type Bytes, concat, MeshError } from "../../mod.ts";
import type { Calls } from "../../src/dht/mod.ts";

type Handler = Parameters<Calls["register"]>[1];

/** Calls between DHTs of one process, with faults that a test switches on. */
export class CallBus {
  readonly #handlers = new Map<string, Handler>();
  /** Peers that do not answer. */
  readonly dead = new Set<string>();
  /** Changes answers on the way. */
  tamper: (peerId: string, method: string, answer: Bytes) => Bytes = (
    _peer,
    _method,
    answer,
  ) => answer;
  /** Every call made, as "peer method". */
  readonly calls: string[] = [];

  /** The calls of one peer. */
  of(peerId: string): Calls {
    return {
      call: async (to, method, body) => {
        this.calls.push(`${to} ${method}`);
        const handler = this.#handlers.get(`${to} ${method}`);
        if (this.dead.has(to) || handler === undefined) {
          throw new MeshError("RPC_UNREACHABLE", `${to} does not answer.`);
        }
        return this.tamper(to, method, concat(await handler(body, { peerId })));
      },
      register: (method, handler) => {
        const name = `${peerId} ${method}`;
        this.#handlers.set(name, handler);
        return () => this.#handlers.delete(name);
      },
    };
  }

  /** Calls a peer with bytes of the caller's choice. */
  raw(to: string, method: string, body: Uint8Array): Promise<Uint8Array> {
    return this.of("stranger").call(to, method, body, { timeout: 1_000 });
  }
}
