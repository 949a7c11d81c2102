import { assertEquals } from "../assert.ts";
import { type NodeEvent, parseNodeEvent } from "../../src/cli/node_event.ts";
import { TextLineStream } from "../../src/cli/dev/lines.ts";

Deno.test("events survive their line, and nothing else passes for one", () => {
  const events: NodeEvent[] = [
    { event: "started", peerId: "p", addresses: ["a"] },
    {
      event: "status",
      state: "online",
      connections: 1,
      records: 2,
      rtt: { p: 0.5 },
    },
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
      `{"event":"status","state":"x","connections":1,"records":1,"rtt":{}}`,
      `{"event":"status","state":"online","connections":-1,"records":1,"rtt":{}}`,
      `{"event":"status","state":"online","connections":1,"records":1,"rtt":{"p":"x"}}`,
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
