import { jsonText } from "../../src/cli/json.ts";
import { assertEquals } from "../assert.ts";

Deno.test("amounts are texts, bytes are hex, maps are objects", () => {
  assertEquals(
    jsonText({
      amount: 2n ** 70n,
      bytes: Uint8Array.of(0, 255),
      map: new Map([["a", 1n]]),
      set: new Set([1, 2]),
      none: undefined,
      list: [1n],
    }),
    '{"amount":"1180591620717411303424","bytes":"0x00ff","map":{"a":"1"},' +
      '"set":[1,2],"list":["1"]}',
  );
});
