import {
  concat,
  dhtId,
  type DhtRecord,
  encode,
  Float,
  generateIdentity,
  heartbeatSubkey,
  type Identity,
  type MeshValue,
  NO_SUBKEY,
  ownerMarker,
  SignatureValidator,
  signedBytes,
  Tuple,
} from "../../mod.ts";
import {
  decodeFind,
  encodeFound,
  encodeStore,
  METHODS,
} from "../../src/dht/wire.ts";
import { encodeFrame, FRAME } from "../../src/rpc/frames.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { libp2p, type Scene, underAttack } from "./scene.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const soon = () => Date.now() / 1_000 + 60;

/** A record, signed by its owner if its subkey names that one. */
function record(parts: {
  readonly key: MeshValue;
  readonly subkey?: MeshValue;
  readonly value: MeshValue | Uint8Array;
  readonly expiration?: number;
  readonly signer?: Identity;
}): DhtRecord {
  const plain = {
    key: dhtId(parts.key),
    subkey: parts.subkey === undefined ? NO_SUBKEY : encode(parts.subkey),
    value: encode(parts.value),
    expiration: parts.expiration ?? soon(),
  };
  if (parts.signer === undefined) return plain;
  return {
    ...plain,
    value: new SignatureValidator(parts.signer).signValue(plain),
  };
}

const stores = ({ metrics }: Scene, answer: string) =>
  metrics.get("meshnode_dht_stores_total", { answer });
const badRequests = ({ metrics }: Scene) =>
  metrics.get("meshnode_rpc_refused_total", { code: "RPC_BAD_REQUEST" });

/** Every eight bytes that are the float become another one. */
function withFloat(body: Uint8Array, float: number, other: number): Uint8Array {
  const view = (value: number) => {
    const out = new Uint8Array(8);
    new DataView(out.buffer).setFloat64(0, value);
    return out;
  };
  const at = body.toHex().indexOf(view(float).toHex()) / 2;
  assert(Number.isInteger(at) && at > 0);
  const out = body.slice();
  out.set(view(other), at);
  return out;
}

Deno.test(
  "attack: an expiration that is no number, endless, huge or past stores nothing",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, target } = scene;
      const hostile = await attack(staked);
      const held = target.status().records;
      const body = encodeStore([
        record({ key: "poison", value: 1, expiration: 1234.5 }),
      ]);
      for (const wrong of [NaN, Infinity, -Infinity]) {
        const answer = await hostile.store(withFloat(body, 1234.5, wrong));
        assert(String(answer).startsWith("RPC_BAD_REQUEST"), String(answer));
      }
      for (
        const [expiration, answer] of [
          [1e300, "too-long-lived"],
          [Number.MAX_VALUE, "too-long-lived"],
          [Date.now() / 1_000 + 8 * 24 * 3600, "too-long-lived"],
          [-1, "expired"],
          [-1e300, "expired"],
          [0, "expired"],
          [Date.now() / 1_000 - 10, "expired"],
        ] as const
      ) {
        assertEquals(
          await hostile.store([
            record({ key: "poison", value: 1, expiration }),
          ]),
          [answer],
          String(expiration),
        );
      }
      assertEquals(badRequests(scene), 3);
      assertEquals(stores(scene, "too-long-lived"), 3);
      assertEquals(stores(scene, "expired"), 4);
      assertEquals(await target.dht.get("poison"), undefined);
      // Expired records still go: nothing sticks at the front.
      await target.dht.store({
        key: "short",
        value: 1,
        expiration: Date.now() / 1_000 + 1,
      });
      await eventually(
        async () => await target.dht.get("short") === undefined,
        () => "the record lives on",
      );
      assert(target.status().records <= held + 60, "records piled up");
    }),
);

