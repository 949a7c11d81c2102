/** What the contestants under Node need, pinned. */
const PACKAGES = {
  "node": "22.23.3",
  "hyperdht": "6.34.0",
  "bittorrent-dht": "11.0.12",
};

/**
 * Installs Node 22 and the contestants' packages into a folder, once.
 *
 * @throws when that is impossible; says why.
 */
export async function installPackages(folder: string): Promise<string> {
  const node = `${folder}/node_modules/.bin/node`;
  if (await isInstalled(folder)) return node;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ private: true, dependencies: PACKAGES }),
  );
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund"],
    cwd: folder,
  }).output();
  if (success && await isInstalled(folder)) return node;
  const lines = new TextDecoder().decode(stderr).trim().split("\n");
  throw new Error(`npm cannot install them: ${lines.at(-1)}`);
}

async function isInstalled(folder: string): Promise<boolean> {
  for (const [name, version] of Object.entries(PACKAGES)) {
    try {
      const path = `${folder}/node_modules/${name}/package.json`;
      const manifest = JSON.parse(await Deno.readTextFile(path));
      if (manifest.version !== version) return false;
    } catch {
      return false;
    }
  }
  return true;
}
