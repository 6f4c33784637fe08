import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { taskFolders } from "./folders.ts";
import { pathInside } from "./inside.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "inside-"));
  mkdirSync(join(root, "alloc", "data"), { recursive: true });
  mkdirSync(join(root, "main", "local"), { recursive: true });
  mkdirSync(join(root, "other", "secrets"), { recursive: true });
  symlinkSync("/etc", join(root, "main", "local", "etc"));
  // Secrets in memory are behind a link of the agent's own.
  mkdirSync(join(root, "memory"));
  symlinkSync(join(root, "memory"), join(root, "main", "secrets"));
});
afterEach(() => rmSync(root, { recursive: true }));

test.each([
  { named: "local/app.conf", want: "main/local/app.conf" },
  { named: "/secrets/token", want: "main/secrets/token" },
  { named: "local/a/b/c", want: "main/local/a/b/c" },
  { named: "../alloc/data/x", want: "alloc/data/x" },
  { named: "/alloc/data/x", want: "alloc/data/x" },
])("$named is inside", async ({ named, want }) => {
  expect(await pathInside(taskFolders(root, "main"), named)).toBe(join(root, want));
});

test("a whole path of the task's own folder is inside", async () => {
  const path = join(root, "main", "local", "x");
  expect(await pathInside(taskFolders(root, "main"), path)).toBe(path);
});

test.each([
  "../other/secrets/x",
  "../state.json",
  "../../x",
  "local/etc/passwd",
  "local/../../private/main.json",
  "../private/x",
])("%s is outside", async (named) => {
  await expect(pathInside(taskFolders(root, "main"), named)).rejects.toThrow("is outside of the task's folder");
});
