import { short, table } from "../dht/table.ts";
import type { GetTimes, ReadsResult } from "./reads.ts";

/** Reads before and after the harm. */
export function readsTable(results: readonly ReadsResult[]): string {
  return table([
    ["", "gets", "found, %", "p50, ms", "p99, ms", "max, ms"],
    ...results.flatMap(({ harm, hurt, settings, ...times }) => [
      row("before", times.calm),
      row(`${hurt} of ${settings.nodes} ${harm}`, times.loss),
      row("  the first second of it", times.firstSecond),
      row("  the fifth second", times.fifthSecond),
    ]),
  ]);
}

function row(name: string, { gets, found, p50, p99, max }: GetTimes): string[] {
  return [
    name,
    String(gets),
    short(100 * found),
    short(p50),
    short(p99),
    short(max),
  ];
}
