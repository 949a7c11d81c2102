import {
  bootnodeOf,
  checkAddress,
  checkPeerId,
  peerOf,
} from "../../../src/cli/chain/peers.ts";
import { generateIdentity } from "../../../mod.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

const { peerId } = generateIdentity();
const { peerId: other } = generateIdentity();
const rsa = generateIdentity("rsa").peerId;

Deno.test("peer ids of Ed25519 and RSA keys are taken", () => {
  assertEquals(checkPeerId(peerId), peerId);
  assertEquals(checkPeerId(rsa), rsa);
});

Deno.test("what the chain would keep but no peer has is refused", () => {
  for (
    const bad of [
      "",
      "12D3KooW",
      // Right beginning and length, but no key: the chain would take it.
      "12D3KooWEYcyqQhsJ3w2tZs7mLzB5kTaXHgNfcPvR4P0uQyqXaaa",
      `${peerId}1`,
      peerId.slice(0, -1),
      // secp256k1
      "16Uiu2HAmGHFkzEUKhdBoGsrbEGSTuHhNSTpZoTr8LDBSXFMeJhWR",
      "QmNope",
      ` ${peerId}`,
    ]
  ) {
    assertThrows(() => checkPeerId(bad), (error: { code?: string }) => {
      assert(["PEER_ID_INVALID", "USAGE"].includes(error.code ?? ""), bad);
      return true;
    });
  }
});

Deno.test("addresses have parts that the chain knows, and end with their peer", () => {
  for (
    const good of [
      `/ip4/192.0.2.1/tcp/4001/p2p/${peerId}`,
      `/ip6/2001:db8::1/tcp/4001/p2p/${peerId}`,
      `/dns4/boot.example.org/tcp/443/wss/p2p/${peerId}`,
      `/dnsaddr/example.org/p2p/${peerId}`,
    ]
  ) assertEquals(checkAddress(good, peerId), good);
  for (
    const [bad, says] of [
      ["/ip4/192.0.2.1/tcp/4001", "Append /p2p/"],
      [`/ip4/192.0.2.1/tcp/4001/p2p/${other}`, "same peer"],
      [`/ip4/192.0.2.1/udp/1/quic-v1/p2p/${peerId}`, "/ip4"],
      [`/dns/example.org/tcp/1/p2p/${peerId}`, "/dns4"],
      [`/ip4/192.0.2.1/tcp/1/p2p/${peerId}/p2p-circuit`, "/ip4"],
      ["/ip4/300.0.0.1/tcp/1", "looks like"],
      ["192.0.2.1:4001", "looks like"],
      [`/dns4/${"a".repeat(1_100)}/tcp/1/p2p/${peerId}`, "1024"],
    ] as const
  ) {
    assertThrows(
      () => checkAddress(bad, peerId),
      (error: { code?: string; hint?: string }) => {
        assertEquals(error.code, "USAGE");
        assert(error.hint?.includes(says), `${bad}: ${error.hint}`);
        return true;
      },
    );
  }
});

Deno.test("a peer is given by its id, its address, or both", () => {
  const address = `/ip4/192.0.2.1/tcp/1/p2p/${peerId}`;
  assertEquals(peerOf("peer", undefined, undefined), undefined);
  assertEquals(peerOf("peer", peerId, undefined), { peerId });
  assertEquals(peerOf("peer", undefined, address), {
    peerId,
    multiaddr: address,
  });
  assertThrows(() => peerOf("peer", other, address), { code: "USAGE" });
  assertThrows(() => peerOf("peer", undefined, "/ip4/192.0.2.1/tcp/1"), {
    code: "USAGE",
  });
  assertEquals(bootnodeOf(address), { peerId, multiaddr: address });
});
