import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writePrivateFile } from "./private-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millwright-private-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a file is written whole, for its owner alone", () => {
  const path = join(folder, "a");
  writeFileSync(path, "a longer old text", { mode: 0o644 });
  writePrivateFile(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("a link stays a link, and the file that it leads to is written", () => {
  const [path, link] = [join(folder, "a"), join(folder, "link")];
  writeFileSync(path, "old");
  symlinkSync(path, link);
  writePrivateFile(link, "new");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("new");
});

test("a device is written to and stays a device", () => {
  const link = join(folder, "null");
  symlinkSync("/dev/null", link);
  writePrivateFile(link, "x");
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test("a full disk is an error, and nothing is left behind", () => {
  const link = join(folder, "full");
  symlinkSync("/dev/full", link);
  expect(() => writePrivateFile(link, "x")).toThrow(/ENOSPC/);
  expect(readdirSync(folder)).toEqual(["full"]);
});
