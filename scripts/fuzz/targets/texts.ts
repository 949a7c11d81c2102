import { parseNodeEvent } from "../../../src/cli/node_event.ts";
import { parsePresence } from "../../../src/heartbeat/presence.ts";
import type { Target } from "../engine.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Lines and files of text. */
export function textTargets(): Target[] {
  return [
    {
      name: "node-events",
      samples: [
        { event: "started", peerId: "p", addresses: ["/ip4/127.0.0.1/tcp/1"] },
        {
          event: "status",
          state: "online",
          network: "joined",
          ready: false,
          unready: [{ part: "clock", reason: "The clock is off." }],
          connections: 3,
          records: 4,
          rtt: { a: 0.5, b: 1 },
        },
        { event: "consensus", kind: "epoch", text: "epoch 3: begun" },
        { event: "stopped" },
      ].map((event) => utf8.encode(JSON.stringify(event))),
      run: (bytes) => parseNodeEvent(text.decode(bytes)),
    },
    {
      name: "presence-file",
      samples: [utf8.encode('{"onlineSince":5,"seenAt":6.5}')],
      run: (bytes) => parsePresence(text.decode(bytes)),
    },
  ];
}
