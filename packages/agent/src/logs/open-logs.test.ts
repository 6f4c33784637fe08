import { spawn } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog, systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Logs } from "./logs.ts";
import { openLogs } from "./open-logs.ts";

let folder: string;
let logs: Logs;
const pids = new Set<number>();
const open = async (dataFolder = folder) => {
  const opened = await openLogs(dataFolder, { clock: systemClock, log: silentLog });
  pids.add((await opened.status()).pid);
  return opened;
};
const taskOf = (allocation: string, limits = { maxFiles: 3, maxFileSize: 1 }) => {
  return { allocation, task: "web", folder: join(folder, "alloc", allocation), limits };
};
const textOf = (allocation: string, file = "web.stdout.0") => {
  return readFileSync(join(folder, "alloc", allocation, "alloc", "logs", file), "utf8");
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "millwright-logs-"));
  logs = await open();
});
afterEach(async () => {
  await logs.close();
  for (const pid of pids) kill(pid);
  pids.clear();
  rmSync(folder, { recursive: true, force: true });
});

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

function writeTo(fifo: string, text: string): void {
  const descriptor = openSync(fifo, "w");
  writeSync(descriptor, text);
  closeSync(descriptor);
}

test("one process serves a data folder, whoever asks", async () => {
  const { pid } = await logs.status();
  const second = await open();
  expect((await second.status()).pid).toBe(pid);
  await second.close();
  expect(await logs.status()).toMatchObject({ pid, attached: 0, stuck: [] });
});

test("agents that open it at the same moment share one process", async () => {
  const other = join(folder, "other");
  mkdirSync(other);
  const opened = await Promise.all([open(other), open(other), open(other)]);
  const statuses = await Promise.all(opened.map((each) => each.status()));
  expect(new Set(statuses.map(({ pid }) => pid)).size).toBe(1);
  await Promise.all(opened.map((each) => each.close()));
});

test("hundreds of FIFOs need no thread each, and lose nothing", async () => {
  const tasks = Array.from({ length: 200 }, (_, i) => taskOf(`a${i}`));
  const outputs = await Promise.all(tasks.map((task) => logs.attach(task)));
  const descriptors = outputs.flatMap(({ stdout, stderr }) => [openSync(stdout, "w"), openSync(stderr, "w")]);
  for (let round = 0; round < 5; round++) {
    for (const [i, descriptor] of descriptors.entries()) writeSync(descriptor, `${i} ${round} ${"x".repeat(1000)}\n`);
  }
  const { pid, attached } = await logs.status();
  expect(attached).toBe(200);
  expect(Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])).toBeLessThan(12);
  await Promise.all(tasks.map((task) => logs.detach(task)));
  for (const [i, { allocation }] of tasks.entries()) {
    for (const [type, at] of [
      ["stdout", 2 * i],
      ["stderr", 2 * i + 1],
    ] as const) {
      const want = [0, 1, 2, 3, 4].map((round) => `${at} ${round} ${"x".repeat(1000)}\n`).join("");
      expect(textOf(allocation, `web.${type}.0`) === want).toBe(true);
    }
  }
  for (const descriptor of descriptors) closeSync(descriptor);
  expect((await logs.status()).attached).toBe(0);
});

test("a log that cannot be written makes the task wait, is told, and costs nothing", async () => {
  const place = join(folder, "alloc", "a", "alloc", "logs");
  mkdirSync(place, { recursive: true });
  const task = taskOf("a");
  // One that is full, so that the next file is wanted, in whose place is a folder.
  writeFileSync(join(place, "web.stdout.0"), "x".repeat(task.limits.maxFileSize * 1024 * 1024));
  const { stdout } = await logs.attach(task);
  const next = join(place, "web.stdout.1");
  mkdirSync(next);
  const descriptor = openSync(stdout, constants.O_WRONLY | constants.O_NONBLOCK);
  writeSync(descriptor, "one\n");
  const stuck = [{ allocation: "a", task: "web", why: expect.stringContaining("EISDIR") }];
  await expect.poll(async () => (await logs.status()).stuck).toEqual(stuck);
  const line = `${"x".repeat(1023)}\n`;
  const fill = () => {
    for (let i = 0; ; i++) {
      try {
        writeSync(descriptor, line);
      } catch {
        return i;
      }
    }
  };
  const lines = fill();
  // As much as a FIFO holds: nobody reads on.
  expect(lines).toBeLessThanOrEqual(64);
  // As an operator makes room.
  rmdirSync(next);
  writeFileSync(next, "");
  kill((await logs.status()).pid);
  pids.add((await logs.status()).pid);
  await logs.detach(task);
  // What the process that was killed had read is gone; it says so while it lives.
  expect(textOf("a", "web.stdout.1")).toBe(line.repeat(lines));
  closeSync(descriptor);
});

