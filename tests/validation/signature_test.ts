import {
  CompositeValidator,
  dhtId,
  type DhtRecord,
  encode,
  Float,
  generateIdentity,
  identityFromSeed,
  type MeshValue,
  ownerMarker,
  PredicateValidator,
  SignatureValidator,
  signedBytes,
  Tuple,
} from "../../mod.ts";
import { concat } from "../../src/core/bytes.ts";
import { assert, assertEquals } from "../assert.ts";

const golden = identityFromSeed(Uint8Array.from({ length: 32 }, (_, i) => i));

function heartbeat(identity = golden): DhtRecord {
  return {
    key: dhtId("heartbeat"),
    subkey: encode(
      concat(
        new TextEncoder().encode(identity.peerId),
        ownerMarker(identity.openSsh),
      ),
    ),
    value: encode(
      new Tuple([
        2,
        "validator",
        new Float(1),
        new Map<string, MeshValue>([
          ["public_name", null],
          ["version", "1.0.0"],
          ["using_relay", false],
          ["next_pings", new Map([["x", new Float(0.5)]])],
        ]),
      ]),
    ),
    expiration: 1700000000.5,
  };
}

function signed(identity = golden): DhtRecord {
  const record = heartbeat(identity);
  return {
    ...record,
    value: new SignatureValidator(identity).signValue(record),
  };
}

Deno.test("a heartbeat's signed bytes and signature are the reference's", () => {
  const record = heartbeat();
  assertEquals(record.subkey.length, 142);
  assertEquals(record.subkey.subarray(0, 2).toHex(), "c48c");
  const hex = signedBytes(record).toHex();
  assert(hex.startsWith("c8010a4094c414a46d"));
  assert(hex.endsWith("cb41d954fc40200000"));
  assertEquals(
    new TextDecoder().decode(signed().value.subarray(record.value.length)),
    "[signature:hYV/pgkHWM5P7Kv8iEipgQUzvCyseGQGLP7D/pBmrsMOs/Tjlo/iUrH4nDbDwTMHIvWDFC6H7qmw8UUKEJjoCQ==]",
  );
});

for (const type of ["ed25519", "rsa"] as const) {
  Deno.test(`an ${type} owner's record passes for others and strips to its value`, () => {
    const record = signed(generateIdentity(type));
    const validator = new SignatureValidator(generateIdentity());
    assert(validator.validate(record, "post"));
    assertEquals(validator.stripValue(record), heartbeat().value);
  });
}

Deno.test("a changed key, subkey, value or expiration fails", () => {
  const validator = new SignatureValidator(generateIdentity());
  const record = signed();
  const changed: DhtRecord[] = [
    { ...record, key: dhtId("node") },
    { ...record, subkey: concat(record.subkey, new Uint8Array(1)) },
    { ...record, value: concat(Uint8Array.of(1), record.value) },
    { ...record, expiration: record.expiration + 1 },
    { ...record, expiration: NaN },
  ];
  for (const record of changed) assert(!validator.validate(record, "get"));
});

Deno.test("a missing, repeated, garbled or foreign signature fails", () => {
  const validator = new SignatureValidator(generateIdentity());
  const record = heartbeat();
  const bytes = (text: string) => new TextEncoder().encode(text);
  const foreign = identityFromSeed(new Uint8Array(32)).sign(
    signedBytes(record),
  );
  for (
    const value of [
      record.value,
      concat(signed().value, bytes("[signature:AAAA]")),
      concat(record.value, bytes("[signature:!]")),
      concat(record.value, bytes(`[signature:${foreign.toBase64()}]`)),
    ]
  ) {
    assert(!validator.validate({ ...record, value }, "post"));
  }
});

Deno.test("an owner that is no key, or a second owner, fails without an error", () => {
  const validator = new SignatureValidator(golden);
  for (const other of ["ssh-rsa AAAA", "x", generateIdentity().openSsh]) {
    const record = signed();
    const subkey = concat(record.subkey, ownerMarker(other));
    assert(!validator.validate({ ...record, subkey }, "post"));
    const alone = { ...record, subkey: ownerMarker(other) };
    assert(!validator.validate(alone, "post"));
  }
});

Deno.test("records without an owner pass, and keep text that looks like a signature", () => {
  const validator = new SignatureValidator(golden);
  const value = new TextEncoder().encode("[signature:x]");
  const record = { ...heartbeat(), subkey: encode("a"), value };
  assert(validator.validate(record, "post"));
  assertEquals(validator.stripValue(record), value);
  assertEquals(validator.signValue(record), value);
});

Deno.test("a composite strips the signature before the predicate looks, and has one signature only", () => {
  const seen: Uint8Array[] = [];
  const predicate = new PredicateValidator((record) => {
    seen.push(record.value);
    return true;
  });
  const composite = new CompositeValidator([
    new SignatureValidator(golden),
    predicate,
    new SignatureValidator(golden),
  ]);
  assertEquals(composite.validators.map((v) => v.priority), [9, 10]);
  const record = heartbeat();
  const value = composite.signValue(record);
  assertEquals(value, signed().value);
  assert(composite.validate({ ...record, value }, "post"));
  assertEquals(seen, [record.value]);
  assertEquals(composite.stripValue({ ...record, value }), record.value);
});

Deno.test("a predicate that refuses or throws refuses the record", () => {
  const refusing = new PredicateValidator(() => true, () => false);
  const throwing = new PredicateValidator(() => {
    throw new Error("a builder's mistake");
  });
  assert(!refusing.validate(heartbeat(), "post"));
  assert(!throwing.validate(heartbeat(), "post"));
});
