import { createNode, type DhtRecord, encode } from "../../mod.ts";
import {
  decodeFound,
  decodeStoreAnswers,
  encodeFind,
  encodeStore,
} from "../../src/dht/wire.ts";
import { assert, assertEquals } from "../assert.ts";
import { eventually } from "../eventually.ts";
import { meshnode, Program, withFolder } from "./program.ts";

// libp2p keeps a BroadcastChannel and unreferenced timers of its own.
const libp2p = { sanitizeOps: false, sanitizeResources: false };

const ENOUGH = 400;

Deno.test(
  "a node killed while storing serves every record that it acknowledged, once started again",
  libp2p,
  () =>
    withFolder(async (folder) => {
      const identity = `${folder}/identity.key`;
      await meshnode("key", "generate", "--output", identity);
      const client = await createNode({ heartbeatPeriod: 60 });
      const [address = ""] = client.addresses();
      const start = () =>
        new Program(
          ...["run", "--identity", identity, "--bootstrap", address],
          ...["--listen", "/ip4/127.0.0.1/tcp/0", "--data", `${folder}/data`],
        );
      let node = start();
      const joined = async () => {
        await eventually(
          () => client.members().length === 1,
          () => node.out + node.err,
        );
        return client.members()[0] as string;
      };
      const record = (n: number): DhtRecord => ({
        key: new Uint8Array(20).fill(n % 50),
        subkey: encode(n),
        value: encode(`value-${n}-${"x".repeat(n % 700)}`),
        expiration: Math.floor(Date.now() / 1_000) + 600,
      });
      try {
        const peerId = await joined();
        const acknowledged: DhtRecord[] = [];
        let next = 0;
        let killed = false;
        const write = async () => {
          while (!killed) {
            const batch = [record(next++), record(next++), record(next++)];
            const body = encodeStore(batch);
            const answer = await client.rpc.call(peerId, "dht.store", body)
              .catch(() => undefined);
            if (answer === undefined) return;
            decodeStoreAnswers(answer, batch.length).forEach((each, i) => {
              if (each === "stored") acknowledged.push(batch[i] as DhtRecord);
            });
            if (acknowledged.length >= ENOUGH && !killed) {
              killed = true;
              node.signal("SIGKILL");
            }
          }
        };
        await Promise.all(Array.from({ length: 16 }, write));
        assert(acknowledged.length >= ENOUGH, `${acknowledged.length}`);
        await node.ended();
        await eventually(() => client.members().length === 0, () => "gone");
        node = start();
        await joined();
        const lost = [];
        for (const { key, subkey, value, expiration } of acknowledged) {
          const query = [{ key, subkeys: [subkey] }];
          const answer = await client.rpc.call(
            peerId,
            "dht.find",
            encodeFind(query),
          );
          const [found] = decodeFound(answer, query)[0]?.records ?? [];
          if (
            found?.value.toHex() !== value.toHex() ||
            found.expiration !== expiration
          ) lost.push(subkey);
        }
        assertEquals(lost, []);
        node.signal("SIGTERM");
        assertEquals(await node.ended(), 0, node.err);
      } finally {
        node.signal("SIGKILL");
        await client.stop();
      }
    }),
);
