import { type ChildProcess, spawn } from "node:child_process";
import { identify, isAlive, type ProcessIdentity } from "@millwright/process/identity";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";

// A run was killed, and its journal names the provider's processes that it had.

let folder: TestFolder;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = new TestFolder({ "main.tf": 'resource "terraform_data" "a" {}\n' });
});
afterEach(() => {
  folder.remove();
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function left(): ProcessIdentity {
  const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  children.push(child);
  return identify(child.pid!)!;
}

function leaveJournal(...processes: readonly ProcessIdentity[]): void {
  const header = { lineage: "", serial: 0, pid: 2 ** 22 + 1, processStart: "1", started: "2026-01-01T00:00:00Z" };
  const lines = [{ header }, ...processes.map((process) => ({ process }))];
  folder.write({ ".terraform.tfstate.journal": lines.map((line) => `${JSON.stringify(line)}\n`).join("") });
}

test("the next run ends them before it reads anything", async () => {
  const provider = left();
  leaveJournal(provider);
  await folder.must("plan");
  expect(isAlive(provider)).toBe(false);
});

test("a process that only has the number of one is left alone", async () => {
  const other = left();
  leaveJournal({ ...other, startTime: String(Number(other.startTime) - 1) }, { ...other, boot: "earlier" });
  await folder.must("plan");
  expect(isAlive(other)).toBe(true);
});
