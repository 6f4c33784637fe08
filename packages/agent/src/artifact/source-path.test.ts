import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkSourcePath } from "./source-path.ts";

let root: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "source-path-")));
  for (const folder of ["agent/alloc/1/web/local", "agent/alloc/1/alloc/data", "agent/alloc/2/db/secrets", "files"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "files", "app.tar"), "");
  symlinkSync(join(root, "agent", "alloc", "2"), join(root, "files", "other"));
});
afterAll(() => rmSync(root, { recursive: true }));

const check = (path: string) => {
  const allocationFolder = join(root, "agent", "alloc", "1");
  const agentFolder = join(root, "agent");
  return checkSourcePath(path, { taskFolder: join(allocationFolder, "web"), allocationFolder, agentFolder });
};

test.each(["files/app.tar", "files/none", "agent/alloc/1/web/local/x", "agent/alloc/1/alloc/data"])(
  "a job may copy %s",
  async (path) => {
    await expect(check(join(root, path))).resolves.toBeUndefined();
  },
);

test.each([
  { name: "another allocation's secrets", path: () => join(root, "agent/alloc/2/db/secrets/vault_token") },
  { name: "those by a link", path: () => join(root, "files/other/db/secrets") },
  { name: "what the agent keeps of its own allocation", path: () => join(root, "agent/alloc/1/private/web.json") },
  { name: "the node's token", path: () => join(root, "agent/node/node-token.json") },
  { name: "a folder with all of that in it", path: () => root },
  { name: "everything", path: () => "/" },
  { name: "the agent's environment", path: () => "/proc/self/environ" },
  { name: "a disk", path: () => "/dev/sda" },
])("a job may not copy $name", async ({ path }) => {
  await expect(check(path())).rejects.toThrow("nothing that a job may copy");
});
