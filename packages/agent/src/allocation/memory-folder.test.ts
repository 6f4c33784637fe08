import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { makeTaskFolders, removeAllocationFolder, removeSecrets, taskFolders } from "./folders.ts";
import { openMemoryFolder, removeMemoryFolder } from "./memory-folder.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "memory-folder-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("a folder in memory is for its user alone, stays as it is when asked for again, and leaves nothing", async () => {
  const path = join(root, "secrets");
  expect(await openMemoryFolder(path, 1)).toBe("memory");
  writeFileSync(join(path, "token"), "x");
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(path).dev).not.toBe(statSync(root).dev);
  expect(await openMemoryFolder(path, 1)).toBe("memory");
  expect(existsSync(join(path, "token"))).toBe(true);
  await removeMemoryFolder(path);
  expect(existsSync(path)).toBe(false);
  await removeMemoryFolder(path);
});

test("a link that a task has put in the place of secrets is removed alone, and is not used", async () => {
  const kept = join(root, "kept", "inside");
  mkdirSync(kept, { recursive: true });
  // What is shared is a folder of the allocation like those of tasks, and containers may write there.
  const shared = join(root, "alloc-folder", "alloc");
  mkdirSync(shared, { recursive: true });
  symlinkSync(kept, join(shared, "secrets"));
  await expect(openMemoryFolder(join(shared, "secrets"), 1)).rejects.toThrow("a link that this program has not made");
  await removeAllocationFolder(join(root, "alloc-folder"));
  expect(existsSync(kept)).toBe(true);
  expect(existsSync(join(root, "alloc-folder"))).toBe(false);
});

test.each([
  { name: "that sees the machine", hasOwnImage: false, want: { task: 0o711, local: 0o755, secrets: 0o700 } },
  { name: "with an image of its own", hasOwnImage: true, want: { task: 0o700, local: 0o777, secrets: 0o755 } },
])("the folders of a task $name are open to its users alone", async ({ hasOwnImage, want }) => {
  const folders = taskFolders(root, "main");
  await makeTaskFolders(folders, { owner: undefined, hasOwnImage, secretsMegabytes: 0 });
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  expect({ task: modeOf(folders.task), local: modeOf(folders.local), secrets: modeOf(folders.secrets) }).toEqual(want);
  // Behind a link, the way to the files is closed to others.
  if (lstatSync(folders.secrets).isSymbolicLink()) {
    expect(modeOf(dirname(realpathSync(folders.secrets)))).toBe(0o700);
  }
  await removeSecrets(root, ["main"]);
  expect(existsSync(folders.secrets)).toBe(false);
});