Deno.test(
  "attack: records under another's name, two names or a forged signature are refused",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, friend } = scene;
      const hostile = await attack(staked);
      const other = generateIdentity();
      const own = concat(bytes(staked.peerId), ownerMarker(staked.openSsh));
      const theirs = concat(bytes(other.peerId), ownerMarker(other.openSsh));
      const signature = (of: Identity, signed: DhtRecord) =>
        bytes(`[signature:${of.sign(signedBytes(signed)).toBase64()}]`);
      const key = "owned";
      const plain = record({ key, subkey: own, value: "mine" });
      const spoilt: Record<string, DhtRecord> = {
        "another's, unsigned": record({ key, subkey: theirs, value: 1 }),
        "another's, signed by us": (() => {
          const of = record({ key, subkey: theirs, value: 1 });
          return { ...of, value: concat(of.value, signature(staked, of)) };
        })(),
        "two owners": record({
          key,
          subkey: concat(own, ownerMarker(other.openSsh)),
          value: 1,
          signer: staked,
        }),
        "no key": record({
          key,
          subkey: bytes("x[owner:ssh-ed25519 AAAA]"),
          value: 1,
        }),
        "a weak key": record({
          key,
          subkey: bytes(
            `[owner:ssh-ed25519 ${
              concat(
                Uint8Array.fromHex("0000000b"),
                bytes("ssh-ed25519"),
                Uint8Array.fromHex("00000020" + "01" + "00".repeat(31)),
              ).toBase64()
            }]`,
          ),
          value: concat(
            bytes("[signature:"),
            bytes(
              concat(
                Uint8Array.fromHex("01" + "00".repeat(31)),
                new Uint8Array(32),
              ).toBase64(),
            ),
            bytes("]"),
          ),
        }),
        "two signatures": {
          ...plain,
          value: concat(
            plain.value,
            signature(staked, plain),
            signature(staked, plain),
          ),
        },
        "a marker in the value": (() => {
          const of = record({
            key,
            subkey: own,
            value: `[signature:${"A".repeat(86)}==]`,
          });
          return { ...of, value: concat(of.value, signature(staked, of)) };
        })(),
        "a later expiration": {
          ...plain,
          value: concat(plain.value, signature(staked, plain)),
          expiration: plain.expiration + 1,
        },
        "another key": {
          ...plain,
          key: dhtId("elsewhere"),
          value: concat(plain.value, signature(staked, plain)),
        },
      };
      for (const [what, each] of Object.entries(spoilt)) {
        assertEquals(await hostile.store([each]), ["refused"], what);
      }
      assertEquals(stores(scene, "refused"), Object.keys(spoilt).length);
      // One bad record spoils none beside it.
      const good = record({ key, subkey: own, value: "mine", signer: staked });
      assertEquals(
        await hostile.store([spoilt["two owners"] as DhtRecord, good]),
        ["refused", "stored"],
      );
      const found = await friend.dht.get(key);
      assert(found?.kind === "dictionary");
      assertEquals(found.entries.map(({ value }) => value), ["mine"]);
    }),
);

Deno.test(
  "attack: bodies that are deep, broken or lie about their length are refused, and the stream goes on",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked } = scene;
      const hostile = await attack(staked);
      const deep = (code: number, levels: number) =>
        new Uint8Array(levels).fill(code);
      const good = encodeStore([record({ key: "k", value: 1 })]);
      const bodies = [
        deep(0x91, 1_000_000),
        deep(0x81, 100_000),
        // An extension in an extension, and so on.
        concat(...Array(1_000).fill(Uint8Array.of(0xd4, 0x40))),
        // Four thousand million items, bytes and characters.
        Uint8Array.of(0xdd, 255, 255, 255, 255),
        Uint8Array.of(0xdf, 255, 255, 255, 255),
        Uint8Array.of(0xc6, 255, 255, 255, 255),
        Uint8Array.of(0xdb, 255, 255, 255, 255),
        Uint8Array.of(0xc1),
        new Uint8Array(),
        good.subarray(0, good.length - 1),
        concat(good, Uint8Array.of(0)),
        encode(Array(257).fill(null)),
        encode([[dhtId("k"), encode(null), encode(1), 5]]),
        encode([[new Uint8Array(21), encode(null), encode(1), new Float(5)]]),
      ];
      const stream = await hostile.open();
      for (const body of bodies) {
        for (const method of [METHODS.store, METHODS.find]) {
          await stream.write(hostile.frame(hostile.request(method, body)));
          const answer = await stream.answer();
          assert(answer.startsWith("RPC_BAD_REQUEST"), answer);
        }
      }
      assertEquals(badRequests(scene), 2 * bodies.length);
      await stream.write(hostile.frame(hostile.request(METHODS.ping)));
      assertEquals(await stream.answer(), "ok");
    }),
);

Deno.test(
  "attack: a replica that forges, dates ahead and repeats spoils no read",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, target, friend, metrics } = scene;
      const subkey = concat(bytes("x"), ownerMarker(friend.identity.openSsh));
      await friend.dht.store({
        key: "place",
        subkey,
        value: "true",
        expiration: soon(),
      });
      const forged = (value: MeshValue, expiration: number) =>
        record({ key: "place", subkey, value, expiration, signer: staked });
      const far = Date.now() / 1_000 + 1e9;
      const lies = [
        // A dictionary as one value, with an end of its own that nobody signed.
        {
          ...record({ key: "place", value: 1 }),
          value: Uint8Array.fromHex(
            "c7235093cb7ff0000000000000cb41d954fc400000009193a161c40178" +
              "cb41d954fc40000000",
          ),
          expiration: far,
        },
        record({ key: "place", value: "plain, and for ever", expiration: far }),
        forged("false", soon() + 5),
        forged("false and for ever", far),
        record({ key: "place", subkey: "other", value: 1, expiration: far }),
      ];
      const hostile = await attack(staked);
      let asked = 0;
      await hostile.serve(async (stream) => {
        for (;;) {
          const request = await stream.frame();
          if (request === undefined) return;
          if (request.method !== METHODS.find) continue;
          asked++;
          const queries = decodeFind(request.body);
          const body = encodeFound(queries.map(() => lies));
          const auth = hostile.signer.signResponse({
            ...{ request: request.auth, peer: target.peerId },
            ...{ kind: FRAME.result, sequence: 0, body },
          });
          await stream.write(
            encodeFrame(FRAME.result, request.call, { auth, body }),
          );
        }
      });
      await eventually(
        () => target.members().includes(staked.peerId),
        () => "the hostile replica is not asked",
      );
      await eventually(
        async () => {
          const found = await target.dht.latest("place");
          assert(found?.kind === "dictionary", JSON.stringify(found));
          assertEquals(found.entries.map(({ value }) => value), ["true"]);
          return asked > 0;
        },
        () => "the hostile replica was never asked",
      );
      assert(metrics.get("meshnode_dht_invalid_records_total") > 0);
      // Nothing of it was taken over by a read, either.
      await hostile.stop();
      const found = await target.dht.latest("place");
      assert(found?.kind === "dictionary");
      assertEquals(found.entries.length, 1);
    }),
);

