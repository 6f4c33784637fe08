import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { renderErrors } from "./errors.ts";
import { type FileSpec, writeFile } from "./write-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "write-file-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string, more: Partial<FileSpec> = {}): Promise<boolean> {
  return writeFile({ path: join(folder, name), text, keepsBackup: false, makesFolders: false, ...more });
}

function mode(name: string): number {
  return statSync(join(folder, name)).mode & 0o777;
}

test("a file is written, and not again with the same text", async () => {
  expect([await write("a", "x"), await write("a", "x"), await write("a", "y")]).toEqual([true, false, true]);
  expect([readFileSync(join(folder, "a"), "utf8"), mode("a"), readdirSync(folder)]).toEqual(["y", 0o644, ["a"]]);
});

test("a file keeps its mode, or gets the one that is asked for", async () => {
  writeFileSync(join(folder, "a"), "x");
  chmodSync(join(folder, "a"), 0o600);
  await write("a", "y");
  expect(mode("a")).toBe(0o600);
  await write("a", "z", { permissions: 0o640 });
  expect(mode("a")).toBe(0o640);
});

test("a reader of the old file keeps it whole", async () => {
  await write("a", "old");
  const before = statSync(join(folder, "a")).ino;
  await write("a", "new", { keepsBackup: true });
  expect(statSync(join(folder, "a")).ino).not.toBe(before);
  expect([readFileSync(join(folder, "a.bak"), "utf8"), statSync(join(folder, "a.bak")).ino]).toEqual(["old", before]);
});

test("folders are made where that is asked", async () => {
  await expect(write("x/y/a", "x")).rejects.toMatchObject({ kind: renderErrors.unwritable });
  expect(await write("x/y/a", "x", { makesFolders: true })).toBe(true);
});

test("a failure says what to do, and leaves nothing behind", async () => {
  mkdirSync(join(folder, "a"));
  await expect(write("a", "x")).rejects.toThrow(/there is a folder of that name/);
  await expect(write("b", "x", { user: "no-such-user" })).rejects.toThrow(/There is no user "no-such-user"/);
  await write("c", "x");
  mkdirSync(join(folder, "c.bak"));
  await expect(write("c", "y", { keepsBackup: true })).rejects.toMatchObject({ kind: renderErrors.unwritable });
  expect([readdirSync(folder), readFileSync(join(folder, "c"), "utf8")]).toEqual([["a", "c", "c.bak"], "x"]);
});

test.runIf(process.getuid?.() === 0)("a file is given to the user and group that are asked for", async () => {
  await write("a", "x", { user: "nobody", group: "65534" });
  const { uid, gid } = statSync(join(folder, "a"));
  expect([uid, gid]).toEqual([65534, 65534]);
  expect(await write("a", "x", { user: "nobody" })).toBe(false);
});
