import { readFileSync } from "node:fs";
import process from "node:process";
import type { Cost } from "./swarm.ts";

/** What went over the loopback device and through the processor so far. */
export class Meter {
  #bytes = 0;
  #packets = 0;
  #cpu = 0;

  /** Starts to count. */
  constructor() {
    this.reset();
  }

  /** Counts from here. */
  reset(): void {
    ({ bytes: this.#bytes, packets: this.#packets } = loopback());
    this.#cpu = cpu();
  }

  /** What each of so many operations took since the reset. */
  per(operations: number): Cost {
    const { bytes, packets } = loopback();
    return {
      bytes: (bytes - this.#bytes) / operations,
      packets: (packets - this.#packets) / operations,
      cpu: (cpu() - this.#cpu) / operations,
    };
  }
}

function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function loopback(): { bytes: number; packets: number } {
  const line = readFileSync("/proc/self/net/dev", "utf8").split("\n")
    .find((each) => each.trim().startsWith("lo:"));
  const [, bytes, packets] = line?.trim().split(/\s+/) ?? [];
  return { bytes: Number(bytes), packets: Number(packets) };
}
