import type { MultiaddrConnection, Upgrader } from "@libp2p/interface";
import { tcp } from "@libp2p/tcp";
import { concat } from "../core/bytes.ts";

type Tcp = ReturnType<typeof tcp>;

/** What is waiting is written at once when it is this much, bytes. */
const ENOUGH = 64 * 1024;

// What a connection of the library offers beyond its declared interface.
interface SocketConnection extends MultiaddrConnection {
  readonly socket: {
    readonly writableNeedDrain: boolean;
    write(bytes: Uint8Array): boolean;
  };
  sendData(
    data: Iterable<Uint8Array>,
  ): { sentBytes: number; canSendMore: boolean };
  sendClose(options?: unknown): Promise<void>;
}

/**
 * TCP that writes all messages of one moment together.
 *
 * The library gives every part of a message to the socket by itself: the two
 * bytes of its length, then the rest. So a call is some ten system calls and as
 * many packets, which are most of its cost.
 */
export function tcpOfJoinedWrites(): Tcp {
  return (components) => {
    const transport = tcp()(components);
    const dial = transport.dial.bind(transport);
    const createListener = transport.createListener.bind(transport);
    transport.dial = (address, options) =>
      dial(address, { ...options, upgrader: joining(options.upgrader) });
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: joining(options.upgrader) });
    return transport;
  };
}

function joining(upgrader: Upgrader): Upgrader {
  return {
    upgradeOutbound: (
      connection: MultiaddrConnection,
      options: Parameters<Upgrader["upgradeOutbound"]>[1],
    ) => upgrader.upgradeOutbound(joinWrites(connection), options as never),
    upgradeInbound: (
      connection: MultiaddrConnection,
      options: Parameters<Upgrader["upgradeInbound"]>[1],
    ) => upgrader.upgradeInbound(joinWrites(connection), options as never),
    createInboundAbortSignal: (signal) =>
      upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  };
}

/** Lets a TCP connection of the library write what is sent at one moment at once. */
export function joinWrites(given: MultiaddrConnection): MultiaddrConnection {
  const connection = given as SocketConnection;
  const { socket } = connection;
  const sendClose = connection.sendClose.bind(connection);
  let waiting: Uint8Array[] = [];
  let length = 0;
  let scheduled = false;
  const flush = () => {
    if (length === 0) return;
    const bytes = waiting.length === 1
      ? waiting[0] as Uint8Array
      : concat(...waiting);
    waiting = [];
    length = 0;
    // A socket that is gone says so by an event.
    if (connection.status === "open" || connection.status === "closing") {
      socket.write(bytes);
    }
  };
  connection.sendData = (data) => {
    let sentBytes = 0;
    for (const part of data) {
      waiting.push(part);
      sentBytes += part.byteLength;
    }
    length += sentBytes;
    if (length >= ENOUGH) flush();
    else if (!scheduled) {
      scheduled = true;
      queueMicrotask(() => {
        scheduled = false;
        flush();
      });
    }
    // Whoever is told to wait is woken by the socket's event for just this.
    return { sentBytes, canSendMore: !socket.writableNeedDrain };
  };
  connection.sendClose = (options) => {
    flush();
    return sendClose(options);
  };
  return connection;
}
