import { MeshError } from "../../core/errors.ts";
import { dhtId } from "../../records/dht_id.ts";
import { type DhtRecord, NO_SUBKEY } from "../../records/record.ts";
import { encode } from "../../records/serializer.ts";
import type { MeshValue } from "../../records/values.ts";
import type { RecordValidator } from "../../validation/validator.ts";
import type { StoreRequest } from "../types.ts";
import { WIRE_LIMITS } from "../wire.ts";

/** The serialized form of a subkey, of none as well. */
export function subkeyBytes(subkey: MeshValue | undefined): Uint8Array {
  return subkey === undefined ? NO_SUBKEY : encode(subkey);
}

/** The record that a request asks for, signed if it is ours. @throws {MeshError} `RECORD_TOO_LARGE` */
export function recordOf(
  request: StoreRequest,
  validator: RecordValidator,
): DhtRecord {
  return signed({
    key: dhtId(request.key),
    subkey: subkeyBytes(request.subkey),
    value: encode(request.value),
    expiration: request.expiration,
  }, validator);
}

/** A record as it travels. @throws {MeshError} `RECORD_TOO_LARGE` */
export function signed(
  record: DhtRecord,
  validator: RecordValidator,
): DhtRecord {
  const value = validator.signValue(record);
  if (
    value.length > WIRE_LIMITS.valueBytes ||
    record.subkey.length > WIRE_LIMITS.subkeyBytes
  ) {
    throw new MeshError(
      "RECORD_TOO_LARGE",
      `A value of ${value.length} bytes under a subkey of ` +
        `${record.subkey.length} bytes is too large.`,
      {
        hint: `The most are ${WIRE_LIMITS.valueBytes} and ` +
          `${WIRE_LIMITS.subkeyBytes} bytes; split the value.`,
      },
    );
  }
  return { ...record, value };
}
