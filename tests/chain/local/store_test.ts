import { DatabaseSync } from "node:sqlite";
import { LocalChain } from "../../../src/chain/local/mod.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { withFolder } from "../../system/program.ts";

const ways = [LocalChain.open, (path: string) => LocalChain.create(path)];

/** Changes something in a file by SQL. */
function change(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

/** A chain's file of a version, and its log as a killed process leaves it. */
async function otherVersion(folder: string, version: number): Promise<string> {
  const [from, path] = [`${folder}/alive.db`, `${folder}/chain.db`];
  await LocalChain.create(from).close();
  const db = new DatabaseSync(from);
  db.exec(`PRAGMA user_version = ${version}; DROP TABLE bootnodes`);
  for (const suffix of ["", "-wal"]) {
    await Deno.copyFile(from + suffix, path + suffix);
  }
  db.close();
  await Deno.remove(from);
  return path;
}

Deno.test("a chain of another version is not used, and not touched", () =>
  withFolder(async (folder) => {
    for (
      const [version, made] of [[1, "an earlier"], [9, "a later"]] as const
    ) {
      const path = await otherVersion(folder, version);
      const files = [path, `${path}-wal`];
      const before = files.map((each) => Deno.readFileSync(each));
      assert(before.every(({ length }) => length > 0));
      for (const open of ways) {
        assertThrows(() => open(path), (error: Error & { hint?: string }) => {
          assertEquals(
            error.message,
            `The local chain in ${path} has format ${version}, this program ` +
              `reads format 2 only: ${made} version made it.`,
          );
          assert(error.hint?.includes("Use the version that made it"));
          assertEquals(error.name, "LocalChainError");
          return true;
        });
        assertEquals(files.map((each) => Deno.readFileSync(each)), before);
      }
      // Whoever made it goes on with it.
      change(path, "PRAGMA user_version");
    }
  }));

Deno.test("a database of another program is not used, and not touched", () =>
  withFolder((folder) => {
    const path = `${folder}/other.db`;
    change(path, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
    const before = Deno.readFileSync(path);
    for (const open of ways) {
      assertThrows(() => open(path), {
        code: "LOCAL_CHAIN_DAMAGED",
        message: /it belongs to another program/,
      });
      assertEquals(Deno.readFileSync(path), before);
    }
    return Promise.resolve();
  }));

Deno.test("a chain that is looked for where none is leaves no file there", () =>
  withFolder((folder) => {
    assertThrows(() => LocalChain.open(`${folder}/none.db`), {
      code: "LOCAL_CHAIN_MISSING",
    });
    assertEquals([...Deno.readDirSync(folder)], []);
    Deno.writeFileSync(`${folder}/empty.db`, new Uint8Array());
    assertThrows(() => LocalChain.open(`${folder}/empty.db`), {
      code: "LOCAL_CHAIN_MISSING",
    });
    return Promise.resolve();
  }));
