// deno-lint-ignore-file no-console
// The peer that is called, in a process of its own: server.ts SEED [CHAIN].
import { fromHex, identityFromSeed } from "../../../mod.ts";
import { startPeer } from "./peer.ts";

const [seed = "", chain] = Deno.args;
const { host } = await startPeer(identityFromSeed(fromHex(seed)), chain, []);
console.log(host.addresses()[0]);
