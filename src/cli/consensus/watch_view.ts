import { countAttestations } from "../../chain/quorum.ts";
import type { EpochSummary } from "../../consensus/journal.ts";
import {
  blockOfPart,
  type Phase,
  type Phases,
} from "../../consensus/phases.ts";
import type { Outcome } from "../../consensus/report.ts";
import { count, duration } from "../chain/words.ts";
import { line, type Part, type Style } from "../line.ts";
import { printable } from "../table.ts";
import type { EpochResult, EpochView, SeenNode } from "./epoch_view.ts";
import { countText } from "./watch_events.ts";
import { nameOf, nodeLines } from "./watch_nodes.ts";
import type { WatchState } from "./watch_state.ts";

const PHASE_STYLES: Readonly<Record<Phase, Style>> = {
  vote: "cyan",
  commit: "blue",
  reveal: "magenta",
  score: "green",
};
const BAR = 80;
const LABEL = 10;
/** Least lines for events. */
const EVENTS = 4;

/** The picture of a subnet's epoch: lines that are never wider or more than allowed. */
export function renderWatch(
  state: WatchState,
  title: string,
  phases: Phases,
  columns: number,
  rows: number,
): string[] {
  const width = Math.max(20, columns);
  const { view } = state;
  const foot = line([["dim", "Ctrl-C ends."]], width);
  const head = [
    line([["bold", "meshnode consensus watch"], `  ${title}`], width),
    "",
  ];
  if (view === undefined) {
    const text = state.trouble ?? "The chain is not read yet.";
    return [...head, line([["yellow", printable(text)]], width), foot]
      .slice(0, Math.max(1, rows - 1));
  }
  head.push(
    ...epochLines(view, phases, width),
    ...factLines(state, view, width),
    "",
  );
  if (state.results.length > 0) {
    head.push(
      line([["bold", "Epochs"]], width),
      ...state.results.map((each) =>
        resultLine(each, state.own?.epochs ?? [], width)
      ),
      "",
    );
  }
  const room = Math.max(0, rows - head.length - 2 - EVENTS - 2);
  const nodes = nodeLines(state, view, width, room);
  const left = Math.max(0, rows - head.length - nodes.length - 4);
  const events = left === 0
    ? []
    : state.events.slice(-left).map((event) =>
      line([
        ["dim", `  ${event.block}  epoch ${event.epoch}  `],
        printable(event.text),
      ], width)
    );
  const end = ["", line([["bold", "Events"]], width), ...events, foot];
  return [...head, ...nodes, ...end].slice(0, Math.max(1, rows - 1));
}

/** Where the epoch stands: a bar whose parts are the phases. */
function epochLines(view: EpochView, phases: Phases, width: number): string[] {
  const { position, phase, block } = view;
  const { epoch, elapsed, remaining, progress, beforeSlot } = position;
  const left = `${count(remaining, "block")}, about ${
    duration(remaining * view.blockMilliseconds)
  }`;
  const standing = view.state === "active"
    ? []
    : [["yellow", `   the subnet is ${view.state}`] as const];
  if (beforeSlot) {
    return [
      line([
        ["bold", "Block "],
        `${block}   the first epoch begins in ${left}`,
        ...standing,
      ], width),
    ];
  }
  const length = elapsed + remaining;
  const cells = Math.min(BAR, width);
  const starts = [
    ["vote", 0],
    ["commit", phases.commit],
    ["reveal", phases.reveal],
    ["score", phases.score],
  ] as const;
  const cellOf = (part: number) =>
    Math.round(blockOfPart(part, length) / length * cells);
  const done = Math.max(1, Math.round((elapsed + 1) / length * cells));
  const bar: Part[] = [];
  const labels: Part[] = [];
  starts.forEach(([name, part], i) => {
    const from = cellOf(part);
    const to = i + 1 < starts.length ? cellOf(starts[i + 1]?.[1] ?? 1) : cells;
    const filled = Math.min(Math.max(0, done - from), to - from);
    const style = PHASE_STYLES[name];
    bar.push([style, "█".repeat(filled)]);
    bar.push(["dim", "░".repeat(to - from - filled)]);
    const label = name.slice(0, to - from).padEnd(to - from);
    labels.push([name === phase ? style : "dim", label]);
  });
  return [
    line([
      ["bold", "Epoch "],
      `${epoch}   `,
      ["bold", "Block "],
      `${block}   `,
      [PHASE_STYLES[phase], phase],
      `   ${Math.floor(progress * 100)} %, ${left} to go`,
      ...standing,
    ], width),
    line(bar, width),
    line(labels, width),
    "",
  ];
}

