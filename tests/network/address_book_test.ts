import { multiaddr } from "@multiformats/multiaddr";
import { generateIdentity } from "../../src/identity/mod.ts";
import { AddressBook } from "../../src/network/address_book.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const bytesOf = (text: string) => multiaddr(text).bytes;
const HOME = "/ip4/192.0.2.1/tcp/4001";
const RUMOUR = "/ip4/192.0.2.2/tcp/4001";
const peer = () => generateIdentity().peerId;

const targets = (book: AddressBook, peerId: string) =>
  book.targets(peerId).map((address) => address.toString());

Deno.test("what a peer says itself is told on and called first, rumours only after it", () => {
  const book = new AddressBook();
  const peerId = peer();
  book.learn([{ peerId, addresses: [bytesOf(RUMOUR)] }]);
  assertEquals(book.texts([peerId]), [`${RUMOUR}/p2p/${peerId}`]);
  book.meet(peerId, [bytesOf(HOME)]);
  book.learn([{ peerId, addresses: [bytesOf(RUMOUR)] }]);
  assertEquals(book.texts([peerId]), [`${HOME}/p2p/${peerId}`]);
  assertEquals(
    targets(book, peerId),
    [HOME, RUMOUR].map((each) => `${each}/p2p/${peerId}`),
  );
});

Deno.test("the address at which a peer was reached counts until it names its own", () => {
  const book = new AddressBook();
  const peerId = peer();
  book.reach(peerId, bytesOf(`${HOME}/p2p/${peerId}`));
  book.meet(peerId, []);
  assertEquals(book.known(peerId).addresses, [bytesOf(HOME)]);
  book.meet(peerId, [bytesOf(RUMOUR)]);
  book.reach(peerId, bytesOf(HOME));
  assertEquals(book.known(peerId).addresses, [bytesOf(RUMOUR)]);
});

Deno.test("what is no address of the peer is left out, and spoils nothing else", () => {
  const book = new AddressBook();
  const [peerId, other] = [peer(), peer()];
  const learnt = book.learn([
    { peerId: "nobody", addresses: [bytesOf(HOME)] },
    { peerId: other, addresses: [Uint8Array.of(4, 1), new Uint8Array()] },
    {
      peerId,
      addresses: [
        Uint8Array.of(255, 255, 255),
        bytesOf(`${RUMOUR}/p2p/${other}`),
        bytesOf(`/p2p/${peerId}`),
        bytesOf(`${HOME}/p2p/${peerId}`),
      ],
    },
  ]);
  assertEquals(learnt, [peerId]);
  assertEquals(targets(book, peerId), [`${HOME}/p2p/${peerId}`]);
  assertThrows(() => book.targets(other), { code: "PEER_UNREACHABLE" });
});

Deno.test("rumours about one peer, and about many, take bounded room", () => {
  const book = new AddressBook();
  const peerId = peer();
  for (let port = 1; port <= 100; port++) {
    book.learn([{
      peerId,
      addresses: [bytesOf(`/ip4/192.0.2.3/tcp/${port}`)],
    }]);
  }
  assertEquals(book.known(peerId).addresses.length, 8);
  const met = peer();
  book.meet(met, [bytesOf(HOME)]);
  const crowd = Array.from({ length: 2_100 }, peer);
  book.learn(
    crowd.map((each) => ({ peerId: each, addresses: [bytesOf(RUMOUR)] })),
  );
  assertEquals(book.known(crowd[0] as string).addresses, []);
  assertEquals(book.known(crowd.at(-1) as string).addresses.length, 1);
  assertEquals(book.known(met).addresses, [bytesOf(HOME)], "rumours oust none");
});
