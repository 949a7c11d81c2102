// deno-lint-ignore-file no-console
// Attacks one node as fast as it can, from a process of its own. It begins when
// the first line comes on stdin, and tells what it did when stdin ends.
import { multiaddr } from "@multiformats/multiaddr";
import {
  type DhtRecord,
  encode,
  identityFromSeed,
  NO_SUBKEY,
  ownerMarker,
  SignatureValidator,
} from "../../../mod.ts";
import {
  encodeList,
  OWNER_METHODS,
} from "../../../src/dht/owner/owner_wire.ts";
import { CLOSEST, encodeClosest } from "../../../src/dht/lookup/lookup_wire.ts";
import { encodeFind, encodeStore, METHODS } from "../../../src/dht/wire.ts";
import { FRAME } from "../../../src/rpc/frames.ts";
import { Hostile, type HostileStream } from "../../../tests/attacks/hostile.ts";
import { knock } from "../../../tests/attacks/stranger.ts";
import { SeededRandom } from "../../../tests/fixtures/virtual/seeded_random.ts";
import { sleep } from "./mesh.ts";

/** How a node is attacked. */
export const ATTACKS = ["flood", "steady", "stranger"] as const;

/**
 * `flood`: a member sends stores, gets and garbage as fast as it can; `steady`:
 * as fast as it may, without rest; `stranger`: keys that nobody knows connect,
 * and bytes that make no sense.
 */
export type Attack = typeof ATTACKS[number];

/** What an attacker is told to be. */
export interface AttackerSettings {
  readonly attack: Attack;
  /** The node's multiaddr. */
  readonly address: string;
  /** Its own key, 32 bytes in hexadecimal. */
  readonly seed: string;
}

/** What it did. */
export interface AttackerReport {
  /** Requests sent, or connections tried. */
  readonly sent: number;
  /** Answers that were no refusal, or handshakes that came to an end. */
  readonly answered: number;
  /** Times it was disconnected, or refused. */
  readonly refused: number;
}

/** Streams that the flood keeps open, and requests that it writes at once. */
const STREAMS = 4;
const BATCH = 50;
/** What a member may do in a second, nearly: see CALL_QUOTAS. */
const STEADY = { stores: 350, finds: 100, slice: 100 };
const STRANGERS = 32;
const STORED_BYTES = 3_800;

class Attacker {
  readonly #random: SeededRandom;
  readonly #settings: AttackerSettings;
  readonly #identity;
  readonly #validator: SignatureValidator;
  readonly #report = { sent: 0, answered: 0, refused: 0 };
  #ending = false;

  constructor(settings: AttackerSettings) {
    this.#settings = settings;
    this.#random = new SeededRandom(parseInt(settings.seed.slice(0, 8), 16));
    this.#identity = identityFromSeed(Uint8Array.fromHex(settings.seed));
    this.#validator = new SignatureValidator(this.#identity);
  }

  async run(): Promise<AttackerReport> {
    const { attack } = this.#settings;
    const act = {
      flood: () => this.#asMember((hostile) => this.#flood(hostile)),
      steady: () => this.#asMember((hostile) => this.#steady(hostile)),
      stranger: () => this.#asStranger(),
    }[attack];
    await act();
    return this.#report;
  }

  end(): void {
    this.#ending = true;
  }

  /** Comes back whenever it is turned out. */
  async #asMember(act: (hostile: Hostile) => Promise<void>): Promise<void> {
    const { address } = this.#settings;
    const target = {
      addresses: () => [address],
      status: () => ({ connections: 0 }),
    };
    while (!this.#ending) {
      try {
        const hostile = await Hostile.connect(this.#identity, target);
        await act(hostile);
        await hostile.stop();
      } catch {
        // It is not let in.
      }
      if (!this.#ending) this.#report.refused++;
    }
  }

  async #flood(hostile: Hostile): Promise<void> {
    await Promise.all(Array.from({ length: STREAMS }, async () => {
      while (!this.#ending && hostile.connected) {
        const stream = await this.#open(hostile);
        while (!this.#ending && hostile.connected && stream?.open) {
          const batch = Array.from(
            { length: BATCH },
            () => this.#shot(hostile),
          );
          this.#report.sent += batch.length;
          await Promise.all(batch.map((each) => stream.write(each)))
            .catch(() => {});
          await sleep(0);
        }
        stream?.abort();
        await sleep(1);
      }
    }));
  }

