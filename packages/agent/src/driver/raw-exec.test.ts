import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import type { Json } from "@millwright/jobs/shape";
import { isAlive, parseIdentity } from "@millwright/process/identity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDriver } from "../../test/driver-suite.ts";
import { finishedOutputOf, openTaskBench, outputOf, type TaskBench } from "../../test/task-bench.ts";
import { recordFolder } from "../task-process/record-folder.ts";
import type { TaskHandle } from "./driver.ts";
import { rawExecDriver } from "./raw-exec.ts";

const driver = rawExecDriver({ node: "here" });
const shell = (line: string) => ({ command: "/bin/sh", args: ["-c", line] });
const isRoot = userInfo().uid === 0;

testDriver("raw_exec", async () => ({ driver, shell }));

let bench: TaskBench;
beforeAll(async () => {
  bench = await openTaskBench();
});
afterAll(() => bench.close());

/** What the first line of a task's output says, once it is there. */
async function firstLine(launch: Parameters<typeof outputOf>[0]): Promise<string> {
  await expect.poll(() => outputOf(launch)).toContain("\n");
  return outputOf(launch).split("\n")[0] ?? "";
}

const isRunning = (pid: string) =>
  existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
const shimOf = (handle: TaskHandle) => parseIdentity(String(handle.saved.shim));

describe("the processes of a task", () => {
  test("have default signals, nothing of ours open, and no words of ours in their environment", async () => {
    const line = "grep Sig /proc/self/status; ls -l /proc/self/fd | grep -c '\\.millwright'; env";
    const { handle, launch } = await bench.start(driver, shell(line), { env: { A: "1" } });
    await handle.ended;
    const output = await finishedOutputOf(bench, launch);
    expect(output).toMatch(/SigBlk:\s0+\n/);
    expect(output).toMatch(/SigIgn:\s0+\n/);
    // Of ls: its standard error alone; its standard output goes to grep.
    expect(output).toContain("\n1\n");
    expect(output).not.toMatch(/millwright_/);
    expect(output).toContain("\nA=1\n");
  });

  test("end with it, also those that left its session", async () => {
    const { handle, launch } = await bench.start(driver, shell("setsid sleep 300 & sleep 300 & echo $! ; wait"));
    const child = await firstLine(launch);
    const pids = (await handle.stats())?.pids.map(String) ?? [];
    expect(pids).toContain(child);
    expect(pids.length).toBe(3);
    await handle.stop({ signal: "SIGTERM", timeoutMilliseconds: 5_000 });
    expect(pids.filter(isRunning)).toEqual([]);
  });

  test("that made themselves daemons end when the task ends", async () => {
    const line = "(setsid sh -c 'echo $$; exec sleep 300' &) ; sleep 0.3; exit 0";
    const { handle, launch } = await bench.start(driver, shell(line));
    const daemon = await firstLine(launch);
    expect(isRunning(daemon)).toBe(true);
    expect(await handle.ended).toMatchObject({ exitCode: 0 });
    expect(isRunning(daemon)).toBe(false);
  });

  test("may signal their whole group without their shim", async () => {
    const { handle } = await bench.start(driver, shell("kill -9 0"));
    expect(await handle.ended).toMatchObject({ exitCode: 137, signal: 9, lost: "" });
  });

  test("names in an environment may be such as shells do not know", async () => {
    const env = { "discovery.type": "single node", "a-b": "2" };
    const { handle, launch } = await bench.start(driver, { command: "env" }, { env });
    await handle.ended;
    expect((await finishedOutputOf(bench, launch)).split("\n")).toEqual(
      expect.arrayContaining(["discovery.type=single node", "a-b=2"]),
    );
  });

  test("are in no process list with what is in their environment", async () => {
    const { handle, launch } = await bench.start(driver, shell("echo $$; sleep 300"), {
      env: { TOKEN: "a-secret-word" },
    });
    const pid = await firstLine(launch);
    const shim = shimOf(handle)?.pid;
    for (const each of [pid, shim])
      expect(readFileSync(`/proc/${each}/cmdline`, "utf8")).not.toContain("a-secret-word");
    expect(JSON.stringify(handle.saved)).not.toContain("a-secret-word");
    await handle.stop({ signal: "SIGKILL", timeoutMilliseconds: 0 });
  });

  test("a word that the task wishes for the loader does not keep its end from being told", async () => {
    const env = { LD_LIBRARY_PATH: "/nowhere", PATH: "/nowhere", IFS: "0123456789", TMPDIR: "/nowhere" };
    const { handle } = await bench.start(driver, shell("exit 5"), { env });
    expect(await handle.ended).toMatchObject({ exitCode: 5, signal: 0 });
  });

  test("the shim of a task is gone when nothing is left of the task", async () => {
    const { handle } = await bench.start(driver, shell("exit 0"));
    await handle.ended;
    const shim = shimOf(handle);
    expect(shim && isAlive(shim)).toBe(true);
    await handle.destroy();
    await expect.poll(() => shim && isAlive(shim)).toBe(false);
  });

  test("a task whose shim is killed goes on, and its end is said to be lost", async () => {
    const { handle, launch } = await bench.start(driver, shell("echo $$; sleep 0.5; echo done; exit 3"));
    await firstLine(launch);
    process.kill(shimOf(handle)?.pid ?? 0, "SIGKILL");
    const exit = await handle.ended;
    expect(exit.lost).toContain("its shim was killed");
    expect(await finishedOutputOf(bench, launch)).toMatch(/\ndone\n$/);
  });

  test("a task of which nobody knows is ended by the next start", async () => {
    const launch = await bench.launch(shell("echo $$; sleep 300"));
    const unknown = await driver.start(launch);
    const pid = await firstLine(launch);
    const next = await driver.start({ ...launch, config: shell("exit 8") });
    expect(isRunning(pid)).toBe(false);
    expect(await next.ended).toMatchObject({ exitCode: 8 });
    expect(await driver.recover(unknown.saved, launch)).toBeUndefined();
    await next.destroy();
  });

  test("after a start of the machine no pid is trusted", async () => {
    const { handle, launch } = await bench.start(driver, shell("echo $$; sleep 300"));
    await firstLine(launch);
    const older = (text: unknown) => String(text).replace(/\S+$/, "00000000-0000-4000-8000-000000000000");
    const folder = join(recordFolder(launch.folders.allocation, "main"), "run.1");
    const [shim, task] = [older(handle.saved.shim), older(handle.saved.task)];
    const real = readFileSync(join(folder, "task"), "utf8");
    writeFileSync(join(folder, "task"), `${task}\n`);
    const found = await driver.recover({ ...handle.saved, shim, task, cgroup: [], mark: "" }, launch);
    expect(await found?.ended).toMatchObject({ lost: "the machine was started anew while it ran" });
    writeFileSync(join(folder, "task"), real);
    expect(isRunning(String(parseIdentity(real)?.pid))).toBe(true);
    await handle.stop({ signal: "SIGKILL", timeoutMilliseconds: 0 });
  });
});

