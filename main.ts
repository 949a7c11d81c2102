import { main } from "./src/cli/main.ts";

// libp2p keeps the event loop alive after an orderly stop, so end it here.
Deno.exit(await main(Deno.args));
