import { short, table } from "../dht/table.ts";
import type { AttackResult } from "./attack.ts";
import type { CutOffResult } from "./cut_off.ts";
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

const ATTACK_NAMES = {
  flood: "member, full speed",
  steady: "member, as much as allowed",
  stranger: "strangers, full speed",
};

/** What honest nodes felt of one attacker, and what its victim held and spent. */
export function attackTable(results: readonly AttackResult[]): string {
  return table([
    [
      "",
      "get p50, ms",
      "p99, ms",
      "put p50, ms",
      "p99, ms",
      "done, %",
      "core, %",
      "in use, MiB",
      "resident, MiB",
    ],
    ...results.flatMap(({ attack, calm, attacked, memory, core }) => [
      line("without", calm, core[0], memory.before, memory.resident[0] ?? NaN),
      line(
        ATTACK_NAMES[attack],
        attacked,
        core[1],
        memory.after,
        Math.max(...memory.resident),
      ),
    ]),
  ]);
}

function line(
  name: string,
  { get, put }: AttackResult["calm"],
  core: number,
  used: number,
  resident: number,
): string[] {
  const done = (get.found * get.gets + put.found * put.gets) /
    (get.gets + put.gets);
  return [
    name,
    ...[get.p50, get.p99, put.p50, put.p99, 100 * done, 100 * core],
    ...[used, resident],
  ].map((each) => typeof each === "string" ? each : short(each));
}

/** What became of a node that was cut off. */
export function cutOffTable(result: CutOffResult): string {
  const { settings, reads, told } = result;
  const row = (name: string, seconds: number | undefined) => [
    name,
    seconds === undefined ? "never" : short(seconds),
  ];
  return table([
    [`cut off for ${settings.duration / 1_000} s`, "after, s"],
    row("it calls itself isolated", result.isolatedAfter),
    row("all others miss it", result.missedAfter),
    row("let back: it has another one", result.backAfter),
    row("it has all others", result.allAfter),
    row("all others have it", result.seenAfter),
    ["records that it reads then, %", short(100 * reads)],
    ["records that it stored alone and others read, %", short(100 * told)],
  ]);
}
