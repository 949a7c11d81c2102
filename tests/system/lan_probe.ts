// deno-lint-ignore-file no-console
// Runs inside network namespaces, and tells who answers whom; see lan_test.ts.
import { fileURLToPath } from "node:url";
import { Lan, type Place } from "../../scripts/bench/loss/lan.ts";

const SCRIPT = fileURLToPath(import.meta.url);
const PORT = 4_000;
/** Who has not answered by then is silent, ms. */
const PATIENCE = 2_000;

/** This script in another role, at a place. */
function at(place: Place, ...args: string[]): Deno.Command {
  const [program = "", ...more] = [
    ...place.command,
    ...[Deno.execPath(), "run", "-A", "-q", SCRIPT, ...args],
  ];
  return new Deno.Command(program, { args: more, stdout: "piped" });
}

async function ask(hostname: string): Promise<string> {
  const silent = new Promise<string>((resolve) =>
    setTimeout(() => resolve("silent"), PATIENCE)
  );
  const answered = Deno.connect({ hostname, port: PORT })
    .then(() => "answered", (error) => error.name as string);
  return await Promise.race([answered, silent]);
}

async function tell(): Promise<void> {
  const lan = await Lan.create();
  const [a, b, c] = [await lan.place(), await lan.place(), await lan.place()];
  const server = at(b, "serve", b.address).spawn();
  await server.stdout.getReader().read();
  const asked = async (from: Place) => {
    const { stdout } = await at(from, "ask", b.address).output();
    return new TextDecoder().decode(stdout).trim();
  };
  const both = () => Promise.all([asked(a), asked(c)]);
  const whole = await both();
  await lan.part([a], [b]);
  const parted = await both();
  await lan.part([c], [a, b]);
  const alone = await both();
  await lan.join([a], [b]);
  await lan.join([c], [a, b]);
  const joined = await both();
  console.log(JSON.stringify({ whole, parted, alone, joined }));
  Deno.exit(0);
}

const [role, address = ""] = Deno.args;
if (role === "serve") {
  const listener = Deno.listen({ hostname: address, port: PORT });
  console.log("listening");
  for await (const connection of listener) connection.close();
} else if (role === "ask") {
  console.log(await ask(address));
  Deno.exit(0);
} else await tell();
