import {
  decode,
  DecodeError,
  dhtId,
  encode,
  EncodeError,
  Float,
  type MeshValue,
  Tuple,
} from "../../mod.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex);

Deno.test("keys have the reference's places in the key space", () => {
  assertEquals(
    dhtId("heartbeat").toHex(),
    "a46d6b70223dbc8c5e40bcdbd435a6f35f7ab7b5",
  );
  assertEquals(
    dhtId("commit_epoch_7").toHex(),
    "c4b6f0594acafe4fde2892f5573cc7119b4ede29",
  );
});

Deno.test("values have the reference's bytes, floats as float64 also when integral", () => {
  const info = new Tuple([
    2,
    "validator",
    new Float(1),
    new Map<MeshValue, MeshValue>([
      ["public_name", null],
      ["version", "1.0.0"],
      ["using_relay", false],
      ["next_pings", new Map([["x", new Float(0.5)]])],
    ]),
  ]);
  assertEquals(
    encode(info).toHex(),
    "c755409402a976616c696461746f72cb3ff000000000000084ab7075626c69635f6e616d65c0a776657273696f6ea5312e302e30ab7573696e675f72656c6179c2aa6e6578745f70696e677381a178cb3fe0000000000000",
  );
  assertEquals(encode(new Tuple([1])).toHex(), "d5409101");
  assertEquals(encode(null).toHex(), "c0");
});

Deno.test("every value survives its serialized form", () => {
  const edges = [0, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32];
  const values: MeshValue[] = [
    ...edges,
    ...edges.map((n) => -n - 1),
    2n ** 64n - 1n,
    -(2n ** 63n),
    0.1,
    true,
    "",
    "ü".repeat(300),
    "x".repeat(70_000),
    new Uint8Array(0),
    new Uint8Array(70_000),
    [],
    Array.from({ length: 20 }, (_, i) => i),
    new Tuple([]),
    new Tuple([new Tuple(["a"]), [1.5]]),
    new Map<MeshValue, MeshValue>([["__proto__", 1], [2, new Map()]]),
  ];
  for (const value of values) assertEquals(decode(encode(value)), value);
});

Deno.test("hostile bytes are refused with a typed error", () => {
  const cases: Record<string, Uint8Array> = {
    "nothing": bytes(""),
    "a cut-off value": bytes("cb3ff0"),
    "bytes after the value": bytes("c0c0"),
    "an unassigned code": bytes("c1"),
    "a foreign extension": bytes("d44101"),
    "a tuple that is no array": bytes("d44001"),
    "a tuple with a tail": bytes("d5409001"),
    "not a number": bytes("cb7ff8000000000000"),
    "infinity": bytes("cb7ff0000000000000"),
    "a huge announced array": bytes("ddffffffff"),
    "a huge announced text": bytes("dbffffffff"),
    "a repeated key": bytes("82a16101a16102"),
    "bad UTF-8": bytes("a1ff"),
    "deep nesting": new Uint8Array(100_000).fill(0x91),
    "too many items": new Uint8Array(70_000).fill(0xc0),
    "too many bytes": new Uint8Array(5 * 1024 * 1024),
  };
  cases["too many items"]?.set(bytes("dd00011000"));
  for (const [what, input] of Object.entries(cases)) {
    assertThrows(() => decode(input), DecodeError, what);
  }
});

Deno.test("values without a serialized form are refused", () => {
  let deep: MeshValue = [];
  for (let i = 0; i < 40; i++) deep = [deep];
  const floats = [NaN, Infinity, -Infinity].map((value) => new Float(value));
  for (const value of [NaN, Infinity, 2n ** 64n, "\ud800", deep, ...floats]) {
    assertThrows(() => encode(value), EncodeError);
    assertThrows(() => encode(new Tuple([value])), EncodeError);
  }
});
