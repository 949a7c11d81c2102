import fc from "fast-check";
import {
  decodeGreeting,
  encodeGreeting,
  MAX_GREETING,
} from "../../src/network/greeting.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const greetings = fc.record({
  introduces: fc.boolean(),
  member: fc.boolean(),
  asks: fc.boolean(),
  addresses: fc.array(fc.uint8Array({ maxLength: 255 }), { maxLength: 8 }),
}).map((each) => ({ ...each }));

Deno.test("greetings come back from their bytes, and what follows them is left", () => {
  fc.assert(fc.property(greetings, fc.uint8Array(), (greeting, rest) => {
    const bytes = encodeGreeting(greeting);
    assert(bytes.length <= MAX_GREETING);
    assertEquals(
      decodeGreeting(Uint8Array.of(...bytes, ...rest)),
      { greeting, rest },
    );
  }));
});

Deno.test("a greeting that is not whole yet is waited for", () => {
  const bytes = encodeGreeting({
    introduces: true,
    member: true,
    asks: false,
    addresses: [Uint8Array.of(1, 2, 3), Uint8Array.of(4)],
  });
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(decodeGreeting(bytes.subarray(0, length)), undefined);
  }
});

Deno.test("a greeting that can never be whole is refused with a typed error", () => {
  for (const bytes of [[8], [0xff, 0], [1, 9], [3, 255]]) {
    assertThrows(
      () => decodeGreeting(Uint8Array.from(bytes)),
      { code: "GREETING_INVALID" },
    );
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    try {
      decodeGreeting(bytes);
    } catch (error) {
      assertEquals((error as { code?: string }).code, "GREETING_INVALID");
    }
  }));
});

Deno.test("addresses beyond the bounds of a greeting are left out", () => {
  const bytes = encodeGreeting({
    introduces: true,
    member: false,
    asks: true,
    addresses: [new Uint8Array(256), ...Array(20).fill(Uint8Array.of(7))],
  });
  assertEquals(decodeGreeting(bytes)?.greeting.addresses.length, 8);
});
