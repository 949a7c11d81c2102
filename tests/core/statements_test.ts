import { DatabaseSync } from "node:sqlite";
import { Statements } from "../../src/core/statements.ts";
import { assertEquals } from "../assert.ts";

Deno.test("a text is prepared once, and anew when all were let go of", () => {
  const db = new DatabaseSync(":memory:");
  const statements = new Statements(db);
  const sql = "SELECT ? + 1 AS sum";
  const first = statements.of(sql);
  assertEquals(first.get(1)?.["sum"], 2);
  assertEquals(statements.of(sql) === first, true);
  assertEquals(statements.of("SELECT 1") === first, false);
  statements.clear();
  assertEquals(statements.of(sql) === first, false);
  statements.clear();
  db.close();
});
