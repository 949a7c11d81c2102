import fc from "fast-check";
import { encode, Float, type MeshValue, Tuple } from "../../mod.ts";
import { display, parseValue, toJson } from "../../src/cli/dht/values.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const { value } = fc.letrec<{ value: MeshValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<MeshValue>(null, true, false, "$bytes", 2n ** 60n),
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.uint8Array({ maxLength: 8 }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => new Tuple(items)),
    fc.uniqueArray(
      fc.tuple(fc.oneof(fc.string(), fc.constant("$tuple")), tie("value")),
      { maxLength: 3, selector: ([key]) => key },
    ).map((entries) => new Map<MeshValue, MeshValue>(entries)),
  ),
}));

Deno.test("every value survives its JSON", () => {
  fc.assert(fc.property(value, (each) => {
    // JSON knows no negative zero.
    if (JSON.stringify(toJson(each)).includes("-0")) return;
    const again = parseValue(JSON.stringify(toJson(each)), "VALUE");
    assertEquals(encode(again).toHex(), positiveZero(each));
  }));
});

function positiveZero(each: MeshValue): string {
  return encode(Object.is(each, -0) ? 0 : each).toHex();
}

Deno.test("what JSON has no word for has a notation", () => {
  for (
    const [each, json] of [
      [Uint8Array.of(1, 255), '{"$bytes":"01ff"}'],
      [new Tuple([1]), '{"$tuple":[1]}'],
      [2n ** 60n, '{"$int":"1152921504606846976"}'],
      [new Map([[1, 2]]), '{"$map":[[1,2]]}'],
      [new Map([["$bytes", 1]]), '{"$map":[["$bytes",1]]}'],
      [new Map([["a", 1]]), '{"a":1}'],
      [new Map([["1", 1], ["a", 2]]), '{"1":1,"a":2}'],
      [new Map([["a", 2], ["1", 1]]), '{"$map":[["a",2],["1",1]]}'],
      [new Float(3), '{"$float":3}'],
    ] as [MeshValue, string][]
  ) {
    assertEquals(JSON.stringify(toJson(each)), json);
    assertEquals(encode(parseValue(json, "VALUE")), encode(each));
  }
});

Deno.test("JSON that means nothing is refused by name", () => {
  for (
    const text of [
      "",
      "{",
      '{"$bytes":"xyz"}',
      '{"$int":"1.5"}',
      '{"$map":[1]}',
      '{"$tuple":1}',
      '{"$float":"x"}',
    ]
  ) assertThrows(() => parseValue(text, "VALUE"), { code: "USAGE" });
});

Deno.test("people see texts as they are, and bytes that are text", () => {
  assertEquals(display("hello"), "hello");
  assertEquals(
    display(new TextEncoder().encode("abc[owner:x]")),
    "abc[owner:x]",
  );
  assertEquals(display(Uint8Array.of(0)), '{"$bytes":"00"}');
  assert(display(new Map([["a", [1]]])).includes('{"a":[1]}'));
});
