// deno-lint-ignore-file no-console
// Makes the executable. `deno compile` brings its runtime from the internet, or
// takes the one that DENORT_BIN names.
import { V8_FLAGS } from "../src/cli/v8_flags.ts";

const OUTPUT = "dist/meshnode";
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-sys=networkInterfaces,osRelease,hostname",
  "--allow-run",
  "--ignore-env",
];

const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "compile",
    "--no-prompt",
    `--v8-flags=${V8_FLAGS}`,
    ...PERMISSIONS,
    "--output",
    OUTPUT,
    "main.ts",
  ],
}).spawn().status;
if (code === 0) {
  console.log(`Made ${OUTPUT}, allowed: ${PERMISSIONS.join(" ")}`);
} else {
  console.error(
    Deno.env.get("DENORT_BIN") === undefined
      ? "Nothing was made. `deno compile` needs its runtime, denort, which it " +
        "downloads; on a machine without internet, give its path in DENORT_BIN."
      : "Nothing was made. Check that DENORT_BIN is the denort of this Deno version.",
  );
}
Deno.exit(code);