function factLines(
  state: WatchState,
  view: EpochView,
  width: number,
): string[] {
  const { submission, elected, nodes } = view;
  const fact = (name: string, ...parts: Part[]) =>
    line([["bold", name.padEnd(LABEL)], ...parts], width);
  const lines = [
    fact("Elected", elected === undefined ? "nobody" : nameOf(state, elected)),
    fact(
      "Proposal",
      submission === undefined
        ? ["dim", "none yet"]
        : `by ${nameOf(state, submission.validatorId)} in block ` +
          `${submission.block}, ${count(submission.scores.length, "score")}`,
    ),
  ];
  if (submission === undefined) lines.push(fact("Attested", ["dim", "–"]));
  else {
    const counted = countAttestations(submission);
    lines.push(fact("Attested", countText(counted), "   ", [
      counted.quorum ? "green" : "yellow",
      counted.quorum ? "quorum" : "no quorum yet",
    ]));
  }
  lines.push(fact("Work", ...workParts(state, nodes)));
  lines.push(fact("Own vote", ...ownParts(state, view)));
  if (state.trouble !== undefined) {
    lines.push(fact("Trouble", ["yellow", printable(state.trouble)]));
  }
  return lines;
}

function workParts(state: WatchState, nodes: readonly SeenNode[]): Part[] {
  const { sight } = state;
  if (!state.seesMesh) {
    return [["dim", "not looked at: give --identity to see it"]];
  }
  if (sight === undefined) return [["dim", "not seen yet"]];
  const { commits, reveals, online } = sight;
  const workers =
    nodes.filter(({ nodeClass }) =>
      nodeClass === "included" || nodeClass === "validator"
    ).length;
  return [
    `${commits.size} of ${workers} committed, ${reveals.size} revealed, ` +
    `${count(online.size, "peer")} online`,
  ];
}

const OUTCOME_STYLES: Readonly<Record<Outcome, Style>> = {
  "proposed": "green",
  "attested": "green",
  "observed": "dim",
  "disagreed": "red",
  "queue-change": "yellow",
  "not-an-attestor": "yellow",
  "no-proposal": "yellow",
  "call-failed": "red",
  "out-of-time": "red",
};

function ownParts(state: WatchState, view: EpochView): Part[] {
  const { own } = state;
  if (!state.seesOwn) {
    return [["dim", "not looked at: give --data of a node on this machine"]];
  }
  if (own === undefined) return [["dim", "the node has not voted yet"]];
  const summary = own.epochs.find(({ epoch }) => epoch === view.position.epoch);
  const who = own.nodeId === undefined
    ? "no node of the subnet"
    : nameOf(state, own.nodeId);
  const work = summary?.work ?? (own.work === "resting" ? "" : own.work);
  return [
    `${who}: `,
    summary?.outcome === undefined
      ? ["cyan", own.vote]
      : [OUTCOME_STYLES[summary.outcome], summary.outcome],
    summary?.reason === undefined ? "" : ` (${printable(summary.reason)})`,
    work === "" ? "" : `, work ${work}`,
  ];
}

function resultLine(
  { epoch, elected, attested }: EpochResult,
  own: readonly EpochSummary[],
  width: number,
): string {
  const mine = own.find((each) => each.epoch === epoch)?.outcome;
  return line([
    `  ${String(epoch).padStart(6)}  `,
    (elected === undefined ? "nobody elected" : `node ${elected}`).padEnd(14),
    ...attested === undefined ? [["red", "no proposal".padEnd(24)] as const] : [
      [
        attested.quorum ? "green" : "red",
        `${countText(attested)} ${attested.quorum ? "quorum" : "no quorum"}`
          .padEnd(18),
      ] as const,
    ],
    mine === undefined ? "" : `   own vote: ${mine}`,
  ], width);
}
