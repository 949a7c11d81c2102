import { encode, generateIdentity, SignatureValidator } from "../../mod.ts";
import { Verified } from "../../src/validation/verified.ts";
import { assert, assertEquals, assertNotEquals } from "../assert.ts";

Deno.test("a record that was verified once is no key to any other", () => {
  const identity = generateIdentity();
  const validator = new SignatureValidator(identity);
  const record = {
    key: new Uint8Array(20),
    subkey: encode(validator.ownerMarker),
    value: encode("value"),
    expiration: 1_000.5,
  };
  const value = validator.signValue(record);
  for (let i = 0; i < 3; i++) {
    assert(validator.validate({ ...record, value }, "get"));
    assert(!validator.validate({ ...record, value, expiration: 1_001 }, "get"));
    const other = new Uint8Array(20).fill(1);
    assert(!validator.validate({ ...record, value, key: other }, "get"));
    const changed = value.map((byte, at) => at === 1 ? byte ^ 1 : byte);
    assert(!validator.validate({ ...record, value: changed }, "get"));
  }
});

Deno.test("signer, signature and message are told apart wherever they meet", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  assertNotEquals(
    Verified.nameOf("a", bytes(2, 3), bytes(1)),
    Verified.nameOf("a", bytes(3), bytes(1, 2)),
  );
  assertNotEquals(
    Verified.nameOf("a", bytes(1), bytes(1)),
    Verified.nameOf("b", bytes(1), bytes(1)),
  );
});

Deno.test("what was verified is remembered for a while, and within bounds", () => {
  const verified = new Verified(100);
  for (let i = 0; i < 150; i++) verified.add(`${i}`);
  assert(verified.has("149") && verified.has("60"));
  for (let i = 150; i < 10_000; i++) verified.add(`${i}`);
  const kept = Array.from({ length: 10_000 }, (_, i) => verified.has(`${i}`));
  const count = kept.filter((each) => each).length;
  assert(count <= 300, `${count} kept`);
  assertEquals(kept[9_999], true);
});
