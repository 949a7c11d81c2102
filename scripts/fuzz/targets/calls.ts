import {
  concat,
  dhtId,
  type DhtRecord,
  encode,
  NO_SUBKEY,
} from "../../../mod.ts";
import {
  decodeCompare,
  decodeCompareAnswers,
  decodeRange,
  decodeRangeAnswer,
  encodeCompare,
  encodeCompareAnswers,
  encodeRange,
  encodeRangeAnswer,
} from "../../../src/dht/repair/repair_wire.ts";
import {
  decodeFind,
  decodeFound,
  decodePong,
  decodeStore,
  decodeStoreAnswers,
  encodeFind,
  encodeFound,
  encodePong,
  encodeStore,
  encodeStoreAnswers,
} from "../../../src/dht/wire.ts";
import { encodeFrame, FRAME } from "../../../src/rpc/frames.ts";
import { readFrames } from "../../../tests/rpc/read_frames.ts";
import type { Target } from "../engine.ts";

const key = dhtId("key");
const record: DhtRecord = {
  key,
  subkey: encode("subkey"),
  value: encode(["value", 1.5, null]),
  expiration: 1_700_000_000.5,
};
const plain: DhtRecord = { ...record, subkey: NO_SUBKEY };
const queries = [{ key }, { key, subkeys: [encode("a"), encode(1)] }];

/** What comes over the wire: frames, and the bodies of the DHT's calls. */
export function callTargets(): Target[] {
  return [
    {
      name: "rpc-frames",
      samples: [
        concat(
          encodeFrame(FRAME.request, 1, {
            method: "dht.store",
            auth: new Uint8Array(80).fill(7),
            body: encodeStore([record]),
          }),
          encodeFrame(FRAME.end, 2),
        ),
        encodeFrame(FRAME.credit, 3, { body: Uint8Array.of(0, 0, 0, 4) }),
      ],
      run: async (bytes) => {
        for await (const _ of readFrames(portions(bytes))) { /* read all */ }
      },
    },
    {
      name: "dht-store",
      samples: [encodeStore([record, plain]), encodeStore([])],
      run: decodeStore,
    },
    {
      name: "dht-store-answers",
      samples: [encodeStoreAnswers(["stored", "later", "refused"])],
      run: (bytes) => decodeStoreAnswers(bytes, 3),
    },
    { name: "dht-find", samples: [encodeFind(queries)], run: decodeFind },
    {
      name: "dht-found",
      samples: [encodeFound([[record, plain], []])],
      run: (bytes) => decodeFound(bytes, queries),
    },
    { name: "dht-pong", samples: [encodePong(5.5)], run: decodePong },
    {
      name: "repair-range",
      samples: [encodeRange({ after: key, last: key, fingerprint: 5n })],
      run: decodeRange,
    },
    {
      name: "repair-range-answer",
      samples: [encodeRangeAnswer(true)],
      run: decodeRangeAnswer,
    },
    {
      name: "repair-compare",
      samples: [encodeCompare([{ key, fingerprint: 7n }])],
      run: decodeCompare,
    },
    {
      name: "repair-compare-answers",
      samples: [
        encodeCompareAnswers(["same", [{
          name: 5n,
          expiration: 6.5,
          fingerprint: 7n,
        }]]),
      ],
      run: (bytes) => decodeCompareAnswers(bytes, 2),
    },
  ];
}

async function* portions(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const half = bytes.length >> 1;
  yield bytes.subarray(0, half);
  yield await Promise.resolve(bytes.subarray(half));
}
