import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isKind } from "@millwright/core/errors";
import { expect, onTestFinished, test } from "vitest";
import { bytes } from "../test/suite/support.ts";
import { storeErrors } from "./contract.ts";
import type { JournalRecord } from "./journal.ts";
import { SqliteFile } from "./sqlite-file.ts";

test("after an undecided write, what of it turns up in the file gives way to what is written next", () => {
  const folder = mkdtempSync(join(tmpdir(), "millwright-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "store.db");
  const away = join(folder, "away.db");
  const file = new SqliteFile({ path, maxPages: 50 });
  file.append([commit(1, "k", "first")]);

  // The write fails, and the file cannot be opened again to see what came of it: something did.
  withDatabase(path, "INSERT INTO version VALUES (2 << 24, x'6b', 1, 2, NULL, x'67')");
  renameSync(path, away);
  mkdirSync(path);
  expect(kindOf(() => file.append([commit(2, "k", "v".repeat(1_000_000))]))).toBe(storeErrors.undecided);
  expect(kindOf(() => file.append([commit(2, "k", "lost")]))).toBe(storeErrors.unavailable);

  rmdirSync(path);
  renameSync(away, path);
  file.append([commit(2, "k", "second")]);
  const values = [...file.versions(1_000)]
    .flat()
    .map(({ modified, entry }) => [modified, Buffer.from(entry!.value).toString()]);
  expect(values).toEqual([
    [1, "first"],
    [2, "second"],
  ]);
  expect(file.state()).toMatchObject({ oldest: 0, newest: 2 });
  file.close();
});

function commit(revision: number, key: string, value: string): JournalRecord {
  const entry = { key, value: bytes(value), created: 1, modified: revision, version: revision };
  return { kind: "commit", revision, versions: [{ key, modified: revision, entry }] };
}

function kindOf(call: () => void) {
  try {
    call();
  } catch (error) {
    return Object.values(storeErrors).find((kind) => isKind(error, kind)) ?? error;
  }
  return undefined;
}

function withDatabase(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
