/** How a column's cells stand. */
export type Align = "left" | "right";

/** A column of a table. */
export interface Column<T> {
  /** Its heading. */
  readonly title: string;
  /** Left by default. */
  readonly align?: Align;
  /** The text of a row's cell. */
  cell(row: T): string;
}

/**
 * Rows under headings, aligned. What a stranger wrote is made harmless: one
 * row is one line.
 */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => printable(cell(row)))),
  ];
  const widths = columns.map((_, i) =>
    Math.max(...lines.map((line) => length(line[i] as string)))
  );
  return lines.map((line) =>
    line.map((text, i) => {
      const space = " ".repeat((widths[i] as number) - length(text));
      return columns[i]?.align === "right" ? space + text : text + space;
    }).join("  ").trimEnd()
  ).join("\n");
}

/** Names and values below each other; those without a value are left out. */
export function facts(
  pairs: readonly (readonly [name: string, value: string | undefined])[],
): string {
  const known = pairs.filter((pair): pair is readonly [string, string] =>
    pair[1] !== undefined
  );
  const width = Math.max(0, ...known.map(([name]) => length(name)));
  return known.map(([name, value]) =>
    `${name.padEnd(width)}  ${printable(value)}`
  ).join("\n");
}

/** The text without what could take over a terminal or reorder a line. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, "\ufffd");
}

function length(text: string): number {
  return [...text].length;
}
