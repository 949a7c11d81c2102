import { deadline, raceSignal } from "../../core/deadline.ts";
import { MeshError, type MeshErrorOptions } from "../../core/errors.ts";
import { type Answer, parseMessage } from "./message.ts";

/** The connection to a chain's endpoint is not there, or was lost. */
export class ConnectionError extends MeshError {
  /** Says what became of the connection. */
  constructor(message: string, options?: MeshErrorOptions) {
    super("CHAIN_CONNECTION", message, options);
    this.name = "ConnectionError";
  }
}

/** The endpoint answered with a JSON-RPC error. */
export class JsonRpcError extends MeshError {
  /** The error's number, as the endpoint gave it. */
  readonly number: number;
  /** What the endpoint added. */
  readonly data: unknown;

  /** Repeats what the endpoint said. */
  constructor(method: string, number: number, text: string, data: unknown) {
    const more = typeof data === "string" ? `: ${shortened(data)}` : "";
    super(
      "CHAIN_RPC",
      `The chain's endpoint answers ${method} with error ${number}: ` +
        `${shortened(text)}${more}`,
    );
    this.name = "JsonRpcError";
    this.number = number;
    this.data = data;
  }
}

/** Options of {@linkcode Connection.open}. */
export interface ConnectionOptions {
  /** Ends the attempt to connect. */
  readonly signal?: AbortSignal | undefined;
  /** How long an answer may take, ms; 10 000 by default. */
  readonly timeout?: number;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly method: string;
}

type Listener = (result: unknown) => void;

const CONNECT_TIMEOUT = 10_000;
const TIMEOUT = 10_000;
const CLOSE_TIMEOUT = 1_000;
const MOST_PENDING = 4_096;
/** Notices that may come before the answer which says whose they are. */
const MOST_EARLY = 64;

/**
 * One JSON-RPC connection over a WebSocket. Whatever the endpoint sends is
 * decoded strictly: what is no JSON-RPC ends the connection, and nothing else.
 */
export class Connection {
  readonly #socket: WebSocket;
  readonly #timeout: number;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, Listener>();
  readonly #early: [subscription: string, result: unknown][] = [];
  readonly #closed = Promise.withResolvers<ConnectionError>();
  #failure: ConnectionError | undefined;
  #next = 1;
  /** Where it leads. */
  readonly url: string;

  private constructor(url: string, socket: WebSocket, timeout: number) {
    this.url = url;
    this.#socket = socket;
    this.#timeout = timeout;
    socket.addEventListener("message", ({ data }) => {
      try {
        this.#take(data);
      } catch (cause) {
        this.#end(
          new ConnectionError(`${url} sends what is no JSON-RPC.`, { cause }),
        );
      }
    });
    socket.addEventListener("close", ({ code }) => {
      this.#end(new ConnectionError(`${url} closed the connection (${code}).`));
    });
    socket.addEventListener("error", (event) => {
      this.#end(
        new ConnectionError(`The connection to ${url} failed: ${said(event)}`),
      );
    });
  }

  /** Connects to a `ws:` or `wss:` address. @throws {ConnectionError} */
  static async open(
    url: string,
    { signal, timeout = TIMEOUT }: ConnectionOptions = {},
  ): Promise<Connection> {
    using limit = deadline(CONNECT_TIMEOUT, signal);
    let socket: WebSocket;
    try {
      socket = new WebSocket(url);
    } catch (cause) {
      throw new ConnectionError(`${url} is no address of a chain.`, {
        cause,
        hint: "Give an address such as ws://127.0.0.1:9944 or wss://host.",
      });
    }
    const connection = new Connection(url, socket, timeout);
    const opened = new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve(), { once: true });
      connection.closed.then(reject);
    });
    try {
      await raceSignal(opened, limit.signal);
      return connection;
    } catch (error) {
      connection.#end(new ConnectionError(`${url} was not connected.`));
      if (error instanceof ConnectionError) throw error;
      signal?.throwIfAborted();
      throw new ConnectionError(`${url} does not answer.`, { cause: error });
    }
  }

  /** Resolves with the reason once the connection is gone. */
  get closed(): Promise<ConnectionError> {
    return this.#closed.promise;
  }

  /** Asks the endpoint. @throws {JsonRpcError}, {ConnectionError} */
  async request(
    method: string,
    params: readonly unknown[] = [],
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#pending.size >= MOST_PENDING) {
      throw new ConnectionError(`Too many questions wait for ${this.url}.`);
    }
    signal?.throwIfAborted();
    using limit = deadline(this.#timeout, signal);
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject, method });
    try {
      this.#socket.send(
        JSON.stringify({ jsonrpc: "2.0", id, method, params }),
      );
      return await raceSignal(promise, limit.signal);
    } catch (error) {
      if (error instanceof MeshError) throw error;
      signal?.throwIfAborted();
      throw new ConnectionError(`${this.url} does not answer ${method}.`, {
        cause: error,
      });
    } finally {
      this.#pending.delete(id);
    }
  }

  /** Asks to be told of changes, until the connection is gone. */
  async subscribe(method: string, listener: Listener): Promise<void> {
    const answer = await this.request(method);
    if (typeof answer !== "string" && typeof answer !== "number") {
      throw new ConnectionError(`${this.url} does not name a subscription.`);
    }
    const subscription = String(answer);
    this.#listeners.set(subscription, listener);
    for (const [whose, result] of this.#early.splice(0)) {
      if (whose === subscription) listener(result);
    }
  }

  /** Ends the connection at once. */
  end(reason: string): void {
    this.#end(new ConnectionError(reason));
  }

  /** Closes, and waits a moment for the other side. */
  async close(): Promise<void> {
    this.end("The connection was closed here.");
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, CLOSE_TIMEOUT);
      this.#socket.addEventListener("close", done, { once: true });
    });
  }

  #take(data: unknown): void {
    const message = parseMessage(data);
    if (message === undefined) return;
    if (message.kind !== "notice") return this.#answer(message);
    const { subscription, result } = message;
    const listener = this.#listeners.get(subscription);
    if (listener !== undefined) return listener(result);
    if (this.#early.length >= MOST_EARLY) this.#early.shift();
    this.#early.push([subscription, result]);
  }

  #answer(message: Answer): void {
    const pending = this.#pending.get(message.id);
    // Who asked may have given up.
    if (pending === undefined) return;
    if (message.kind === "result") return pending.resolve(message.result);
    const { number, text, data } = message;
    pending.reject(new JsonRpcError(pending.method, number, text, data));
  }

  #end(reason: ConnectionError): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.#listeners.clear();
    this.#closed.resolve(reason);
    try {
      this.#socket.close();
    } catch {
      // It never opened.
    }
  }
}

function said(event: Event): string {
  return event instanceof ErrorEvent ? event.message : "no reason is known";
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
