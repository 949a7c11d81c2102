import { createHash } from "node:crypto";
import { epochPosition, firstBlockOf, networkEpoch } from "../epoch.ts";
import { countAttestations } from "../quorum.ts";
import { type LocalChainFacts, readFact, writeFact } from "./facts.ts";
import { changeFrom } from "./past.ts";
import { classNumber, readSubmission } from "./rows.ts";
import type { Store } from "./store.ts";

/** Epochs whose elections and submissions are kept. */
const KEPT_EPOCHS = 1_000;
/** Longest run of epochs worked through one by one; what nobody saw is skipped. */
const MAX_CATCH_UP = 16;
const IDLE = classNumber("idle");
const INCLUDED = classNumber("included");
const VALIDATOR = classNumber("validator");

/** Whether a slot block passed whose work nobody did yet. */
export function isSlotWorkDue(
  store: Store,
  facts: LocalChainFacts,
  block: number,
): boolean {
  const position = epochPosition(block, facts.slot, facts.epochLength);
  return !position.beforeSlot && position.epoch > lastWorked(store);
}

function lastWorked(store: Store): number {
  return Number(readFact(store, "slotWork") ?? -1);
}

/**
 * Does the work of all slot blocks up to a block that was not done yet. Every
 * process that opens the file calls it before anything else, inside a
 * transaction, so that all see the same.
 */
export function doSlotWork(
  store: Store,
  facts: LocalChainFacts,
  block: number,
): void {
  if (!isSlotWorkDue(store, facts, block)) return;
  const position = epochPosition(block, facts.slot, facts.epochLength);
  const done = lastWorked(store);
  // The first epoch pays for the last one that was worked on; in the ones
  // between, nobody was there to submit anything.
  const from = Math.max(done + 1, position.epoch - MAX_CATCH_UP);
  if (from > done + 1) settle(store, facts, done);
  for (let epoch = from; epoch <= position.epoch; epoch++) {
    const first = firstBlockOf(epoch, facts.slot, facts.epochLength);
    changeFrom(store, first, () => {
      settle(store, facts, epoch - 1);
      activateQueued(store, facts, epoch);
    });
    elect(store, facts, epoch);
  }
  const oldest = position.epoch - KEPT_EPOCHS;
  for (const table of ["elections", "submissions", "attestations"]) {
    store.run(`DELETE FROM ${table} WHERE epoch < ?`, oldest);
  }
  writeFact(store, "slotWork", position.epoch);
}

/** Classes rise by what the epoch brought. */
function settle(store: Store, facts: LocalChainFacts, epoch: number): void {
  const submission = epoch < 0 ? undefined : readSubmission(store, epoch);
  const next = epoch + 1;
  if (submission === undefined) {
    store.run("UPDATE nodes SET included_epochs = 0 WHERE class = ?", INCLUDED);
    return;
  }
  const { quorum } = countAttestations(submission);
  const scored = new Set(
    submission.scores.filter(({ score }) => score > 0n)
      .map(({ nodeId }) => nodeId),
  );
  // Included first: a node rises one class at a time.
  for (
    const row of store.all(
      "SELECT id, included_epochs FROM nodes WHERE class = ? AND start_epoch <= ?",
      INCLUDED,
      epoch,
    )
  ) {
    const id = Number(row["id"]);
    const epochs = quorum && scored.has(id)
      ? Number(row["included_epochs"]) + 1
      : 0;
    if (epochs >= facts.includedEpochs) promote(store, id, VALIDATOR, next);
    else {
      store.run(
        "UPDATE nodes SET included_epochs = ? WHERE id = ?",
        epochs,
        id,
      );
    }
  }
  store.run(
    "UPDATE nodes SET idle_epochs = idle_epochs + 1 WHERE class = ? AND start_epoch <= ?",
    IDLE,
    epoch,
  );
  for (
    const row of store.all(
      "SELECT id FROM nodes WHERE class = ? AND idle_epochs >= ?",
      IDLE,
      facts.idleEpochs,
    )
  ) promote(store, Number(row["id"]), INCLUDED, next);
}

function promote(
  store: Store,
  id: number,
  nodeClass: number,
  epoch: number,
): void {
  store.run(
    "UPDATE nodes SET class = ?, start_epoch = ?, idle_epochs = 0, " +
      "included_epochs = 0 WHERE id = ?",
    nodeClass,
    epoch,
    id,
  );
}

function activateQueued(
  store: Store,
  facts: LocalChainFacts,
  epoch: number,
): void {
  const queued = store.all(
    "SELECT id FROM nodes WHERE class = ? AND start_epoch + ? < ?",
    classNumber("registered"),
    facts.queueEpochs,
    epoch,
  );
  for (const { id } of queued) promote(store, Number(id), IDLE, epoch);
}

function elect(store: Store, facts: LocalChainFacts, epoch: number): void {
  const first = firstBlockOf(epoch, facts.slot, facts.epochLength);
  if (
    facts.state !== "active" ||
    networkEpoch(first, facts.epochLength) < facts.startEpoch
  ) return;
  const electable = store.all(
    "SELECT id FROM nodes WHERE class = ? AND start_epoch <= ? ORDER BY id",
    VALIDATOR,
    epoch,
  );
  if (electable.length === 0) return;
  const digest = createHash("sha256")
    .update(`${facts.seed} election ${facts.subnetId} ${epoch}`).digest();
  const at = digest.readUIntBE(0, 6) % electable.length;
  store.run(
    "INSERT INTO elections VALUES (?, ?) ON CONFLICT DO NOTHING",
    epoch,
    Number(electable[at]?.["id"]),
  );
}
