import {
  type Authorizer,
  Host,
  type Identity,
  LocalChain,
  ProofOfStakeAuthorizer,
  Rpc,
  SignatureAuthorizer,
  StakeRegistry,
  systemClock,
} from "../../../mod.ts";

/** The method that answers with what it is asked. */
export const ECHO = "bench.echo";

/** Connections and calls, and nothing else of a node. */
export interface Peer {
  readonly host: Host;
  readonly rpc: Rpc;
}

/** Signs nothing and believes everything: what calls cost without security. */
const unsigned: Authorizer = {
  signRequest: () => new Uint8Array(),
  checkRequest: () => Promise.resolve(),
  signResponse: () => new Uint8Array(),
  checkResponse: () => Promise.resolve(),
};

/** Starts a peer; with a chain's file, calls are signed and callers need stake. */
export async function startPeer(
  identity: Identity,
  chain: string | undefined,
  bootstrap: readonly string[],
): Promise<Peer> {
  const host = await Host.create({
    identity,
    subnetId: 1,
    listen: ["/ip4/127.0.0.1/tcp/0"],
    bootstrap,
  });
  const rpc = new Rpc({
    transport: await host.transport("/bench/rpc/1.0.0"),
    authorizer: chain === undefined ? unsigned : await staked(identity, chain),
  });
  rpc.register(ECHO, (body) => Promise.resolve(body));
  await host.start();
  return { host, rpc };
}

async function staked(identity: Identity, path: string): Promise<Authorizer> {
  const registry = new StakeRegistry({
    chain: LocalChain.open(path),
    subnetId: 1,
  });
  await registry.refresh();
  return new ProofOfStakeAuthorizer(
    new SignatureAuthorizer(identity, systemClock),
    registry,
  );
}