  async #steady(hostile: Hostile): Promise<void> {
    const stream = await this.#open(hostile);
    const { stores, finds, slice } = STEADY;
    const part = slice / 1_000;
    for (let next = Date.now(); !this.#ending && stream?.open; next += slice) {
      const frames = [
        ...Array.from({ length: stores * part }, () => this.#store(hostile)),
        ...Array.from({ length: finds * part }, () => this.#find(hostile)),
      ];
      this.#report.sent += frames.length;
      await Promise.all(frames.map((each) => stream.write(each)))
        .catch(() => {});
      await sleep(Math.max(0, next + slice - Date.now()));
    }
    stream?.abort();
  }

  async #open(hostile: Hostile): Promise<HostileStream | undefined> {
    const stream = await hostile.open().catch(() => undefined);
    if (stream !== undefined) this.#count(stream);
    return stream;
  }

  async #count(stream: HostileStream): Promise<void> {
    for (;;) {
      const frame = await stream.frame();
      if (frame === undefined) return;
      if (frame.type === FRAME.result) this.#report.answered++;
    }
  }

  #shot(hostile: Hostile): Uint8Array {
    const key = this.#random.bytes(20);
    const ask = (method: string, body: Uint8Array) =>
      hostile.frame(hostile.request(method, body));
    switch (this.#random.below(10)) {
      case 0:
      case 1:
      case 2:
        return this.#store(hostile);
      case 3:
      case 4:
        return this.#find(hostile);
      case 5:
        return ask(OWNER_METHODS.list, encodeList({ key, most: 1_024 }));
      case 6:
        return ask(CLOSEST, encodeClosest({ key, count: 20 }));
      case 7:
        return ask(METHODS.store, this.#random.bytes(200));
      case 8:
        return ask(`no.${this.#random.below(1_000)}`, key);
      default:
        // Rarely bytes that are no frame: they end the stream.
        return this.#random.happens(0.01)
          ? this.#random.bytes(64)
          : ask(METHODS.ping, new Uint8Array());
    }
  }

  #find(hostile: Hostile): Uint8Array {
    const queries = Array.from({ length: 32 }, () => ({
      key: this.#random.bytes(20),
      subkeys: undefined,
    }));
    return hostile.frame(hostile.request(METHODS.find, encodeFind(queries)));
  }

  #store(hostile: Hostile): Uint8Array {
    return hostile.frame(
      hostile.request(METHODS.store, encodeStore([this.#record()])),
    );
  }

  /** Half of the records are signed. */
  #record(): DhtRecord {
    const isSigned = this.#random.happens(0.5);
    const record = {
      key: this.#random.bytes(20),
      subkey: isSigned
        ? encode(ownerMarker(this.#identity.openSsh))
        : NO_SUBKEY,
      value: encode(new Uint8Array(STORED_BYTES)),
      expiration: Date.now() / 1_000 + 300,
    };
    return isSigned
      ? { ...record, value: this.#validator.signValue(record) }
      : record;
  }

  async #asStranger(): Promise<void> {
    const { address } = this.#settings;
    const { host, port } = hostOf(address);
    await Promise.all(Array.from({ length: STRANGERS }, async (_, i) => {
      while (!this.#ending) {
        this.#report.sent++;
        if (i % 4 === 0) await this.#babble(host, port);
        else if (await knock(address) === "shaken") this.#report.answered++;
        else this.#report.refused++;
      }
    }));
  }

  async #babble(hostname: string, port: number): Promise<void> {
    try {
      using connection = await Deno.connect({ hostname, port });
      while (!this.#ending) await connection.write(this.#random.bytes(1_024));
    } catch {
      this.#report.refused++;
    }
  }
}

function hostOf(address: string): { host: string; port: number } {
  const parts = multiaddr(address).getComponents();
  const value = (name: string) =>
    parts.find((each) => each.name === name)?.value ?? "";
  return { host: value("ip4"), port: Number(value("tcp")) };
}

if (import.meta.main) {
  const settings = JSON.parse(Deno.args[0] ?? "") as AttackerSettings;
  const attacker = new Attacker(settings);
  const lines = Deno.stdin.readable.getReader();
  console.log("ready");
  await lines.read();
  const running = attacker.run();
  await lines.read();
  attacker.end();
  console.log(JSON.stringify(await running));
  Deno.exit(0);
}
