import { stripVTControlCharacters } from "node:util";
import { epochPosition, generateIdentity, ONE } from "../../mod.ts";
import { DevState } from "../../src/cli/dev/state.ts";
import { render } from "../../src/cli/dev/view.ts";
import type { NodeEvent } from "../../src/cli/node_event.ts";
import { assert, assertEquals } from "../assert.ts";

function setUp() {
  const told: string[] = [];
  const names = ["bootnode", "validator-1", "validator-2", "validator-3"];
  const nodes = names.map((name, i) => ({
    name,
    directory: "",
    identityPath: "",
    peerId: generateIdentity().peerId,
    port: 0,
    nodeId: i === 0 ? undefined : i,
  }));
  const state = new DevState(nodes, (text) => told.push(text));
  return { state, nodes, told };
}

const plain = (lines: readonly string[]) =>
  stripVTControlCharacters(lines.join("\n"));

Deno.test("the view shows nodes, round-trip times and the epoch", () => {
  const { state, nodes } = setUp();
  assert(plain(render(state, "dir", 100, 30)).includes("not read yet"));
  for (const { name } of nodes) {
    state.onNodeEvent(name, {
      event: "status",
      ...{ state: "online", network: "joined", ready: true, unready: [] },
      connections: 3,
      records: 4,
      rtt: Object.fromEntries(
        nodes.filter((other) => other.name !== name)
          .map(({ peerId }, i) => [peerId, 1.25 * (i + 1)]),
      ),
    });
  }
  state.chain = {
    block: 68,
    position: epochPosition(68, 3, 20),
    elected: "validator-2",
    submission: {
      validatorId: 2,
      block: 64,
      attestations: new Map([
        [2, { block: 64, data: undefined }],
        [1, { block: 65, data: undefined }],
      ]),
      scores: [{ nodeId: 1, score: ONE }],
      electorate: [1, 2, 3],
      prioritizeQueueNodeId: undefined,
      removeQueueNodeId: undefined,
    },
  };
  const text = plain(render(state, "dir", 100, 30));
  for (
    const part of [
      "Block 68   Epoch 3",
      "25 % commit",
      "Elected   validator-2",
      "1 scores in block 64",
      "2/3 validator-2, validator-1",
      "validator-3",
      "online",
      "Ctrl-C",
    ]
  ) assert(text.includes(part), `${part} is missing in\n${text}`);
  const wide = plain(render(state, "dir", 160, 30));
  assert(nodes.every(({ peerId }) => wide.includes(peerId)));
});

Deno.test("lines never exceed the terminal, nor their number", () => {
  const { state, nodes } = setUp();
  for (let i = 0; i < 300; i++) state.event(`event ${i} ${"ü".repeat(i)}`);
  state.onNodeExit(nodes[1]?.name ?? "", 1, 1_000);
  for (let columns = 20; columns <= 200; columns += 7) {
    for (const rows of [2, 10, 24, 60]) {
      const lines = render(state, "dir", columns, rows);
      assert(lines.length <= rows);
      for (const line of lines) {
        assert([...stripVTControlCharacters(line)].length <= columns);
      }
    }
  }
});

Deno.test("events are told once each", () => {
  const { state, told } = setUp();
  const online: NodeEvent = {
    event: "status",
    ...{ state: "online", network: "joined", ready: true, unready: [] },
    ...{ connections: 0, records: 0, rtt: {} },
  };
  state.onNodeEvent("bootnode", online);
  state.onNodeEvent("bootnode", online);
  state.onNodeEvent("nobody", online);
  state.onNodeEvent("bootnode", { ...online, network: "isolated" });
  const text = plain(render(state, "dir", 100, 30));
  assert(/bootnode .* isolated /.test(text), text);
  state.onNodeEvent("bootnode", online);
  state.onNodeEvent("bootnode", {
    event: "consensus",
    kind: "outcome",
    text: "epoch 4: disagreed (node 1 proposed none, own 5)",
  });
  assertEquals(told, [
    "bootnode online",
    "bootnode isolated",
    "bootnode online",
    "bootnode epoch 4: disagreed (node 1 proposed none, own 5)",
  ]);
});
