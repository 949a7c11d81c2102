import {
  decodeDictionary,
  DecodeError,
  encode,
  encodeDictionary,
  fromHex,
  toHex,
} from "../../mod.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("a dictionary has the reference's bytes, and comes back from them", () => {
  const items = [
    { subkey: encode("a"), value: bytes("x"), expiration: 1700000000.0 },
  ];
  const golden =
    "c7235093cb7ff0000000000000cb41d954fc400000009193a161c40178cb41d954fc40000000";
  assertEquals(toHex(encodeDictionary(items)), golden);
  assertEquals(decodeDictionary(fromHex(golden)), items);
});

Deno.test("damaged dictionaries are refused, also in every truncation", () => {
  const good = fromHex(
    "c7235093cb7ff0000000000000cb41d954fc400000009193a161c40178cb41d954fc40000000",
  );
  for (let length = 0; length < good.length; length++) {
    assertThrows(() => decodeDictionary(good.slice(0, length)), DecodeError);
  }
  const endless = good.slice();
  endless.set(fromHex("7ff0000000000000"), good.length - 8);
  assertThrows(() => decodeDictionary(endless), DecodeError);
  assertThrows(() => decodeDictionary(encode("text")), DecodeError);
});
