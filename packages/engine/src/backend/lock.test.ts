import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemChance, systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LocalSlot } from "./local-storage.ts";
import { newLockInfo } from "./lock-info.ts";
import { type SlotLock, takeLock } from "./storage.ts";

let folder = "";
let path = "";
const children: ChildProcessWithoutNullStreams[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(folder, "terraform.tfstate");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

function lock(timeout = 0, signal: AbortSignal = new AbortController().signal): Promise<SlotLock> {
  const ports = { clock: systemClock, chance: systemChance };
  const info = newLockInfo({ operation: "OperationTypePlan", version: "1.11.4", path }, ports);
  return takeLock(new LocalSlot(path), { info, timeout, clock: systemClock, signal });
}

/** Another process that holds the lock. */
async function holder(): Promise<ChildProcessWithoutNullStreams> {
  const script = fileURLToPath(new URL("../../testdata/hold-lock.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, path]);
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

test("a state is held by one at a time, and free again after", async () => {
  const first = await lock();
  await expect(lock()).rejects.toThrow(/is held by/);
  await first.release();
  await (await lock()).release();
});

test("who asks for it is told who holds it, for what, and since when", async () => {
  const { info, release } = await lock();
  await expect(lock()).rejects.toThrow(
    new RegExp(
      `is held by ${info.Who} since ${info.Created}[\\s\\S]*ID: +${info.ID}[\\s\\S]*Operation: OperationTypePlan`,
    ),
  );
  expect(info.Created).toMatch(/^\d{4}-\d\d-\d\dT/);
  await release();
  expect(existsSync(join(folder, ".terraform.tfstate.lock.info"))).toBe(false);
});

test("another process holds it too, and it is free as soon as that one is killed", async () => {
  const child = await holder();
  await expect(lock()).rejects.toThrow(/OperationTypeApply/);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  await (await lock()).release();
});

test("who may wait for it waits until it is free", async () => {
  const child = await holder();
  const waiting = lock(20_000);
  setTimeout(() => child.stdin.write("go\n"), 100);
  await (await waiting).release();
});

test("and no longer than asked", async () => {
  const held = await lock();
  const started = performance.now();
  await expect(lock(200)).rejects.toThrow(/is held by/);
  expect(performance.now() - started).toBeGreaterThanOrEqual(190);
  await held.release();
});

test("a wait ends with ^C", async () => {
  const held = await lock();
  const stop = new AbortController();
  const waiting = lock(60_000, stop.signal);
  stop.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  await held.release();
});

test("a folder that is not there is an error that says what to check", async () => {
  path = join(folder, "none", "terraform.tfstate");
  await expect(lock()).rejects.toThrow(/cannot be taken: .*a folder you may write to/);
});

test("who takes the lock clears away what a killed process has left half-written", async () => {
  for (const name of [
    "terraform.tfstate.1.tmp",
    ".terraform.tfstate.journal.22.tmp",
    "other.1.tmp",
    "terraform.tfstate",
  ])
    writeFileSync(join(folder, name), "half");
  await (await lock()).release();
  expect(
    readdirSync(folder)
      .filter((name) => !name.endsWith(".lock"))
      .sort(),
  ).toEqual(["other.1.tmp", "terraform.tfstate"]);
});