describe("the config of a task", () => {
  const bin = { command: "/bin/true" };
  const refused: { name: string; config: Record<string, Json>; user?: string; want: string[] }[] = [
    { name: "no command", config: {}, want: ["DRIVER_CONFIGURATION", "command is missing"] },
    {
      name: "a misspelt name",
      config: { ...bin, comand: "x" },
      want: ["DRIVER_CONFIGURATION", 'did you mean "command"?'],
    },
    {
      name: "a name of another driver",
      config: { ...bin, image: "x" },
      want: ['there is no "image", only command, args'],
    },
    { name: "arguments in one text", config: { ...bin, args: "a b" }, want: ["args has to be a list of texts"] },
    { name: "a relative work_dir", config: { ...bin, work_dir: "x" }, want: ["work_dir has to be an absolute path"] },
    {
      name: "several faults at once",
      config: { command: 3, args: 4 },
      want: ["command has to be", "; args has to be"],
    },
    {
      name: "a work_dir that is not there",
      config: { ...bin, work_dir: "/nowhere" },
      want: ["DRIVER_MISSING", "no folder /nowhere on node here", "change work_dir"],
    },
    {
      name: "a program that is not on the PATH",
      config: { command: "frobnicate" },
      want: ["DRIVER_MISSING", '"frobnicate" on node here', "/usr/local/bin:/usr/bin:/bin", "artifact"],
    },
    {
      name: "a program that is not at its path",
      config: { command: "/opt/frobnicate" },
      want: ["DRIVER_MISSING", "looked for in /opt/frobnicate.", "constraint"],
    },
    { name: "a file that is not executable", config: { command: "/etc/passwd" }, want: ["/etc/passwd", "chmod +x"] },
    {
      name: "a cgroup that is not there",
      config: { ...bin, cgroup_v2_override: "no.such.slice" },
      want: ["DRIVER_CONFIGURATION", "no.such.slice", "cgroup_v2_override"],
    },
    { name: "a user that is not there", config: bin, user: "nobdy", want: ['no such user, but "nobody"'] },
  ];
  for (const { name, config, user, want } of refused) {
    test(`${name} is refused`, async () => {
      const launch = await bench.launch(config, user === undefined ? {} : { user });
      const error = await driver.start(launch).catch((error: unknown) => error);
      for (const part of want) expect(`${(error as { code?: string }).code} ${error}`).toContain(part);
    });
  }

  const own: { name: string; file: string; content: string; command: string; mode?: number; want: string }[] = [
    { name: "in local, by its name", file: "local/run", content: "#!/bin/sh\necho ran", command: "run", want: "ran\n" },
    {
      name: "in the task's folder, by its path",
      file: "bin/run",
      content: "#!/bin/sh\necho ran",
      command: "bin/run",
      want: "ran\n",
    },
    {
      name: "by a path with a dot",
      file: "local/run",
      content: "#!/bin/sh\necho ran",
      command: "./local/run",
      want: "ran\n",
    },
  ];
  for (const { name, file, content, command, want } of own) {
    test(`a program of the task's own is found ${name}, and made executable`, async () => {
      const launch = await bench.launch({ command });
      const path = join(launch.folders.task, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      const handle = await driver.start(launch);
      await handle.ended;
      expect(await finishedOutputOf(bench, launch)).toBe(want);
      await handle.destroy();
    });
  }

  test("what a link in the task's folder leads to is not made executable", async () => {
    const launch = await bench.launch({ command: "run" });
    const outside = join(launch.folders.allocation, "outside");
    writeFileSync(outside, "#!/bin/sh\n", { mode: 0o640 });
    symlinkSync(outside, join(launch.folders.local, "run"));
    await expect(driver.start(launch)).rejects.toThrow("not executable");
    expect(statSync(outside).mode & 0o777).toBe(0o640);
  });

  const unusable = [
    { name: "neither a program nor a script", content: "echo hello", want: "begins with #!" },
    {
      name: "a script for an interpreter that is not there",
      content: "#!/opt/ruby\n",
      want: "a script for /opt/ruby, which node here",
    },
  ];
  for (const { name, content, want } of unusable) {
    test(`a file that is ${name} is refused`, async () => {
      const launch = await bench.launch({ command: "run" });
      writeFileSync(join(launch.folders.local, "run"), content);
      await expect(driver.start(launch)).rejects.toThrow(want);
    });
  }

  test("its words: work_dir, denied_envvars, oom_score_adj, numbers as arguments", async () => {
    const line = 'pwd; echo "$0 $1"; cat /proc/self/oom_score_adj; env | grep -c ^SECRET_';
    const config = {
      command: "/bin/sh",
      args: ["-c", line, 80, true],
      work_dir: "/usr",
      oom_score_adj: 7,
      denied_envvars: ["SECRET_*"],
    };
    const { handle, launch } = await bench.start(driver, config, { env: { SECRET_A: "1", SECRET_B: "2" } });
    await handle.ended;
    expect(await finishedOutputOf(bench, launch)).toBe("/usr\n80 true\n7\n0\n");
  });

  test.runIf(isRoot)("a task can run as another user, who may open its output anew", async () => {
    const { handle, launch } = await bench.start(driver, shell("id -un; id -gn; echo again >/dev/stdout"), {
      user: "nobody",
    });
    expect(await handle.ended).toMatchObject({ exitCode: 0 });
    expect(await finishedOutputOf(bench, launch)).toBe("nobody\nnogroup\nagain\n");
  });

  test.runIf(isRoot)("a task can join a cgroup of somebody else", async () => {
    const folder = "/sys/fs/cgroup/pids/millwright-test";
    if (!existsSync(dirname(folder))) return;
    mkdirSync(folder, { recursive: true });
    const config = { ...shell("grep pids: /proc/self/cgroup"), cgroup_v1_override: { pids: "millwright-test" } };
    const { handle, launch } = await bench.start(driver, config);
    await handle.ended;
    expect(await finishedOutputOf(bench, launch)).toContain(":pids:/millwright-test\n");
    await handle.destroy();
    rmdirSync(folder);
  });
});

test.runIf(!isRoot)("an agent that is not root refuses another user", async () => {
  const launch = await bench.launch({ command: "/bin/true" }, { user: "root" });
  await expect(driver.start(launch)).rejects.toThrow(/run the agent as root/);
});
