import type { KvEntry } from "./state.ts";

/** What the public form of an entry needs beside the entry: how revisions become indexes. */
export interface IndexBase {
  indexOf(revision: number): number;
}

/** An entry as Consul's API shows it, written by hand: flags are 64 bits wide, which JSON.stringify cannot write. */
export function kvJson(entry: KvEntry, base: IndexBase, pretty: boolean): string {
  const fields = kvFields(entry, base, true);
  if (!pretty) return `{${fields.map(([name, value]) => `"${name}":${value}`).join(",")}}`;
  return `    {\n${fields.map(([name, value]) => `        "${name}": ${value}`).join(",\n")}\n    }`;
}

/** The fields of an entry's public form, each value as JSON text. */
export function kvFields(entry: KvEntry, base: IndexBase, withValue: boolean): readonly (readonly [string, string])[] {
  const { value } = entry;
  const shown = withValue && value.byteLength > 0;
  const bytes = shown ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
  return [
    ["LockIndex", "0"],
    ["Key", JSON.stringify(entry.key)],
    ["Flags", String(entry.flags)],
    ["Value", bytes ? `"${bytes.toString("base64")}"` : "null"],
    ["CreateIndex", String(base.indexOf(entry.created))],
    ["ModifyIndex", String(base.indexOf(entry.modified))],
  ];
}
