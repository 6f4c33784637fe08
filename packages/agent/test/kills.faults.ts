import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemChance } from "@millwright/core/ports";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rawExecDriver } from "../src/driver/raw-exec.ts";
import { makeFolders, openTaskBench, outputOf, type TaskBench } from "./task-bench.ts";

const driver = rawExecDriver({ node: "here" });
/** Prints numbered lines, 100 bytes each, some 1 MB a second, and ends with a code of its own. */
const printer = (seconds: number, code: number) => ({
  command: process.execPath,
  args: [
    "-e",
    `let n = 0;
     const began = performance.now();
     const write = () => {
       const due = Math.min(${seconds} * 10000, (performance.now() - began) * 10);
       let text = "";
       while (n < due) text += String(n++).padEnd(99, ".") + "\\n";
       require("fs").writeSync(1, text);
       if (n < ${seconds} * 10000) return setTimeout(write, 2);
       require("fs").writeSync(1, "the last word\\n");
       process.exit(${code});
     };
     write();`,
  ],
});

let bench: TaskBench;
beforeEach(async () => {
  bench = await openTaskBench();
});
afterEach(() => bench.close());

/** The numbers that are missing, repeated, or out of order. */
function faultsOf(output: string, count: number): string[] {
  const lines = output.split("\n");
  const numbers = lines.slice(0, count).map((line) => line.replace(/\.+$/, ""));
  return numbers.filter((number, i) => number !== String(i)).slice(0, 5);
}

test("an agent that is killed loses nothing of 1 MB/s, and the next one finds the true end", async () => {
  const seconds = 3;
  const agent = await startAgent(printer(seconds, 42));
  await new Promise((resolve) => setTimeout(resolve, 700));
  agent.child.kill("SIGKILL");
  await once(agent.child, "exit");
  const found = await driver.recover(JSON.parse(readFileSync(agent.savedFile, "utf8")), agent.launch);
  expect(await found?.stats()).toBeDefined();
  const exit = await found?.ended;
  expect(exit).toMatchObject({ exitCode: 42, signal: 0, lost: "" });
  await bench.logs.detach(agent.launch);
  const output = outputOf(agent.launch);
  expect(faultsOf(output, seconds * 10_000)).toEqual([]);
  expect(output.endsWith("\nthe last word\n")).toBe(true);
  expect(output.length).toBe(seconds * 1_000_000 + 14);
  await found?.destroy();
});

test("a task that ends while no agent is there is told with its exit code and its last word", async () => {
  const agent = await startAgent(printer(0.3, 43));
  agent.child.kill("SIGKILL");
  await once(agent.child, "exit");
  await bench.logs.close();
  await expect
    .poll(() => existsSync(join(agent.launch.folders.allocation, ".millwright", "main", "run.1", "exit")))
    .toBe(true);
  await bench.reopenLogs();
  const found = await driver.recover(JSON.parse(readFileSync(agent.savedFile, "utf8")), agent.launch);
  expect(await found?.ended).toMatchObject({ exitCode: 43, lost: "" });
  await bench.logs.detach(agent.launch);
  expect(outputOf(agent.launch).endsWith("\nthe last word\n")).toBe(true);
  expect(faultsOf(outputOf(agent.launch), 3000)).toEqual([]);
  await found?.destroy();
});

test("a log process that is killed is started again, and goes on", async () => {
  const seconds = 3;
  const { handle, launch } = await bench.start(driver, printer(seconds, 0));
  const killed: number[] = [];
  for (let i = 0; i < 8; i++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const { pid, attached } = await bench.logs.status();
    expect(attached).toBe(1);
    expect(killed).not.toContain(pid);
    process.kill(pid, "SIGKILL");
    killed.push(pid);
  }
  expect(await handle.ended).toMatchObject({ exitCode: 0 });
  await bench.logs.detach(launch);
  const output = outputOf(launch);
  expect(output.endsWith("\nthe last word\n")).toBe(true);
  // Each kill may cost what was read and not written yet; the rest waits in the FIFO, which the shim keeps open.
  const lost = seconds * 1_000_000 + 14 - output.length;
  expect(lost).toBeLessThanOrEqual(killed.length * 64 * 1024);
  if (lost > 0) console.warn(`${lost} bytes lost over ${killed.length} kills of the log process`);
  if (lost === 0) expect(faultsOf(output, seconds * 10_000)).toEqual([]);
});

test("a task that ends while no log process is there keeps its last words", async () => {
  const { handle, launch } = await bench.start(driver, {
    command: "/bin/sh",
    args: ["-c", "echo first; sleep 0.5; echo last; exit 9"],
  });
  await expect.poll(() => outputOf(launch)).toBe("first\n");
  const { pid } = await bench.logs.status();
  // As where the agent and the log process are killed at once.
  await bench.logs.close();
  process.kill(pid, "SIGKILL");
  expect(await handle.ended).toMatchObject({ exitCode: 9 });
  expect(outputOf(launch)).toBe("first\n");
  await bench.reopenLogs();
  await bench.logs.detach(launch);
  expect(outputOf(launch)).toBe("first\nlast\n");
});

async function startAgent(config: Readonly<Record<string, unknown>>) {
  const allocation = systemChance.uuid();
  const folders = makeFolders(join(bench.folder, "alloc", allocation), "main");
  const [launchFile, savedFile] = [join(bench.folder, "launch.json"), join(bench.folder, "saved.json")];
  rmSync(savedFile, { force: true });
  const launch = {
    allocation,
    group: "group",
    task: "main",
    config,
    user: "",
    env: { PATH: "/usr/bin:/bin" },
    folders,
    resources: { cpu: 100, cores: 0, memory: 64, memoryMax: 0 },
    ports: [],
  };
  writeFileSync(launchFile, JSON.stringify({ launch, limits: { maxFiles: 10, maxFileSize: 1 } }));
  const child: ChildProcess = spawn(process.execPath, [agentFile, bench.folder, launchFile, savedFile], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await expect.poll(() => existsSync(savedFile) && readFileSync(savedFile, "utf8").endsWith("}")).toBe(true);
  const whole = {
    ...launch,
    config: {},
    output: { stdout: "", stderr: "" },
    progress: () => undefined,
    signal: new AbortController().signal,
  };
  return { child, launch: whole, savedFile };
}

const agentFile = fileURLToPath(new URL("./crash-tasks.ts", import.meta.url));
