import fc from "fast-check";
import {
  decode,
  encode,
  equal,
  Float,
  type MeshValue,
  parseCommit,
  Tuple,
} from "../../mod.ts";
import {
  decodeDictionary,
  encodeDictionary,
} from "../../src/records/dictionary.ts";
import { assert, assertEquals } from "../assert.ts";

const leaf: fc.Arbitrary<MeshValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array({ maxLength: 300 }),
);

/** Values of every kind, nested. */
const values = fc.letrec<{ value: MeshValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 20 }),
    fc.array(tie("value"), { maxLength: 5 }).map((items) => new Tuple(items)),
    fc.array(fc.tuple(fc.string(), tie("value")), { maxLength: 20 })
      .map((entries) => new Map<MeshValue, MeshValue>(entries)),
  ),
})).value;

/** What decoding makes of a value: integers in the one form that fits them. */
function decoded(value: MeshValue): MeshValue {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (value instanceof Tuple) return new Tuple(value.items.map(decoded));
  if (Array.isArray(value)) return value.map(decoded);
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [key, decoded(item)]));
  }
  return value;
}

Deno.test("every value comes back from its bytes, which are always the same", () => {
  fc.assert(fc.property(values, (value) => {
    const bytes = encode(value);
    const back = decode(bytes);
    assertEquals(back, decoded(value));
    assert(equal(encode(back), bytes));
  }));
});

Deno.test("floats keep their bytes when they are integral", () => {
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(fc.property(numbers, (number) => {
    const bytes = encode(new Float(number));
    assertEquals([bytes.length, bytes[0]], [9, 0xcb]);
    assertEquals(decode(bytes), number);
  }));
});

Deno.test("no part of a value's bytes is a value too, nor are more bytes", () => {
  fc.assert(
    fc.property(values, fc.nat(), (value, at) => {
      const bytes = encode(value);
      const part = bytes.subarray(0, at % bytes.length);
      for (const wrong of [part, new Uint8Array([...bytes, 0xc0])]) {
        let taken = true;
        try {
          decode(wrong);
        } catch (error) {
          taken = false;
          assertEquals((error as { code?: string }).code, "DECODE");
        }
        assert(!taken);
      }
    }),
  );
});

Deno.test("a dictionary's items come back from its bytes", () => {
  const items = fc.array(
    fc.record({
      subkey: values.map(encode),
      value: fc.uint8Array({ maxLength: 100 }),
      expiration: fc.double({ min: 0, max: 1e12, noNaN: true }),
    }),
    { maxLength: 20 },
  );
  fc.assert(fc.property(items, (given) => {
    const back = decodeDictionary(encodeDictionary(given));
    assertEquals(back.length, given.length);
    back.forEach((item, i) => {
      const { subkey, value, expiration } = given[i] as typeof item;
      assert(equal(item.subkey, subkey) && equal(item.value, value));
      assertEquals(item.expiration, expiration);
    });
  }));
});

Deno.test("only 32 bytes are a commitment", () => {
  fc.assert(fc.property(values, (value) => {
    const isOne = value instanceof Uint8Array && value.length === 32;
    assertEquals(parseCommit(encode(value)) !== undefined, isOne);
  }));
});
