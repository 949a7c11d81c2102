import {
  commitKey,
  commitment,
  commitRevealRules,
  dhtId,
  type DhtRecord,
  encode,
  type Identity,
  type KeyRule,
  type MeshValue,
  ownedSubkey,
  type Reveal,
  revealKey,
  revealValue,
  SignatureValidator,
} from "../../mod.ts";
import { epochPosition } from "../../src/chain/epoch.ts";
import { assert, assertEquals } from "../assert.ts";
import { libp2p, type Scene, underAttack } from "./scene.ts";

/**
 * The rules of a chain's subnet, with windows as wide as the test takes, and a
 * kind of its own for the honest pair's work.
 */
const RULES: readonly KeyRule[] = [
  ...commitRevealRules().map((rule) => ({
    ...rule,
    window: { from: 0, to: 1 },
    tolerance: { early: 1_000, late: 1_000 },
  })),
  { name: "other", owned: false },
];

const made = (fill: number): Reveal => ({
  salt: new Uint8Array(32).fill(fill),
  data: Uint8Array.of(fill),
});
const expiration = () => Date.now() / 1_000 + 60;

/** A record of a peer under its own name, as it would store it. */
function owned(of: Identity, key: string, value: MeshValue): DhtRecord {
  const plain = {
    key: dhtId(key),
    subkey: encode(ownedSubkey(of)),
    value: encode(value),
    expiration: expiration(),
  };
  return { ...plain, value: new SignatureValidator(of).signValue(plain) };
}

async function presentEpoch({ chain }: Scene): Promise<number> {
  const view = await chain.view();
  const { epochLength } = await chain.constants();
  const slot = (await view.subnet(1))?.slot ?? 0;
  return epochPosition(view.block.number, slot, epochLength).epoch;
}

/** What the target answers an honest node that stores a record under its own name. */
async function storedBy(
  { friend, target }: Scene,
  key: string,
  value: MeshValue,
  until = expiration(),
): Promise<string | undefined> {
  const subkey = ownedSubkey(friend.identity);
  const { replicas } = await friend.dht.store({
    ...{ key, subkey, value, expiration: until },
  });
  return replicas.find(({ peerId }) => peerId === target.peerId)?.outcome;
}

const refused = ({ metrics }: Scene) =>
  metrics.get("meshnode_dht_stores_total", { answer: "refused" });

Deno.test(
  "attack: repeating another's commit and reveal uses nothing of its quota up, and changes nothing",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, friend, target } = scene;
      const hostile = await attack(staked);
      const epoch = await presentEpoch(scene);
      const commit = commitment(epoch, friend.peerId, made(1));
      const reveal = revealValue(made(1));
      for (
        const [key, value] of [
          [commitKey(epoch), commit],
          [revealKey(epoch), reveal],
        ] as const
      ) {
        // The attacker is there first, with what the owner signed.
        const seen = owned(friend.identity, key, value);
        for (let i = 0; i < 12; i++) {
          const answers = await hostile.store(Array(8).fill(seen));
          assertEquals(answers, Array(8).fill("stored"));
        }
        assertEquals(
          await storedBy(scene, key, value, seen.expiration),
          "stored",
        );
        // What is there stays the only one: no other signature opens it.
        const forged = owned(staked, key, value);
        assertEquals(
          await hostile.store([{ ...seen, value: forged.value }]),
          ["refused"],
        );
        const found = await target.dht.latest(key);
        assert(found?.kind === "dictionary", key);
        assertEquals(found.entries.map(({ value }) => value), [value]);
      }
      assertEquals(refused(scene), 2);
    }, { subnet: { rules: RULES } }),
);

Deno.test(
  "attack: a copied commit opens nothing, and a reveal that does not match its commit is refused",
  libp2p,
  () =>
    underAttack(async (scene) => {
      const { attack, staked, friend, target } = scene;
      const hostile = await attack(staked);
      const epoch = await presentEpoch(scene);
      const theirs = commitment(epoch, friend.peerId, made(1));
      const put = async (key: string, value: MeshValue) =>
        await hostile.store([owned(staked, key, value)]);
      assertEquals(
        await storedBy(scene, commitKey(epoch), theirs),
        "stored",
      );
      // No commit of its own yet: nothing to open.
      assertEquals(await put(revealKey(epoch), revealValue(made(1))), [
        "later",
      ]);
      // Nobody can tell a copied commit from another one until it is opened.
      assertEquals(await put(commitKey(epoch), theirs), ["stored"]);
      assertEquals(
        await storedBy(scene, revealKey(epoch), revealValue(made(1))),
        "stored",
      );
      // What the friend revealed, and something else, and another commit after it.
      for (const wrong of [made(1), made(2)]) {
        assertEquals(await put(revealKey(epoch), revealValue(wrong)), [
          "refused",
        ]);
      }
      const late = commitment(epoch, staked.peerId, made(1));
      assertEquals(await put(commitKey(epoch), late), ["refused"]);
      assertEquals(await put(revealKey(epoch), revealValue(made(1))), [
        "refused",
      ]);
      // The friend's own reveal in the attacker's name, and under its signature.
      const stolen = owned(friend.identity, revealKey(epoch), "x");
      assertEquals(
        await hostile.store([{
          ...owned(staked, revealKey(epoch), revealValue(made(1))),
          subkey: stolen.subkey,
        }]),
        ["refused"],
      );
      assertEquals(refused(scene), 5);
      const found = await target.dht.latest(revealKey(epoch));
      assert(found?.kind === "dictionary");
      assertEquals(found.entries.length, 1);
    }, { subnet: { rules: RULES } }),
);
