import {
  commitment,
  commitRevealRules,
  CompositeValidator,
  concat,
  decode,
  dhtId,
  encode,
  Float,
  identityFromSeed,
  type MeshValue,
  ownedSubkey,
  parseReveal,
  recordOwner,
  revealValue,
  RulesValidator,
  SchemaValidator,
  SignatureValidator,
  Tuple,
} from "../../../mod.ts";
import {
  parseServerInfo,
  serverInfoValue,
} from "../../../src/heartbeat/mod.ts";
import {
  decodeDictionary,
  encodeDictionary,
} from "../../../src/records/dictionary.ts";
import { z } from "zod";
import type { Target } from "../engine.ts";

const identity = identityFromSeed(new Uint8Array(32).fill(3));
const NOW = 1_700_000_000;
const values: MeshValue[] = [
  null,
  true,
  -1,
  2 ** 40,
  2n ** 60n,
  1.5,
  new Float(3),
  "text",
  Uint8Array.of(1, 2, 3),
  new Tuple([1, new Tuple([])]),
  [[1], [2, ["a"]]],
  new Map<MeshValue, MeshValue>([["a", 1], [new Uint8Array(2), [null]]]),
];
const info = serverInfoValue({
  state: "online",
  role: "validator",
  throughput: 1,
  publicName: "name",
  version: "1.0.0",
  usingRelay: false,
  nextPings: new Map([["peer", 0.5]]),
  onlineSince: NOW,
});
const reveal = { salt: new Uint8Array(32), data: Uint8Array.of(1, 2) };

/** Records and what is in them. */
export function recordTargets(): Target[] {
  const subkey = encode(ownedSubkey(identity));
  return [
    {
      name: "values",
      samples: values.map(encode),
      // What decodes has a form again, and it is the same value.
      run: (bytes) => decode(encode(decode(bytes))),
    },
    {
      name: "dictionary",
      samples: [
        encodeDictionary(
          values.slice(0, 5).map((value, i) => ({
            subkey: encode(i),
            value: encode(value),
            expiration: NOW + i,
          })),
        ),
        encodeDictionary([]),
      ],
      run: decodeDictionary,
    },
    {
      name: "server-info",
      samples: [encode(info)],
      run: (bytes) => parseServerInfo(decode(bytes)),
    },
    {
      name: "reveal",
      samples: [encode(revealValue(reveal))],
      run: (bytes) => parseReveal(decode(bytes)),
    },
    {
      name: "subkey-owner",
      samples: [subkey, encode("text")],
      run: recordOwner,
    },
    ...["value", "subkey"].map((part) => validated(part as "value" | "subkey")),
  ];
}

/** All validators at once, with a record whose value or subkey was changed. */
function validated(part: "value" | "subkey"): Target {
  const rules = new CompositeValidator([
    new SignatureValidator(identity),
    new RulesValidator({
      rules: [...commitRevealRules(), { name: "rest", owned: false }],
      epochs: {
        now: () => ({ epoch: 7, elapsed: 6, length: 20, blockSeconds: 6 }),
      },
    }),
    new SchemaValidator({
      commit_epoch_7: { subkey: z.any(), value: z.instanceof(Uint8Array) },
    }),
  ]);
  const unsigned = {
    key: dhtId("commit_epoch_7"),
    subkey: encode(ownedSubkey(identity)),
    value: encode(commitment(7, identity.peerId, reveal)),
    expiration: Date.now() / 1_000 + 60,
  };
  const record = { ...unsigned, value: rules.signValue(unsigned) };
  return {
    name: `validators-${part}`,
    samples: [record[part], concat(record[part], Uint8Array.of(0))],
    slowness: 10,
    run: (bytes) => {
      const changed = { ...record, [part]: bytes };
      for (const type of ["post", "copy", "get"] as const) {
        rules.judge(changed, type, "sender");
      }
      rules.stripValue(changed);
    },
  };
}
