import { toHex } from "../core/bytes.ts";
import { MeshError } from "../core/errors.ts";
import { loggerOf } from "../core/log.ts";
import { dhtId } from "../records/dht_id.ts";

import { type DhtRecord, isPlain } from "../records/record.ts";
import { presentations, same } from "./schema_values.ts";
import { isTombstone } from "../records/tombstone.ts";
import type { RecordValidator, ValidationType } from "./validator.ts";

/** What a schema says of a value. */
export type SchemaResult =
  | {
    /** The value, as the schema gives it on. */
    readonly value: unknown;
    /** Absent when the value matches. */
    readonly issues?: undefined;
  }
  | {
    /** Why the value does not match. */
    readonly issues: readonly unknown[];
  };

/**
 * A schema of any library that speaks Standard Schema, such as zod or valibot:
 * what is used of a `StandardSchemaV1`.
 */
export interface AnySchema {
  /** What all of them have in common. */
  readonly "~standard": {
    /** Of Standard Schema. */
    readonly version: 1;
    /** The library. */
    readonly vendor: string;
    /** Judges a value. */
    readonly validate: (
      value: unknown,
    ) => SchemaResult | Promise<SchemaResult>;
  };
}

/** The schema of a field whose records have subkeys. */
export interface DictionarySchema {
  /** Of every subkey. */
  readonly subkey: AnySchema;
  /** Of every value. */
  readonly value: AnySchema;
}

/** A field's records: one value, or a value per subkey. */
export type FieldSchema = AnySchema | DictionarySchema;

/** Options of {@linkcode SchemaValidator}. */
export interface SchemaOptions {
  /** Put in front of every field's name, with `_`, to make its key. */
  readonly prefix?: string;
  /** Whether records under other keys are accepted; true by default. */
  readonly allowExtraKeys?: boolean;
}

/** The error for a schema whose answer has to be waited for. */
export class AsyncSchemaError extends MeshError {
  /** Names the field. */
  constructor(field: string) {
    super(
      "SCHEMA_ASYNC",
      `The schema of the field "${field}" answers with a promise.`,
      {
        hint: "Use a schema without asynchronous checks: " +
          "records are judged at once.",
      },
    );
    this.name = "AsyncSchemaError";
  }
}

/** Values of every kind, to find schemas that answer with a promise at once. */
const PROBES = [undefined, null, true, 0, 1.5, "", "a", new Uint8Array(1), []];

interface Field {
  readonly name: string;
  readonly schema: FieldSchema;
}

/**
 * Accepts records that match a schema, without converting anything: a schema
 * that would change a value refuses it, and the float 3.0 is no integer.
 *
 * Schemas see arrays for lists and tuples, objects for maps whose keys are all
 * texts, `Map` for other maps, `Uint8Array` for bytes, and `bigint` for
 * integers beyond 2^53. Of several merged validators one has to match. An owner
 * may delete what a schema is for.
 */
export class SchemaValidator implements RecordValidator {
  /** The innermost: it sees what the writer meant. */
  readonly priority = 0;
  readonly #fields = new Map<string, Field[]>();
  readonly #log = loggerOf("validation");
  #allowExtraKeys: boolean;

  /**
   * Knows the fields' schemas by the fields' names.
   *
   * @throws {AsyncSchemaError} for a schema that answers with a promise.
   */
  constructor(
    fields: Readonly<Record<string, FieldSchema>>,
    options: SchemaOptions = {},
  ) {
    const { prefix, allowExtraKeys = true } = options;
    this.#allowExtraKeys = allowExtraKeys;
    for (const [name, schema] of Object.entries(fields)) {
      for (const each of partsOf(schema)) {
        for (const probe of PROBES) matches(name, each, probe);
      }
      const key = prefix === undefined ? name : `${prefix}_${name}`;
      this.#fields.set(toHex(dhtId(key)), [{ name, schema }]);
    }
  }

  /**
   * Whether one of the schemas of the record's key matches it.
   *
   * @throws {AsyncSchemaError} when a schema answers with a promise.
   */
  validate(record: DhtRecord, _type: ValidationType): boolean {
    const fields = this.#fields.get(toHex(record.key));
    if (fields === undefined) return this.#allowExtraKeys;
    try {
      return fields.some((field) => fits(field, record));
    } catch (error) {
      this.#log.error("A record cannot be judged by its schema: {error}", {
        error,
      });
      throw error;
    }
  }

  /** Schemas add nothing. */
  signValue(record: DhtRecord): Uint8Array {
    return record.value;
  }

  /** Schemas add nothing. */
  stripValue(record: DhtRecord): Uint8Array {
    return record.value;
  }

  /** Takes the other's schemas over: one of all has to match. */
  mergeWith(other: RecordValidator): boolean {
    if (!(other instanceof SchemaValidator)) return false;
    for (const [key, fields] of other.#fields) {
      this.#fields.set(key, [...this.#fields.get(key) ?? [], ...fields]);
    }
    this.#allowExtraKeys ||= other.#allowExtraKeys;
    return true;
  }
}

function partsOf(schema: FieldSchema): readonly AnySchema[] {
  return "~standard" in schema ? [schema] : [schema.subkey, schema.value];
}

function fits({ name, schema }: Field, record: DhtRecord): boolean {
  const matchesAll = (part: AnySchema, bytes: Uint8Array): boolean => {
    const seen = presentations(bytes);
    return seen !== undefined && matches(name, part, seen.plain) &&
      (seen.floats.length === 0 ||
        seen.floats.some((value) => matches(name, part, value)));
  };
  const deletes = isTombstone(record);
  if (isPlain(record)) {
    if (!("~standard" in schema)) return false;
    if (deletes) return true;
    // A map would look like the values of many subkeys.
    return presentations(record.value)?.isMap === false &&
      matchesAll(schema, record.value);
  }
  return !("~standard" in schema) &&
    matchesAll(schema.subkey, record.subkey) &&
    (deletes || matchesAll(schema.value, record.value));
}

/** Whether a schema takes a value as it is. */
function matches(name: string, schema: AnySchema, value: unknown): boolean {
  let result: SchemaResult | Promise<SchemaResult>;
  try {
    result = schema["~standard"].validate(value);
  } catch {
    return false;
  }
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new AsyncSchemaError(name);
  }
  return result.issues === undefined && same(result.value, value);
}