test("what is attached is drained by the next process as by the one before", async () => {
  const { stdout } = await logs.attach(taskOf("a"));
  const descriptor = openSync(stdout, "r+");
  writeSync(descriptor, "one\n");
  await expect.poll(() => textOf("a")).toBe("one\n");
  const { pid } = await logs.status();
  kill(pid);
  writeSync(descriptor, "two\n");
  const next = await logs.status();
  pids.add(next.pid);
  expect(next.pid).not.toBe(pid);
  expect(next.attached).toBe(1);
  await expect.poll(() => textOf("a")).toBe("one\ntwo\n");
  closeSync(descriptor);
});

test("a process of another version is replaced, and what was attached goes on", async () => {
  const task = taskOf("a");
  const { stdout } = await logs.attach(task);
  const { pid } = await logs.status();
  kill(pid);
  await logs.close();
  // It says nothing that this version could compare: as one of long ago.
  const old = spawn(process.execPath, ["-e", oldProcess, join(folder, "logs")], { stdio: "inherit" });
  await expect.poll(() => readFileSync(join(folder, "logs", "log-process"), "utf8")).toContain(`${old.pid} `);
  logs = await open();
  writeTo(stdout, "one\n");
  await expect.poll(() => textOf("a")).toBe("one\n");
  const next = await logs.status();
  expect(next).toMatchObject({ attached: 1 });
  expect([pid, old.pid]).not.toContain(next.pid);
});

const oldProcess = `
  const { readFileSync, rmSync, writeFileSync } = require("node:fs");
  const folder = process.argv[1];
  const stat = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  rmSync(folder + "/socket", { force: true });
  const server = require("node:net").createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      const { id } = JSON.parse(data);
      socket.write(JSON.stringify({ id, status: { pid: process.pid, memory: 0, attached: 0, stuck: [] } }) + "\\n");
    });
  });
  server.listen(folder + "/socket", () => {
    writeFileSync(folder + "/log-process", [process.pid, stat[19], boot].join(" ") + "\\n");
  });
`;

test("new limits hold for a task that is attached already", async () => {
  const task = taskOf("a", { maxFiles: 10, maxFileSize: 10 });
  const { stdout } = await logs.attach(task);
  expect((await logs.attach({ ...task, limits: { maxFiles: 2, maxFileSize: 1 } })).stdout).toBe(stdout);
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 3_300; i++) writeTo(stdout, line);
  await logs.detach(task);
  const sizes = [2, 3].map((number) => textOf("a", `web.stdout.${number}`).length);
  expect(sizes[0]).toBeGreaterThan(900_000);
  expect(existsSync(join(folder, "alloc", "a", "alloc", "logs", "web.stdout.1"))).toBe(false);
  expect((await logs.status()).attached).toBe(0);
});

test("a data folder with a very long path has a log process too", async () => {
  const long = join(folder, "x".repeat(100), "y".repeat(100));
  mkdirSync(long, { recursive: true });
  const there = await open(long);
  expect(await there.status()).toMatchObject({ attached: 0 });
  const again = await open(long);
  expect((await again.status()).pid).toBe((await there.status()).pid);
  await there.close();
  await again.close();
});

test("a folder that nothing can be written to is said, with what to do", async () => {
  const task = { ...taskOf("a"), folder: "/dev/null" };
  await expect(logs.attach(task)).rejects.toThrow(
    /FIFOs for the output of task web in \/dev\/null.*folder that the agent/,
  );
});

test("a detach of what is not attached is done at once", async () => {
  await logs.detach({ allocation: "unknown", task: "web" });
});
