import {
  decode,
  encode,
  fromHex,
  type MeshValue,
  toHex,
  Tuple,
} from "../../mod.ts";
import { parseServerInfo, serverInfoValue } from "../../src/heartbeat/mod.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const GOLDEN =
  "c755409402a976616c696461746f72cb3ff000000000000084ab7075626c69635f6e616d65c0a776657273696f6ea5312e302e30ab7573696e675f72656c6179c2aa6e6578745f70696e677381a178cb3fe0000000000000";
const info = {
  state: "online",
  role: "validator",
  throughput: 1,
  publicName: undefined,
  version: "1.0.0",
  usingRelay: false,
  nextPings: new Map([["x", 0.5]]),
  onlineSince: undefined,
  offlineSince: undefined,
  before: undefined,
} as const;

Deno.test("ServerInfo has the reference's bytes, and comes back from them", () => {
  assertEquals(toHex(encode(serverInfoValue(info))), GOLDEN);
  assertEquals(parseServerInfo(decode(fromHex(GOLDEN))), info);
});

Deno.test("further keys are ignored, absent ones are absent", () => {
  const value = new Tuple([0, "", 0, new Map([["more", [1]]])]);
  assertEquals(parseServerInfo(value), {
    state: "offline",
    role: "",
    throughput: 0,
    publicName: undefined,
    version: undefined,
    usingRelay: undefined,
    nextPings: undefined,
    onlineSince: undefined,
    offlineSince: undefined,
    before: undefined,
  });
});

Deno.test("the times of coming and going are told besides", () => {
  for (const left of [false, true]) {
    const before = { since: 1, until: 2.5, left };
    const times = { ...info, onlineSince: 5, offlineSince: 7.5, before };
    const sent = decode(encode(serverInfoValue(times)));
    assertEquals(parseServerInfo(sent), times);
  }
});

Deno.test("anything else is refused with a typed error", () => {
  const map = (key: string, value: MeshValue) =>
    new Map<MeshValue, MeshValue>([[key, value]]);
  const bad: MeshValue[] = [
    null,
    "text",
    [2, "validator", 1, new Map()],
    new Tuple([]),
    new Tuple([9, "validator", 1, new Map()]),
    new Tuple(["2", "validator", 1, new Map()]),
    new Tuple([2, 5, 1, new Map()]),
    new Tuple([2, "x".repeat(257), 1, new Map()]),
    new Tuple([2, "validator", -1, new Map()]),
    new Tuple([2, "validator", "1", new Map()]),
    new Tuple([2, "validator", 1, []]),
    new Tuple([2, "validator", 1, map("version", 5)]),
    new Tuple([2, "validator", 1, map("using_relay", 1)]),
    new Tuple([2, "validator", 1, map("next_pings", [])]),
    new Tuple([2, "validator", 1, map("next_pings", map("x", -1))]),
    new Tuple([
      2,
      "validator",
      1,
      map("next_pings", new Map(Array.from({ length: 257 }, (_, i) => [i, 1]))),
    ]),
  ];
  for (const value of bad) {
    assertThrows(() => parseServerInfo(value), { code: "SERVER_INFO" });
  }
});
