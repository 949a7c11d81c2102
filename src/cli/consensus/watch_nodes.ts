import { formatTensor } from "../../chain/amount.ts";
import { line, type Part, shortPeer } from "../line.ts";
import { printable } from "../table.ts";
import type { EpochView } from "./epoch_view.ts";
import type { WatchState } from "./watch_state.ts";

/** Most characters of a name. */
const MAX_NAME = 24;

/** The subnet's nodes, a line for each, as many as there is room for. */
export function nodeLines(
  state: WatchState,
  view: EpochView,
  width: number,
  room: number,
): string[] {
  const { sight, own } = state;
  const { nodes, submission, elected } = view;
  if (nodes.length === 0 || room < 2) return [];
  const scores = new Map(
    submission?.scores.map(({ nodeId, score }) => [nodeId, score]),
  );
  const peer = peerColumn(width);
  const nameWidth = Math.max(
    4,
    ...nodes.map(({ peerId }) => [...shownName(state, peerId)].length),
  );
  const shown = nodes.slice(0, nodes.length < room ? nodes.length : room - 2);
  const mark = (seen: boolean | undefined): Part =>
    seen ? ["green", "  yes   "] : ["dim", "  –     "];
  const lines = [
    line([[
      "bold",
      `  Node  ${"Name".padEnd(nameWidth)}${peer("Peer id")}  ` +
      `${"Class".padEnd(10)}  Online  Score     Attested  Commit  Reveal`,
    ]], width),
  ];
  for (const { id, peerId, nodeClass } of shown) {
    const score = scores.get(id);
    const attestation = submission?.attestations.get(id);
    const number = String(id).padStart(5);
    const parts: Part[] = [
      id === own?.nodeId ? "▸" : " ",
      id === elected ? ["bold", number] : number,
      `  ${shownName(state, peerId).padEnd(nameWidth)}${peer(peerId)}`,
      `  ${nodeClass.padEnd(10)}`,
      mark(sight?.online.has(peerId)),
      `  ${(score === undefined ? "–" : formatTensor(score)).padEnd(8)}  `,
      attestation === undefined
        ? ["dim", "–       "]
        : ["green", String(attestation.block).padEnd(8)],
      mark(sight?.commits.has(peerId)),
      mark(sight?.reveals.has(peerId)),
    ];
    lines.push(line(parts, width));
  }
  const more = nodes.length - shown.length;
  if (more > 0) lines.push(line([["dim", `  and ${more} more`]], width));
  return lines;
}

/** A column of peer ids, as wide as there is room for. */
function peerColumn(width: number): (text: string) => string {
  const room = width >= 140 ? 52 : width >= 100 ? 12 : 0;
  return (text) => room === 0 ? "" : `  ${shortPeer(text, room).padEnd(room)}`;
}

/** The name that a node tells, cut. */
function shownName(state: WatchState, peerId: string): string {
  const name = state.sight?.online.get(peerId) ?? "";
  return [...printable(name)].slice(0, MAX_NAME).join("");
}

/** `node 2`, with the name that it tells if it does. */
export function nameOf(state: WatchState, id: number): string {
  const node = state.view?.nodes.find((each) => each.id === id);
  const name = node === undefined ? "" : shownName(state, node.peerId);
  return `node ${id}${name === "" ? "" : ` (${name})`}`;
}