Deno.test(
  "attack: poisoned heartbeats are skipped, and nothing hides the others",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, target, friend, metrics } = scene;
      const hostile = await attack(staked);
      const alive = async () =>
        (await target.directory.read()).map(({ peerId }) => peerId);
      const honest = [target.peerId, friend.peerId].sort();
      await eventually(
        async () => (await alive()).length >= 2,
        () => "heartbeats are missing",
      );
      let expiration = soon();
      const beat = (value: MeshValue) =>
        record({
          key: "node",
          subkey: heartbeatSubkey(staked),
          value,
          expiration: expiration += 0.01,
          signer: staked,
        });
      const extra = new Map<MeshValue, MeshValue>();
      for (
        const value of [
          null,
          "text",
          9,
          new Map(),
          new Tuple([9, "validator", new Float(1), extra]),
          new Tuple([2, "validator", new Float(1)]),
          new Tuple([2, 7, new Float(1), extra]),
          new Tuple([2, "validator", new Float(-1), extra]),
          new Tuple([2, "x".repeat(20_000), new Float(1), extra]),
          new Tuple([
            2,
            "validator",
            new Float(1),
            new Map<MeshValue, MeshValue>([["next_pings", "none"]]),
          ]),
        ]
      ) {
        await hostile.store([beat(value)]);
        const seen = await alive();
        assert(honest.every((peer) => seen.includes(peer)), String(seen));
      }
      assert(
        metrics.get("meshnode_heartbeat_malformed_total") +
            stores(scene, "refused") > 0,
      );
      // One plain record with a late end would hide every heartbeat.
      const hiding = record({
        key: "node",
        value: 1,
        expiration: soon() + 3_600,
      });
      assertEquals(await hostile.store([hiding]), ["refused"]);
      const huge = beat("x".repeat(100_000));
      assertEquals(await hostile.store([huge]), ["refused"]);
      // The heartbeat of another peer, however it is written.
      const other = generateIdentity();
      for (
        const subkey of [
          concat(bytes(target.peerId), ownerMarker(staked.openSsh)),
          concat(bytes(other.peerId), ownerMarker(other.openSsh)),
          bytes(target.peerId),
        ]
      ) {
        const stolen = record({
          ...{ key: "node", subkey, value: 1, signer: staked },
        });
        assertEquals(await hostile.store([stolen]), ["refused"]);
      }
      assertEquals(
        (await alive()).filter((peer) => honest.includes(peer)).sort(),
        honest,
      );
    }),
);

Deno.test(
  "attack: repeating another's heartbeats uses nothing of its quota up",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, friend, target } = scene;
      const hostile = await attack(staked);
      const now = Date.now() / 1_000;
      const beat = (expiration: number, value: MeshValue) =>
        record({
          key: "node",
          subkey: heartbeatSubkey(friend.identity),
          value: value,
          signer: friend.identity,
          expiration,
        });
      // Old ones, and one that is still good, again and again.
      const extra = new Map<MeshValue, MeshValue>();
      const info = new Tuple([2, "validator", new Float(1), extra]);
      const expired = beat(now - 100, info);
      const good = beat(now + 30, info);
      for (let i = 0; i < 30; i++) {
        const answers = await hostile.store(
          Array.from({ length: 8 }, (_, j) => j % 2 === 0 ? expired : good),
        );
        assert(Array.isArray(answers), String(answers));
        assertEquals(
          answers.filter((answer) => answer === "expired").length,
          4,
        );
      }
      // The friend's own heartbeat is taken as before.
      const { replicas } = await friend.dht.store({
        key: "node",
        subkey: heartbeatSubkey(friend.identity),
        value: info,
        expiration: now + 90,
      });
      const answer = replicas.find(({ peerId }) => peerId === target.peerId);
      assertEquals(answer?.outcome, "stored");
    }),
);
