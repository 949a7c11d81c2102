import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { z } from "zod";
import {
  type AnySchema,
  bytesMatching,
  bytesWithPublicKey,
  CompositeValidator,
  dhtId,
  type DhtRecord,
  encode,
  type FieldSchema,
  Float,
  identityFromSeed,
  type MeshValue,
  NO_SUBKEY,
  ownedSubkey,
  SchemaValidator,
  SignatureValidator,
  TOMBSTONE,
  Tuple,
} from "../../mod.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

function record(
  key: string,
  value: MeshValue,
  subkey?: MeshValue,
): DhtRecord {
  return {
    key: dhtId(key),
    subkey: subkey === undefined ? NO_SUBKEY : encode(subkey),
    value: encode(value),
    expiration: 1_000,
  };
}

/** Whether a plain value passes under a schema. */
function takes(schema: AnySchema, value: MeshValue): boolean {
  return new SchemaValidator({ field: schema })
    .validate(record("field", value), "post");
}

// Every schema of the specification's type is one of ours.
const standard = (schema: StandardSchemaV1<string>): AnySchema => schema;

const libraries: Record<string, Record<string, AnySchema>> = {
  zod: {
    integer: z.number().int(),
    float: z.number(),
    one: z.number().min(0).max(1),
    text: z.string(),
    large: z.bigint(),
    coercing: z.coerce.number(),
    trimming: z.string().trim(),
    person: z.object({ name: z.string(), age: z.number().int() }),
    list: z.array(z.number().int()),
    map: z.map(z.instanceof(Uint8Array), z.boolean()),
  },
  valibot: {
    integer: v.pipe(v.number(), v.integer()),
    float: v.number(),
    one: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
    text: v.string(),
    large: v.bigint(),
    coercing: v.pipe(v.unknown(), v.transform(Number)),
    trimming: v.pipe(v.string(), v.trim()),
    person: v.object({
      name: v.string(),
      age: v.pipe(v.number(), v.integer()),
    }),
    list: v.array(v.pipe(v.number(), v.integer())),
    map: v.map(v.instance(Uint8Array), v.boolean()),
  },
};

for (const [library, schemas] of Object.entries(libraries)) {
  const of = (name: string) => schemas[name] as AnySchema;

  Deno.test(`${library}: what matches passes, whatever its type`, () => {
    const bytes = Uint8Array.of(1, 2);
    const person = new Map<MeshValue, MeshValue>([["name", "a"], ["age", 3]]);
    const passes: [string, MeshValue][] = [
      ["integer", -3],
      ["float", 3],
      ["float", new Float(2.5)],
      ["float", new Float(3)],
      ["float", new Float(0)],
      ["one", new Float(1)],
      ["one", new Float(0)],
      ["text", "a"],
      ["large", 2n ** 60n],
      ["list", [1, 2, 3]],
      ["list", new Tuple([1, 2])],
    ];
    for (const [name, value] of passes) {
      assert(takes(of(name), value), `${name} takes ${value}`);
    }
    const inList = (schema: AnySchema, value: MeshValue) =>
      new SchemaValidator({ field: { subkey: of("text"), value: schema } })
        .validate(record("field", value, "subkey"), "get");
    assert(inList(of("person"), person));
    assert(inList(of("map"), new Map([[bytes, true]])));
  });

  Deno.test(`${library}: nothing is converted to make it fit`, () => {
    const refused: [string, MeshValue][] = [
      ["integer", new Float(3)],
      ["integer", "3"],
      ["integer", true],
      ["list", [1, new Float(2)]],
      ["one", new Float(1.5)],
      ["one", -1],
      ["float", "2.5"],
      ["text", 1],
      ["text", new TextEncoder().encode("a")],
      ["large", 1],
      ["coercing", "3"],
      ["trimming", " a "],
      ["text", null],
    ];
    for (const [name, value] of refused) {
      assert(!takes(of(name), value), `${name} refuses ${value}`);
    }
    assert(takes(of("coercing"), 3), "what needs no conversion passes");
    assert(takes(of("trimming"), "a"));
  });

  Deno.test(`${library}: a further key in a map is refused where it would be dropped`, () => {
    const value = new Map<MeshValue, MeshValue>([
      ["name", "a"],
      ["age", 3],
      ["more", 1],
    ]);
    const validator = new SchemaValidator({
      people: { subkey: of("text"), value: of("person") },
    });
    assert(!validator.validate(record("people", value, "x"), "post"));
  });
}

