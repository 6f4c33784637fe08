import type { LockRecord } from "./session-records.ts";
import type { KvEntry } from "./state.ts";

/** What the public form of an entry needs beside the entry: how revisions become indexes. */
export interface IndexBase {
  indexOf(revision: number): number;
}

/** A field's name and its value as JSON text. */
export type JsonField = readonly [string, string];

/** What is shown of an entry beside the entry itself. */
export interface Shown {
  readonly base: IndexBase;
  readonly withValue: boolean;
  readonly lock: LockRecord | undefined;
}

/**
 * The fields of an entry as Consul's API shows it. Written by hand: flags are 64 bits wide, which JSON.stringify cannot
 * write.
 */
export function kvFields(entry: KvEntry, { base, withValue, lock }: Shown): readonly JsonField[] {
  const { value } = entry;
  const shown = withValue && value.byteLength > 0;
  const bytes = shown ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
  return [
    ["LockIndex", String(lock?.lockIndex ?? 0)],
    ["Key", JSON.stringify(entry.key)],
    ["Flags", String(entry.flags)],
    ["Value", bytes ? `"${bytes.toString("base64")}"` : "null"],
    ...(lock && lock.session !== "" ? ([["Session", JSON.stringify(lock.session)]] as const) : []),
    ["CreateIndex", String(base.indexOf(entry.created))],
    ["ModifyIndex", String(base.indexOf(entry.modified))],
  ];
}

/** An object of fields; over several lines, four spaces a level, where its level is given. */
export function jsonObject(fields: readonly JsonField[], level: number | undefined): string {
  if (level === undefined) return `{${fields.map(([name, value]) => `"${name}":${value}`).join(",")}}`;
  const outer = "    ".repeat(level);
  return `{\n${fields.map(([name, value]) => `${outer}    "${name}": ${value}`).join(",\n")}\n${outer}}`;
}
