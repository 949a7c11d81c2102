import {
  decodeDictionary,
  DecodeError,
  Dictionary,
  encode,
  encodeDictionary,
  fromHex,
  LocalStorage,
  NO_SUBKEY,
  type StorageBounds,
  toHex,
} from "../../mod.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const key = new Uint8Array(20).fill(1);

function setUp(bounds?: Partial<StorageBounds>) {
  const clock = { now: 100 };
  const storage = new LocalStorage(() => clock.now, bounds);
  const put = (
    value: string,
    expiration: number,
    subkey?: string,
    at = key,
  ) =>
    storage.store({
      key: at,
      subkey: subkey === undefined ? NO_SUBKEY : encode(subkey),
      value: bytes(value),
      expiration,
    });
  const held = () =>
    storage.find(key).map(({ value, expiration }) =>
      `${new TextDecoder().decode(value)}@${expiration}`
    );
  return { clock, storage, put, held };
}

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

Deno.test("a dictionary's expiration derives from its live items", () => {
  const clock = { now: 0 };
  const dictionary = new Dictionary(() => clock.now);
  dictionary.store({ subkey: encode("a"), value: bytes("x"), expiration: 10 });
  dictionary.store({ subkey: encode("b"), value: bytes("x"), expiration: 30 });
  assertEquals(dictionary.expiration, 30);
  clock.now = 31;
  assertEquals([dictionary.expiration, dictionary.size], [0, 0]);
});

Deno.test("each subkey keeps its newest value until it expires", () => {
  const { clock, storage, put, held } = setUp();
  put("a1", 110, "a");
  put("b1", 120, "b");
  assertEquals(put("a0", 105, "a"), "older");
  assertEquals(put("a2", 130, "a"), "stored");
  assertEquals(held().sort(), ["a2@130", "b1@120"]);
  clock.now = 125;
  assertEquals(held(), ["a2@130"]);
  assertEquals(storage.records, 1);
  assertEquals(storage.find(key, [encode("b")]), []);
});

Deno.test("plain records and dictionaries replace each other when they expire later", () => {
  const { put, held } = setUp();
  put("plain", 110);
  assertEquals(put("a", 110, "a"), "older");
  assertEquals(put("a", 111, "a"), "stored");
  assertEquals(put("plain", 111), "older");
  assertEquals(put("plain", 112), "stored");
  assertEquals(held(), ["plain@112"]);
});

Deno.test("equal expirations are decided by the bytes, whatever comes first", () => {
  for (const order of [["x", "y"], ["y", "x"]]) {
    for (const subkey of [undefined, "a"]) {
      const { put, held } = setUp();
      for (const value of order) put(value, 110, subkey);
      assertEquals(held(), ["y@110"]);
      assertEquals(put("y", 110, subkey), "older", "the same is not newer");
    }
  }
});

Deno.test("expired and endless records are refused", () => {
  const { put, held } = setUp();
  for (const bad of [NaN, Infinity, -Infinity, 99]) {
    assertEquals(put("x", bad), "expired");
    assertEquals(put("x", bad, "a"), "expired");
  }
  assertEquals(held(), []);
});

Deno.test("what was read cannot write into the storage", () => {
  const { storage, put, held } = setUp();
  put("a1", 110, "a");
  storage.find(key).pop();
  Object.assign(storage.find(key)[0] ?? {}, { expiration: 500 });
  assertEquals(held(), ["a1@110"]);
});

Deno.test("a full storage refuses, and has room again once records expire", () => {
  const { clock, put } = setUp({ keys: 2, subkeys: 2, bytes: 10_000 });
  const other = (n: number) => new Uint8Array(20).fill(n);
  put("x", 110, "a");
  put("x", 110, "b");
  assertEquals(put("x", 110, "c"), "full");
  assertEquals(put("y", 120, "b"), "stored", "a known subkey may be renewed");
  put("x", 110, undefined, other(2));
  assertEquals(put("x", 110, undefined, other(3)), "full");
  assertEquals(put("x".repeat(10_000), 130, "a"), "full");
  clock.now = 115;
  assertEquals(put("x", 130, undefined, other(3)), "stored");
});
