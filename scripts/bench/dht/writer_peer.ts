// deno-lint-ignore-file no-console
// A node in a process of its own, which can be killed like any process. It
// reads orders from stdin and answers on stdout, one line of JSON each.
import { TextLineStream } from "./lines.ts";
import { createNode, ownerMarker } from "../../../mod.ts";

/** What a process is told to do. */
export type Order =
  | {
    readonly do: "store";
    readonly key: string;
    readonly value: string;
    readonly expiration: number;
    readonly timeout: number;
  }
  | {
    readonly do: "get";
    readonly key: string;
    readonly latest: boolean;
    readonly timeout: number;
  };

/** What it answers. */
export interface Done {
  readonly ok: boolean;
  readonly milliseconds: number;
  /** The values found. */
  readonly values: readonly string[];
}

const node = await createNode({ bootstrap: Deno.args });
const { dht, identity } = node;
while (Deno.args.length > 0 && node.members().length === 0) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log(JSON.stringify(node.addresses()));

async function obey(order: Order): Promise<Done> {
  const start = performance.now();
  const signal = AbortSignal.timeout(order.timeout);
  let values: string[] = [];
  let ok = true;
  try {
    if (order.do === "store") {
      const { key, value, expiration } = order;
      const subkey = ownerMarker(identity.openSsh);
      await dht.store({ key, subkey, value, expiration }, { signal });
    } else {
      const { latest } = order;
      const found = await dht.get(order.key, { latest, signal });
      if (found?.kind === "dictionary") {
        values = found.entries.map(({ value }) => String(value));
      }
    }
  } catch {
    ok = false;
  }
  return { ok, milliseconds: performance.now() - start, values };
}

for await (
  const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
) {
  console.log(JSON.stringify(await obey(JSON.parse(line) as Order)));
}
await node.stop();
Deno.exit(0);
