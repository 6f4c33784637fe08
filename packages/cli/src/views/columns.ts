import { align } from "./align.ts";

/** Rows as columns, two spaces apart, the first row on top; no spaces at the ends of lines. */
export function columns(rows: readonly (readonly string[])[]): string {
  const width = Math.max(0, ...rows.map((row) => row.length));
  const cells = Array.from({ length: width }, (_, i) => align(rows.map((row) => row[i] ?? "")));
  return rows
    .map(
      (_, i) =>
        `${cells
          .map((column) => column[i])
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** A map in a cell: `a=1,b=2`, in the order of the names. */
export function mapCell(map: Readonly<Record<string, string>>, separator = ","): string {
  const names = Object.keys(map).sort();
  return names.map((name) => `${name}=${map[name]}`).join(separator);
}
