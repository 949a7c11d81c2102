import { stripVTControlCharacters } from "node:util";
import {
  type ConsensusSubmission,
  epochPosition,
  type NodeClass,
  ONE,
  phaseAt,
  PHASES,
} from "../../mod.ts";
import type { EpochView } from "../../src/cli/consensus/epoch_view.ts";
import type { MeshSight } from "../../src/cli/consensus/mesh_sight.ts";
import {
  chainEvents,
  endedEvent,
  meshEvents,
  ownEvents,
} from "../../src/cli/consensus/watch_events.ts";
import { WatchState } from "../../src/cli/consensus/watch_state.ts";
import { renderWatch } from "../../src/cli/consensus/watch_view.ts";
import { LocalChain } from "../../src/chain/local/mod.ts";
import { assert, assertEquals } from "../assert.ts";

const node = (id: number, nodeClass: NodeClass = "validator") => ({
  id,
  peerId: `12D3KooWpeer${id}`,
  nodeClass,
});

function view(block: number, more: Partial<EpochView> = {}): EpochView {
  const position = epochPosition(block, 3, 20);
  return {
    block,
    name: "test",
    state: "active",
    position,
    phase: phaseAt(position, PHASES),
    blockMilliseconds: 1_500,
    nodes: [1, 2, 3].map((id) => node(id)),
    elected: 2,
    submission: undefined,
    ...more,
  };
}

function proposal(
  by: readonly number[],
  more: Partial<ConsensusSubmission> = {},
): ConsensusSubmission {
  return {
    validatorId: 2,
    block: 24,
    attestations: new Map(by.map((id) => [id, { block: 24, data: undefined }])),
    scores: [1, 2, 3].map((nodeId) => ({ nodeId, score: ONE })),
    electorate: [1, 2, 3],
    prioritizeQueueNodeId: undefined,
    removeQueueNodeId: undefined,
    ...more,
  };
}

const sight = (
  epoch: number,
  commits: readonly number[],
  reveals: readonly number[] = [],
): MeshSight => {
  const peers = (ids: readonly number[]) =>
    ids.map((id) => `12D3KooWpeer${id}`);
  return {
    epoch,
    online: new Map(peers([1, 2, 3]).map((peer, i) => [peer, `name-${i + 1}`])),
    commits: new Set(peers(commits)),
    reveals: new Set(peers(reveals)),
  };
};

Deno.test("an epoch on the chain is told step by step, each step once", () => {
  const blocks = [
    view(22),
    view(23),
    view(24, { submission: proposal([2]) }),
    view(25, { submission: proposal([2, 1]) }),
    view(25, { submission: proposal([2, 1]) }),
    view(26, { submission: proposal([2, 1, 3]) }),
    view(33, { submission: proposal([2, 1, 3]) }),
    view(35, { submission: proposal([2, 1, 3]) }),
  ];
  const told = blocks.map((now, i) =>
    chainEvents(blocks[i - 1], now).map(({ event, text }) =>
      event === "attested" || event === "quorum" ? text : event
    )
  );
  assertEquals(told, [
    ["epoch", "phase", "elected"],
    ["epoch", "phase", "elected"],
    ["proposal"],
    ["node 1 attested: 2 of 3", "quorum: 2 of 3 (66 %)"],
    [],
    ["phase", "node 3 attested: 3 of 3"],
    ["phase"],
    ["phase"],
  ]);
});

Deno.test("what a proposal does to the queue, and how nodes and subnet stand, is told", () => {
  const [, , , told] = chainEvents(
    undefined,
    view(24, {
      submission: proposal([2], {
        prioritizeQueueNodeId: 7,
        removeQueueNodeId: 8,
      }),
    }),
  );
  assertEquals(
    told?.text,
    "node 2 proposed 3 scores in block 24; node 7 first in the queue; " +
      "node 8 out of the queue",
  );
  const before = view(24, { nodes: [node(1), node(3), node(4, "idle")] });
  const now = view(25, {
    state: "paused",
    nodes: [node(1), node(4, "included"), node(5, "registered")],
  });
  assertEquals(chainEvents(before, now).map(({ text }) => text), [
    "the subnet is paused",
    "node 4 is included, and was idle",
    "node 5 was added and is registered",
    "node 3 was removed",
  ]);
  const gone = chainEvents(now, view(26, { state: "missing", nodes: [] }));
  assertEquals(gone[0]?.text, "the chain has no such subnet");
});

Deno.test("commits and reveals are told by node as they are seen", () => {
  const now = view(30);
  const texts = (before: MeshSight | undefined, seen: MeshSight) =>
    meshEvents(before, seen, now).map(({ text }) => text);
  assertEquals(texts(undefined, sight(1, [])), []);
  assertEquals(texts(sight(1, []), sight(1, [3, 1])), [
    "nodes 1, 3 committed: 2 so far",
  ]);
  assertEquals(texts(sight(1, [3, 1]), sight(1, [3, 1, 2], [2])), [
    "node 2 committed: 3 so far",
    "node 2 revealed: 1 so far",
  ]);
  // Another epoch begins anew.
  assertEquals(texts(sight(0, [1, 2, 3]), sight(1, [1])), [
    "node 1 committed: 1 so far",
  ]);
});

