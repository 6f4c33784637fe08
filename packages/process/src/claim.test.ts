import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimFolder } from "./claim.ts";
import { processErrors } from "./errors.ts";
import { formatIdentity, identify } from "./identity.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "claim-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a folder is one claimant's until it is released", async () => {
  const claim = await claimFolder(folder, "agent.pid");
  expect(statSync(join(folder, "agent.pid")).mode & 0o777).toBe(0o600);
  await expect(claimFolder(folder, "agent.pid")).rejects.toMatchObject({ kind: processErrors.folderInUse });
  await expect(claimFolder(folder, "agent.pid")).rejects.toThrow(`already in use by process ${process.pid}`);
  await claim.release();
  expect(readdirSync(folder)).toEqual([]);
  await (await claimFolder(folder, "agent.pid")).release();
});

test("of several that come at once, one has it", async () => {
  const all = await Promise.allSettled([1, 2, 3, 4].map(() => claimFolder(folder, "agent.pid")));
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a process that was killed holds nothing, also where its pid is another's by now", async () => {
  const child = spawn("sleep", ["60"]);
  const identity = identify(child.pid!)!;
  writeFileSync(join(folder, "agent.pid"), formatIdentity(identity));
  await expect(claimFolder(folder, "agent.pid")).rejects.toThrow(`in use by process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  await (await claimFolder(folder, "agent.pid")).release();

  writeFileSync(join(folder, "agent.pid"), formatIdentity({ ...identify(process.pid)!, startTime: "1" }));
  await claimFolder(folder, "agent.pid");
});