Deno.test("plain records and subkeys are told apart, and a plain map is refused", () => {
  const validator = new SchemaValidator({
    plain: z.string(),
    anything: z.any(),
    entries: { subkey: z.number().int(), value: z.string() },
  });
  const post = (made: DhtRecord) => validator.validate(made, "post");
  assert(post(record("plain", "a")));
  assert(takes(standard(v.string()), "a"));
  assert(!post(record("plain", "a", 1)), "a subkey under a plain field");
  assert(post(record("entries", "a", 1)));
  assert(!post(record("entries", "a")), "no subkey under a dictionary");
  assert(!post(record("entries", "a", "1")), "a subkey of another type");
  assert(!post(record("entries", 5, 1)));
  assert(post(record("anything", ["a"])));
  assert(!post(record("anything", new Map([["a", 1]]))));
  for (const deleted of [record("plain", 1), record("entries", 1, 1)]) {
    assert(post({ ...deleted, value: TOMBSTONE }), "an owner may delete it");
  }
  assert(!post({ ...record("entries", 1, "1"), value: TOMBSTONE }));
  const damaged = { ...record("anything", 1), value: Uint8Array.of(0xc1) };
  assert(!post(damaged));
});

Deno.test("keys of nobody's schema pass unless that is switched off, and a prefix is part of the key", () => {
  const fields = { name: z.string() };
  assert(new SchemaValidator(fields).validate(record("other", 1), "post"));
  const strict = new SchemaValidator(fields, {
    allowExtraKeys: false,
    prefix: "app",
  });
  assert(strict.validate(record("app_name", "a"), "post"));
  assert(!strict.validate(record("app_name", 1), "post"));
  assert(!strict.validate(record("name", "a"), "post"));
});

Deno.test("of merged schemas one has to match, and extra keys pass if one of them lets them", () => {
  const make = (schema: FieldSchema, allowExtraKeys: boolean) =>
    new SchemaValidator({ field: schema }, { allowExtraKeys });
  const texts = make(z.string(), false);
  const numbers = make(v.number(), false);
  const composite = new CompositeValidator([texts, numbers]);
  assertEquals(composite.validators.length, 1);
  const post = (value: MeshValue, key = "field") =>
    composite.validate(record(key, value), "post");
  assert(post("a") && post(1));
  assert(!post(true));
  assert(!post(1, "other"));
  assert(!numbers.validate(record("field", "a"), "post"), "it is unchanged");
  composite.add(make(z.boolean(), true));
  assert(post(true) && post(1, "other"));
});

Deno.test("a schema that answers with a promise is refused at construction, or where it first does", () => {
  const late = z.string().refine(() => Promise.resolve(true));
  for (
    const schema of [
      late,
      v.pipeAsync(v.string(), v.checkAsync(() => Promise.resolve(true))),
    ]
  ) {
    assertThrows(() => new SchemaValidator({ field: schema }), {
      code: "SCHEMA_ASYNC",
    });
  }
  const large = z.bigint().refine(async (n) => await n > 0);
  const validator = new SchemaValidator({ field: large });
  const value = 2n ** 60n;
  assert(!validator.validate(record("field", 4), "post"));
  assertThrows(() => validator.validate(record("field", value), "post"), {
    code: "SCHEMA_ASYNC",
  });
  const composite = new CompositeValidator([validator]);
  assert(!composite.validate(record("field", value), "post"), "no error");
});

Deno.test("bytes are matched byte by byte, and may have to name a public key", () => {
  const identity = identityFromSeed(new Uint8Array(32));
  const validator = new SchemaValidator({
    owned: { subkey: bytesWithPublicKey(), value: bytesMatching(/^\xff+$/g) },
  });
  const value = Uint8Array.of(0xff, 0xff);
  const post = (subkey: MeshValue, bytes = value) =>
    validator.validate(record("owned", bytes, subkey), "post");
  for (let i = 0; i < 3; i++) assert(post(ownedSubkey(identity)));
  assert(!post(new TextEncoder().encode(identity.peerId)));
  assert(!post(identity.openSsh));
  assert(!post(ownedSubkey(identity), Uint8Array.of(0xff, 0)));
});

Deno.test("the schema sees the value without its signature", () => {
  const identity = identityFromSeed(new Uint8Array(32));
  const composite = new CompositeValidator([
    new SchemaValidator({
      note: { subkey: bytesWithPublicKey(), value: z.string().max(4) },
    }),
    new SignatureValidator(identity),
  ]);
  for (const [text, passes] of [["note", true], ["notes", false]] as const) {
    const unsigned = record("note", text, ownedSubkey(identity));
    const signed = { ...unsigned, value: composite.signValue(unsigned) };
    assertEquals(composite.validate(signed, "post"), passes);
  }
});