Deno.test("own decisions are told when they are new, with their reasons", () => {
  const own = (epochs: Parameters<typeof ownEvents>[1]["epochs"]) => ({
    nodeId: 3,
    vote: "done",
    work: "resting",
    epochs,
  });
  const first = own([{ epoch: 4, outcome: "proposed" }]);
  assertEquals(ownEvents(undefined, first, 90), []);
  const second = own([
    { epoch: 5, outcome: "disagreed", reason: "node 1 proposed 5, own 4" },
    { epoch: 4, outcome: "proposed", work: "revealed" },
  ]);
  assertEquals(
    ownEvents(first, second, 110).map(({ epoch, text }) => [epoch, text]),
    [
      [4, "our node 3: work revealed"],
      [5, "our node 3: disagreed (node 1 proposed 5, own 4)"],
    ],
  );
  assertEquals(ownEvents(second, second, 111), []);
});

Deno.test("how an epoch ended is told with its quorum and its work", () => {
  const result = { epoch: 1, elected: 2, proposer: 2 };
  const ended = (by: number | undefined, seen?: MeshSight) =>
    endedEvent(
      {
        ...result,
        attested: by === undefined ? undefined : { by, of: 3, quorum: by > 1 },
      },
      43,
      seen,
    ).text;
  assertEquals(ended(3), "ended with quorum: 3 of 3 (100 %)");
  assertEquals(ended(1), "ended without quorum: 1 of 3 (33 %)");
  assertEquals(ended(undefined), "ended without a proposal");
  assertEquals(
    ended(2, sight(1, [1, 2], [1])),
    "ended with quorum: 2 of 3 (66 %); 2 commits, 1 reveal",
  );
  assertEquals(
    ended(2, sight(2, [1], [1])),
    "ended with quorum: 2 of 3 (66 %)",
  );
});

const plain = (lines: readonly string[]) =>
  stripVTControlCharacters(lines.join("\n"));

async function withState(
  test: (state: WatchState) => void | Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const chain = LocalChain.create(`${folder}/chain.db`);
  const { signal } = new AbortController();
  const reading = { chain, subnetId: 1, phases: PHASES, signal };
  try {
    await test(
      new WatchState({ reading, records: undefined, own: undefined }, () => {}),
    );
  } finally {
    await chain.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the picture shows the epoch, its votes and its nodes", () =>
  withState((state) => {
    assert(plain(renderWatch(state, "t", PHASES, 80, 24)).includes("not read"));
    state.view = view(30, { submission: proposal([2, 1]) });
    state.sight = sight(1, [1, 2], []);
    state.own = {
      nodeId: 1,
      vote: "done",
      work: "committed",
      epochs: [{ epoch: 1, outcome: "attested" }],
    };
    state.results = [{
      epoch: 0,
      elected: 3,
      proposer: undefined,
      attested: undefined,
    }];
    const text = plain(renderWatch(state, "subnet 1", PHASES, 110, 40));
    for (
      const part of [
        /Epoch 1 +Block 30 +commit +35 %, 13 blocks/,
        /vote +commit +reveal +score/,
        /Elected +node 2 \(name-2\)/,
        /Proposal +by node 2 \(name-2\) in block 24, 3 scores/,
        /Attested +2 of 3 \(66 %\) +quorum/,
        /▸ +1 +name-1 .* validator +yes +1 +24 +yes +–/,
        /0 +node 3 +no proposal/,
      ]
    ) assert(part.test(text), `${part} is missing in\n${text}`);
  }));

Deno.test("the picture never exceeds the terminal, whatever nodes tell", () =>
  withState((state) => {
    const nodes = Array.from({ length: 256 }, (_, i) => node(i + 1));
    state.view = view(30, { nodes, submission: proposal([2, 1]) });
    state.sight = {
      ...sight(1, []),
      online: new Map(nodes.map(({ peerId }) => [
        peerId,
        `\x1b[2Jname\n${"ü".repeat(300)}`,
      ])),
    };
    state.trouble = "line\nfeed \x1b[31m";
    for (let columns = 20; columns <= 200; columns += 15) {
      for (const rows of [2, 10, 24, 60]) {
        const lines = renderWatch(state, "t", PHASES, columns, rows);
        assert(lines.length <= rows, `${lines.length} lines of ${rows}`);
        for (const line of lines) {
          const shown = stripVTControlCharacters(line);
          assert([...shown].length <= columns, shown);
          assert(!/\p{Cc}/u.test(shown), JSON.stringify(shown));
        }
      }
    }
  }));
