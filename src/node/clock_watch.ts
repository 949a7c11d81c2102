import { clockOffsetOf } from "../auth/authorizer.ts";
import type { ClockMonitor } from "../auth/clock_monitor.ts";
import type { Clock } from "../core/clock.ts";
import { decodePong, METHODS } from "../dht/wire.ts";
import { type Rpc, RpcError } from "../rpc/mod.ts";

/** What {@linkcode watchClock} works with. */
export interface ClockWatchParts {
  /** Asks peers for their time. */
  readonly rpc: Pick<Rpc, "call">;
  /** The peers that can be asked. */
  readonly members: () => readonly string[];
  /** Is told the times. */
  readonly monitor: ClockMonitor;
  /** Our time. */
  readonly clock: Clock;
}

/** Between two rounds, ms; shorter while too little is known, or the clock is off. */
const PERIOD = 60_000;
const EAGER_PERIOD = 5_000;
const FIRST_PAUSE = 3_000;
/** Peers asked in a round. */
const MOST_ASKED = 8;

/** Asks some of the peers for their time, again and again, until the signal is aborted. */
export async function watchClock(
  { rpc, members, monitor, clock }: ClockWatchParts,
  signal: AbortSignal,
): Promise<void> {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    await clock.sleep(pause, signal).catch(() => {});
    if (signal.aborted) return;
    const chosen = members().map((peer) => ({ peer, at: Math.random() }))
      .sort((a, b) => a.at - b.at).slice(0, MOST_ASKED);
    await Promise.all(chosen.map(async ({ peer }) => {
      const sent = clock.now();
      try {
        const body = new Uint8Array();
        const answer = await rpc.call(peer, METHODS.ping, body, { signal });
        const time = decodePong(answer);
        monitor.add(peer, { sent, received: clock.now(), time });
      } catch (error) {
        // Who refuses us for our clock says how far it is off, and signs it.
        if (!(error instanceof RpcError)) return;
        const offset = clockOffsetOf(error.message);
        if (offset !== undefined) monitor.addOffset(peer, offset);
      }
    }));
    const { offset, isOff } = monitor.state;
    pause = offset === undefined || isOff ? EAGER_PERIOD : PERIOD;
  }
}
