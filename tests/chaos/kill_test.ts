import { assert, assertEquals } from "../assert.ts";
import { Ledger } from "./ledger.ts";
import { ChaosMesh } from "./mesh.ts";
import { SIZE } from "./size.ts";

async function filled(seed: number, nodes = SIZE.nodes) {
  const mesh = new ChaosMesh(nodes, seed);
  const ledger = new Ledger(mesh);
  await ledger.fill(SIZE.records);
  return { mesh, ledger };
}

Deno.test("with fewer nodes dead at once than replicas, nothing is lost, whoever dies", async () => {
  const { mesh, ledger } = await filled(1);
  for (let round = 0; round < SIZE.rounds; round++) {
    // The nearest nodes of one key, the worst choice, in every other round.
    const victims = round % 2 === 0
      ? mesh.any().dht.replicasOf(mesh.random.pick(ledger.keys)).slice(0, 4)
      : mesh.random.sample(mesh.peerIds, 4);
    const askers = mesh.nodes.filter(({ peerId }) => !victims.includes(peerId));
    victims.forEach((peerId) => mesh.network.kill(peerId));
    const { found, lost } = await ledger.survey(() => mesh.random.pick(askers));
    assertEquals(lost, []);
    assertEquals(found, SIZE.records);
    victims.forEach((peerId) => mesh.network.revive(peerId));
    await mesh.clock.advance(30_000);
  }
});

Deno.test("with 30 % of the nodes dead at once, at most 0.5 % of the records are lost", async () => {
  const { mesh, ledger } = await filled(2);
  mesh.killAny(Math.floor(0.3 * SIZE.nodes));
  const { lost } = await ledger.survey();
  assert(lost.length <= 0.005 * SIZE.records, `${lost.length} were lost`);
});

Deno.test("with 30 % of the nodes silent, everything is found before anybody noticed", async () => {
  const { mesh, ledger } = await filled(3);
  const silent = mesh.random.sample(
    mesh.peerIds,
    Math.floor(0.3 * SIZE.nodes),
  );
  const askers = mesh.nodes.filter(({ peerId }) => !silent.includes(peerId));
  silent.forEach((peerId) => mesh.network.blackHole(peerId));
  const { lost } = await ledger.survey(() => mesh.random.pick(askers));
  assert(lost.length <= 0.005 * SIZE.records, `${lost.length} were lost`);
});
