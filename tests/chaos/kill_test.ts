import { assert, assertEquals } from "../assert.ts";
import { Ledger } from "./ledger.ts";
import { ChaosMesh } from "./mesh.ts";
import { SEED, SIZE } from "./size.ts";

// deno-lint-ignore no-console
console.log(
  `Kill tests of ${SIZE.nodes} nodes; the same again: ` +
    `deno task chaos --seed ${SEED}`,
);

/** A mesh for one of the tests, each of which has other numbers. */
async function filled(test: number, nodes = SIZE.nodes) {
  const mesh = new ChaosMesh(nodes, 10 * SEED + test);
  const ledger = new Ledger(mesh);
  await ledger.fill(SIZE.records);
  return { mesh, ledger };
}

Deno.test("with fewer nodes dead at once than replicas, nothing is lost, whoever dies", async () => {
  const { mesh, ledger } = await filled(1);
  await using _mesh = mesh;
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
    await mesh.clock.advance(40_000);
  }
});

Deno.test("with 30 % of the nodes dead at once, at most 0.5 % of the records are lost", async () => {
  const { mesh, ledger } = await filled(2);
  await using _mesh = mesh;
  mesh.killAny(Math.floor(0.3 * SIZE.nodes));
  const { lost } = await ledger.survey();
  assert(lost.length <= 0.005 * SIZE.records, `${lost.length} were lost`);
});

Deno.test("with 30 % of the nodes silent, everything is found before anybody noticed", async () => {
  const { mesh, ledger } = await filled(3);
  await using _mesh = mesh;
  const silent = mesh.random.sample(
    mesh.peerIds,
    Math.floor(0.3 * SIZE.nodes),
  );
  const askers = mesh.nodes.filter(({ peerId }) => !silent.includes(peerId));
  silent.forEach((peerId) => mesh.network.blackHole(peerId));
  const { lost } = await ledger.survey(() => mesh.random.pick(askers));
  assert(lost.length <= 0.005 * SIZE.records, `${lost.length} were lost`);
});

Deno.test("with a tenth killed again and again until a fifth is left, repair loses nothing", async () => {
  const { mesh, ledger } = await filled(4);
  await using _mesh = mesh;
  while (mesh.nodes.length > 0.2 * SIZE.nodes) {
    mesh.killAny(Math.max(1, Math.floor(0.1 * mesh.nodes.length)));
    await mesh.clock.advance(SIZE.interval);
  }
  const { lost } = await ledger.survey();
  assertEquals(lost, []);
});

Deno.test("while half of the nodes are replaced every 10 minutes, 99.9 % of the gets succeed", async () => {
  const { mesh, ledger } = await filled(5);
  await using _mesh = mesh;
  const pause = 10 * 60_000 / (SIZE.nodes / 2);
  let [asked, found] = [0, 0];
  for (let left = SIZE.minutes * 60_000; left > 0; left -= pause) {
    mesh.killAny(1);
    mesh.add({ gradually: true });
    for (let part = 0; part < 10; part++) {
      await mesh.clock.advance(pause / 10);
      for (let i = 0; i < SIZE.probes; i++) {
        asked++;
        if (await mesh.clock.run(ledger.probe())) found++;
      }
    }
  }
  assert(found >= 0.999 * asked, `${found} of ${asked} gets succeeded`);
  assertEquals((await ledger.survey()).lost, []);
});

Deno.test("60 s after two halves found together again, everybody reads the newest value", async () => {
  const { mesh, ledger } = await filled(6);
  await using _mesh = mesh;
  const half = SIZE.nodes / 2;
  mesh.network.partition(mesh.peerIds.slice(0, half), mesh.peerIds.slice(half));
  // Each half comes to know that it is alone, and its owners go on writing.
  await mesh.clock.advance(60_000);
  await ledger.renew();
  await mesh.clock.advance(240_000);
  mesh.network.heal();
  await mesh.clock.advance(60_000);
  for (const asker of [...mesh.nodes.slice(0, 2), ...mesh.nodes.slice(-2)]) {
    assertEquals((await ledger.survey(() => asker)).lost, []);
  }
});
