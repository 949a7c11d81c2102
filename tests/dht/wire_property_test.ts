import fc from "fast-check";
import { dhtIdOfBytes, type DhtRecord, encode } from "../../mod.ts";
import { concat } from "../../src/core/bytes.ts";
import {
  decodeFind,
  decodeFound,
  decodeStore,
  decodeStoreAnswers,
  encodeFind,
  encodeFound,
  encodeStore,
  encodeStoreAnswers,
  STORE_ANSWERS,
} from "../../src/dht/wire.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import { assertEquals } from "../assert.ts";
import { readFrames } from "../rpc/read_frames.ts";

const bytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((made) => concat(made));
const key = bytes(10).map(dhtIdOfBytes);
const record: fc.Arbitrary<DhtRecord> = fc.record({
  key,
  subkey: fc.oneof(fc.string(), fc.integer(), fc.constant(null)).map(encode),
  value: bytes(200),
  expiration: fc.double({ noNaN: true, noDefaultInfinity: true }),
}, { noNullPrototype: true });

Deno.test("stores and their answers come back from their bytes", () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 20 }), (records) => {
    assertEquals(decodeStore(encodeStore(records)), records);
  }));
  const answers = fc.array(fc.constantFrom(...STORE_ANSWERS));
  fc.assert(fc.property(answers, (given) => {
    assertEquals(
      decodeStoreAnswers(encodeStoreAnswers(given), given.length),
      given,
    );
  }));
});

Deno.test("finds and what is found come back from their bytes", () => {
  const queries = fc.array(
    fc.oneof(
      fc.record({ key }, { noNullPrototype: true }),
      fc.record(
        { key, subkeys: fc.array(bytes(20), { maxLength: 5 }) },
        { noNullPrototype: true },
      ),
    ),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(queries, fc.array(record, { maxLength: 5 }), fc.boolean(), (
      asked,
      held,
      more,
    ) => {
      assertEquals(decodeFind(encodeFind(asked)), asked);
      const found = asked.map(({ key }) =>
        held.map((each) => ({ ...each, key }))
      );
      assertEquals(
        decodeFound(encodeFound(found, asked.map(() => more)), asked),
        found.map((records) => ({ records, more })),
      );
    }),
  );
});

Deno.test("frames come back from their bytes in whatever portions", async () => {
  const frame = fc.record({
    type: fc.constantFrom(...Object.values(FRAME)),
    call: fc.nat(2 ** 32 - 1),
    method: fc.string({ maxLength: 30 }),
    auth: bytes(100),
    body: bytes(500),
  }, { noNullPrototype: true });
  await fc.assert(fc.asyncProperty(
    fc.array(frame, { maxLength: 5 }),
    fc.integer({ min: 1, max: 700 }),
    async (frames, size) => {
      const wire = concat(
        ...frames.map(({ type, call, ...parts }) =>
          encodeFrame(type, call, parts)
        ),
      );
      async function* portions() {
        for (let at = 0; at < wire.length; at += size) {
          yield await Promise.resolve(wire.subarray(at, at + size));
        }
      }
      const back = await Array.fromAsync(readFrames(portions()));
      assertEquals(
        back.map(({ auth, body, ...rest }) => ({
          ...rest,
          auth: concat(auth),
          body: concat(body),
        })),
        frames,
      );
    },
  ));
});
