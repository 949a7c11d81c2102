import type { Event, NodeScore, Observation } from "../../mod.ts";
import { observation, SCORES, submissionBy } from "./observations.ts";

/** All that happens in epochs in which node 1 is elected and does everything right. */
export function epochEvents(
  from: number,
  count: number,
  scores: readonly NodeScore[] = SCORES,
): { readonly epoch: number; readonly event: Event }[] {
  return Array.from({ length: count }, (_, i) => from + i).flatMap((epoch) => {
    const at = (elapsed: number, more: Partial<Observation> = {}) =>
      observation(3 + 20 * epoch + elapsed, more);
    const submission = submissionBy(1, { attested: true, scores });
    const voted = { submission };
    const block = (elapsed: number, more?: Partial<Observation>): Event => ({
      type: "block",
      observation: at(elapsed, more),
    });
    const published = (what: "commit" | "reveal"): Event => ({
      type: "published",
      ...{ epoch, what },
      stored: true,
      complete: true,
    });
    const events: Event[] = [
      block(0),
      { type: "performed", epoch, observation: at(0) },
      { type: "scored", epoch, scores, queue: {}, observation: at(0) },
      { type: "sent", epoch, block: 3 + 20 * epoch + 1 },
      block(3, voted),
      published("commit"),
      block(10, voted),
      published("reveal"),
      block(13, voted),
    ];
    return events.map((event) => ({ epoch, event }));
  });
}

/** All that happens to node 1 in an epoch whose proposal differs until it is given up. */
export function disputedEpoch(
  epoch: number,
  own: readonly NodeScore[],
  proposed: readonly NodeScore[],
): { readonly epoch: number; readonly event: Event }[] {
  const at = (elapsed: number) =>
    observation(3 + 20 * epoch + elapsed, {
      elected: 2,
      submission: submissionBy(2, { scores: proposed }),
    });
  const block = (elapsed: number): Event => ({
    type: "block",
    observation: at(elapsed),
  });
  const scored = (elapsed: number): Event => ({
    type: "scored",
    ...{ epoch, scores: own, queue: {}, observation: at(elapsed) },
  });
  return [
    block(0),
    { type: "performed" as const, epoch, observation: at(0) },
    scored(1),
    ...[1, 2, 3, 4, 5].flatMap((elapsed) => [block(elapsed), scored(elapsed)]),
    block(6),
    block(13),
  ].map((event) => ({ epoch, event }));
}
