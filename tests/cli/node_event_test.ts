import { assertEquals } from "../assert.ts";
import {
  type NodeEvent,
  parseNodeEvent,
  statusEvent,
} from "../../src/cli/node_event.ts";
import { TextLineStream } from "../../src/cli/dev/lines.ts";

const STATUS = statusEvent({
  ...{ peerId: "p", state: "online", network: "joined", ready: true },
  ...{ unready: [], clock: { offset: 0, peers: 3, isOff: false } },
  ...{ stake: "fresh", connections: 3, records: 4, consensus: "idle" },
  rtt: new Map([["q", 0.5]]),
});

Deno.test("a status tells where the node stands and what it lacks", () => {
  assertEquals(STATUS, {
    event: "status",
    ...{ state: "online", network: "joined", ready: true, unready: [] },
    ...{ connections: 3, records: 4, rtt: { q: 0.5 } },
  });
});

Deno.test("events survive their line, and nothing else passes for one", () => {
  const events: NodeEvent[] = [
    { event: "started", peerId: "p", addresses: ["a"] },
    {
      event: "status",
      ...{ state: "online", network: "isolated" },
      ready: false,
      unready: [{ part: "mesh", reason: "The node is isolated." }],
      ...{ connections: 1, records: 2, rtt: { p: 0.5 } },
    },
    STATUS,
    { event: "consensus", kind: "outcome", text: "epoch 1: attested" },
    { event: "stopped" },
  ];
  for (const event of events) {
    assertEquals(parseNodeEvent(JSON.stringify(event)), event);
  }
  for (
    const line of [
      "",
      "text",
      "null",
      "5",
      "{}",
      `{"event":"other"}`,
      `{"event":"started","peerId":5,"addresses":[]}`,
      `{"event":"started","peerId":"p","addresses":[5]}`,
      ...[
        { state: "x" },
        { network: "toString" },
        { network: undefined },
        { ready: "yes" },
        { unready: {} },
        { unready: [{ part: "heart", reason: "" }] },
        { unready: [{ part: "mesh", reason: 5 }] },
        { unready: [null] },
        { unready: Array(17).fill({ part: "mesh", reason: "" }) },
        { connections: -1 },
        { records: 0.5 },
        { rtt: { p: "x" } },
        { rtt: null },
      ].map((change) => JSON.stringify({ ...STATUS, ...change })),
      `{"event":"consensus","kind":"x","text":""}`,
      JSON.stringify("x".repeat(100_000)),
    ]
  ) assertEquals(parseNodeEvent(line), undefined, line.slice(0, 80));
});

Deno.test("lines are cut out of any portions, endless ones stay short", async () => {
  const encoder = new TextEncoder();
  const source = ReadableStream.from(
    ["a", "b\nc", "\n\nd", "x".repeat(200_000), "y\nlast"]
      .map((text) => encoder.encode(text)),
  );
  const lines = await Array.fromAsync(
    source.pipeThrough(new TextLineStream()),
    (line) => line.slice(0, 4),
  );
  assertEquals(lines, ["ab", "c", "", "dxxx", "last"]);
});
