import { line, type Part, shortPeer, type Style } from "../line.ts";
import type { DevState, NodeView } from "./state.ts";

/** The documentation's phases of an epoch, each with its end. */
const PHASES = [
  [0.15, "propose and attest"],
  [0.5, "commit"],
  [0.6, "reveal"],
  [1, "score"],
] as const;

const STATE_STYLES: Readonly<Record<NodeView["state"], Style>> = {
  starting: "dim",
  joining: "yellow",
  online: "green",
  isolated: "red",
  offline: "dim",
  down: "red",
};

/** The picture of a mesh: lines that are never wider or more than allowed. */
export function render(
  state: DevState,
  title: string,
  columns: number,
  rows: number,
): string[] {
  const width = Math.max(20, columns);
  const head = [
    line([["bold", "meshnode dev"], `  ${title}`], width),
    "",
    ...chainLines(state, width),
    "",
    ...nodeLines(state, width),
    "",
    line([["bold", "Events"]], width),
  ];
  const foot = line([["dim", "Ctrl-C stops everything."]], width);
  const room = Math.max(0, rows - head.length - 2);
  const events = room === 0 ? [] : state.events.slice(-room)
    .map((event) => line([`  ${event}`], width));
  return [...head, ...events, foot].slice(0, Math.max(1, rows - 1));
}

function chainLines(state: DevState, width: number): string[] {
  const { chain } = state;
  if (chain === undefined) {
    return [line([["yellow", "The chain is not read yet."]], width)];
  }
  const { position, submission, elected } = chain;
  const { epoch, progress, beforeSlot, remaining } = position;
  const phase = PHASES.find(([end]) => progress < end)?.[1] ?? "";
  const bar = 20;
  const filled = Math.round(progress * bar);
  const attested = submission === undefined ? [] : state.attested(submission);
  return [
    line([
      ["bold", "Block "],
      String(chain.block),
      ["bold", "   Epoch "],
      beforeSlot ? `begins in ${remaining} blocks` : String(epoch),
      "   ",
      ["cyan", "█".repeat(filled) + "░".repeat(bar - filled)],
      ` ${Math.floor(progress * 100)} % ${phase}`,
    ], width),
    line([["bold", "Elected   "], elected ?? "nobody yet"], width),
    line([
      ["bold", "Proposal  "],
      submission === undefined
        ? "none yet"
        : `${submission.scores.length} scores in block ${submission.block}`,
    ], width),
    line([
      ["bold", "Attested  "],
      submission === undefined
        ? ""
        : `${attested.length}/${submission.electorate.length} `,
      ["green", attested.join(", ")],
    ], width),
    line([
      ["bold", "Epochs    "],
      ...state.results.flatMap(({ epoch, attested, of }): Part[] => [
        `${epoch}: `,
        [
          attested.length === of ? "green" : "yellow",
          `${attested.length}/${of}`,
        ],
        "  ",
      ]),
    ], width),
  ];
}

function nodeLines(state: DevState, width: number): string[] {
  const names = state.nodes.map(({ name }) => name);
  const nameWidth = Math.max(...names.map((name) => name.length));
  const idWidth = width >= 120 ? 52 : 12;
  const heads = names.map((name) => shortName(name));
  return [
    line([[
      "bold",
      `${"Node".padEnd(nameWidth)}  ${"Peer id".padEnd(idWidth)}  ` +
      `${"State".padEnd(8)}  Conns  Records  RTT ms ` +
      heads.map((head) => head.padStart(5)).join(" "),
    ]], width),
    ...state.nodes.map((node) =>
      line([
        `${node.name.padEnd(nameWidth)}  `,
        `${shortPeer(node.peerId, idWidth).padEnd(idWidth)}  `,
        [STATE_STYLES[node.state], node.state.padEnd(8)],
        `  ${String(node.connections).padStart(5)}`,
        `  ${String(node.records).padStart(7)}         `,
        names.map((name) => rttText(node, name).padStart(5)).join(" "),
      ], width)
    ),
  ];
}

function rttText(node: NodeView, other: string): string {
  if (node.name === other) return "·";
  const time = node.rtt.get(other);
  return time === undefined ? "–" : time.toFixed(time < 10 ? 1 : 0);
}

/** `validator-2` as `v2`. */
function shortName(name: string): string {
  return (name[0] ?? "") + (/\d+$/.exec(name)?.[0] ?? "");
}
