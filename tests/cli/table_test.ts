import { facts, printable, table } from "../../src/cli/table.ts";
import { assertEquals } from "../assert.ts";

interface Row {
  readonly name: string;
  readonly amount: bigint;
}

const COLUMNS = [
  { title: "Name", cell: ({ name }: Row) => name },
  {
    title: "Amount",
    align: "right",
    cell: ({ amount }: Row) => String(amount),
  },
] as const;

Deno.test("columns are aligned under their headings", () => {
  assertEquals(
    table(COLUMNS, [{ name: "a", amount: 5n }, {
      name: "grün",
      amount: 1234567n,
    }]),
    [
      "Name   Amount",
      "a           5",
      "grün  1234567",
    ].join("\n"),
  );
  assertEquals(table(COLUMNS, []), "Name  Amount");
});

Deno.test("facts are aligned, and what is not known is left out", () => {
  assertEquals(
    facts([["Id", "1"], ["Owner", undefined], ["Friendly name", "x"]]),
    "Id             1\nFriendly name  x",
  );
  assertEquals(facts([]), "");
});

Deno.test("what strangers write cannot move the cursor, break lines or reorder text", () => {
  for (
    const bad of [
      "\u001b[2J",
      "a\nb",
      "\u009b1m",
      "\u202eabc",
      "\u2028",
      "\u0007",
      "\u200b",
    ]
  ) {
    const shown = printable(bad);
    assertEquals(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(shown), false, bad);
  }
  assertEquals(printable("plain – ünïcode 日本"), "plain – ünïcode 日本");
  assertEquals(
    table(COLUMNS, [{ name: "x\r\n\u001b[1A", amount: 1n }]).split("\n").length,
    2,
  );
});
