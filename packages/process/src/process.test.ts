import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { processErrors } from "./errors.ts";
import { findProcess } from "./found-process.ts";
import { formatIdentity, identify, isAlive, parseIdentity } from "./identity.ts";
import type { ProcessSpec } from "./process.ts";
import { startProcess } from "./process.ts";
import { readProcess } from "./process-table.ts";
import { runProcess } from "./run.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "process-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const env = { PATH: process.env.PATH };

function shell(line: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    command: { kind: "shell", line },
    env,
    cwd: folder,
    stdin: "ignore",
    output: { kind: "ignore" },
    group: "own",
    lifetime: "bound",
    ...more,
  };
}

const polite = { signal: "SIGTERM", graceMilliseconds: 5000 } as const;
const impatient = { signal: "SIGTERM", graceMilliseconds: 200 } as const;

function runs(pid: number): boolean {
  return readProcess(pid)?.isZombie === false;
}

/** The pid that a process writes into a file, once it has. */
async function pidIn(name: string): Promise<number> {
  return Number(await contentOf(name));
}

async function contentOf(name: string): Promise<string> {
  for (;;) {
    try {
      const text = readFileSync(join(folder, name), "utf8");
      if (text.endsWith("\n")) return text.trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    await pause(10);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe("a started process", () => {
  test("tells its exit code", async () => {
    const running = await startProcess(shell("exit 7"));
    expect(await running.ended).toEqual({ kind: "code", code: 7 });
    expect(running.state.kind).toBe("ended");
    expect(running.signal("SIGTERM")).toBe(false);
  });

  test("tells the signal that ended it", async () => {
    const running = await startProcess(shell("kill -KILL $$"));
    expect(await running.ended).toEqual({ kind: "signal", signal: "SIGKILL" });
  });

  test("gets its arguments as they are, and no environment but the one given", async () => {
    const argv = ["/usr/bin/printf", "[%s]", "a b", "$HOME", "*", "'\"", ""] as const;
    const echo = await runProcess({ command: { kind: "program", argv }, env, cwd: folder }, { keepBytes: 100 });
    expect(Buffer.from(echo.output).toString()).toBe("[a b][$HOME][*]['\"][]");
    const command = { kind: "program", argv: ["/usr/bin/env"] } as const;
    const seen = await runProcess({ command, env: { ONLY: "this", NOT: undefined }, cwd: folder }, { keepBytes: 100 });
    expect(Buffer.from(seen.output).toString()).toBe("ONLY=this\n");
  });

  test.each([
    {
      name: "a program that is not there",
      command: { kind: "program", argv: ["no-such-program"] },
      cwd: ".",
      want: "notFound",
    },
    { name: "a folder that is not there", command: { kind: "shell", line: "true" }, cwd: "/no/such", want: "notFound" },
    { name: "a file that is no program", command: { kind: "program", argv: ["./file"] }, want: "notAllowed" },
  ] as const)("is refused for $name", async ({ command, want, ...more }) => {
    writeFileSync(join(folder, "file"), "");
    const spec: ProcessSpec = { ...shell(""), command, ...more };
    await expect(startProcess(spec)).rejects.toMatchObject({ kind: processErrors[want] });
  });

  test("is signalled with its children and theirs", async () => {
    const line = "sh -c 'sleep 60 & echo $! > inner; wait' & echo $! > outer; wait";
    const running = await startProcess(shell(line));
    const pids = [running.pid, await pidIn("outer"), await pidIn("inner")];
    expect(pids.map(runs)).toEqual([true, true, true]);
    expect(await running.end(polite)).toEqual({ kind: "signal", signal: "SIGTERM" });
    expect(pids.map(runs)).toEqual([false, false, false]);
  });

  test("is killed with its children where they ignore the signal", async () => {
    const line = "trap '' TERM; sh -c 'echo $$ > inner; while :; do sleep 1; done' & while :; do sleep 1; done";
    const running = await startProcess(shell(line));
    const inner = await pidIn("inner");
    expect(await running.end(impatient)).toEqual({ kind: "signal", signal: "SIGKILL" });
    expect([running.pid, inner].map(runs)).toEqual([false, false]);
  });

  test("is killed with a child that made a session of its own, and with one whose parent ended", async () => {
    const stubborn = 'trap "" TERM; echo $$ > away; while :; do sleep 1; done';
    const orphan = '(trap "" TERM; sh -c "echo \\$\\$ > orphan; while :; do sleep 1; done" &)';
    const running = await startProcess(shell(`setsid sh -c '${stubborn}' & sh -c '${orphan}'; sleep 60`));
    const pids = [await pidIn("away"), await pidIn("orphan")];
    await running.end(impatient);
    expect(pids.map(runs)).toEqual([false, false]);
  });

  test("is killed while it makes more of itself without end", async () => {
    const line = "trap '' TERM; f() { echo x >> made; sleep 0.02; f & f & wait; }; f";
    const running = await startProcess(shell(line));
    await pause(100);
    await running.end({ signal: "SIGTERM", graceMilliseconds: 50 });
    const size = statSync(join(folder, "made")).size;
    await pause(100);
    expect(statSync(join(folder, "made")).size).toBe(size);
  });

  test("in the caller's group is ended with what descends from it, and nobody else", async () => {
    const running = await startProcess(shell("sleep 60 & echo $! > inner; wait", { group: "callers" }));
    const inner = await pidIn("inner");
    expect(readProcess(running.pid)?.group).toBe(readProcess(process.pid)?.group);
    expect(await running.end(polite)).toEqual({ kind: "signal", signal: "SIGTERM" });
    expect([runs(inner), runs(process.pid)]).toEqual([false, true]);
  });

  test("is ended although it is stopped", async () => {
    const running = await startProcess(shell("sleep 60"));
    running.signal("SIGSTOP");
    expect(await running.end(polite)).toEqual({ kind: "signal", signal: "SIGTERM" });
  });

  test("is given time to clean up", async () => {
    const running = await startProcess(
      shell("trap 'sleep 0.1; echo clean > done; exit 3' TERM; echo > up; sleep 60 & wait"),
    );
    await contentOf("up");
    expect(await running.end(polite)).toEqual({ kind: "code", code: 3 });
    expect(await contentOf("done")).toBe("clean");
  });

  test("leaves the daemon that it started when it ends by itself", async () => {
    const running = await startProcess(shell("sleep 60 & echo $! > daemon"));
    await running.ended;
    const daemon = await pidIn("daemon");
    expect(runs(daemon)).toBe(true);
    process.kill(daemon, "SIGKILL");
  });

  test("takes what it started with it where that is asked", async () => {
    const running = await startProcess(shell("sleep 60 & echo $! > daemon", { others: polite }));
    expect(await running.ended).toEqual({ kind: "code", code: 0 });
    expect(runs(await pidIn("daemon"))).toBe(false);
  });

  test("reads its standard input from a pipe", async () => {
    const pieces: string[] = [];
    const write = (piece: Uint8Array) => void pieces.push(Buffer.from(piece).toString());
    const running = await startProcess(shell("cat; echo end >&2", { stdin: "pipe", output: { kind: "pump", write } }));
    running.stdin?.end("hello ");
    await running.ended;
    expect(pieces.sort().join("")).toBe("end\nhello ");
  });

  test("waits for whoever reads its output slowly", async () => {
    let seen = 0;
    const write = async (piece: Uint8Array) => {
      seen += piece.length;
      await pause(30);
    };
    const running = await startProcess(shell("head -c 10000000 /dev/zero", { output: { kind: "pump", write } }));
    await pause(150);
    expect(seen).toBeLessThan(2_000_000);
    expect(running.state.kind).toBe("running");
    await running.end(polite);
  });

  test("appends its output to files of its user alone", async () => {
    const log = join(folder, "log");
    const output = { kind: "files", stdout: log, stderr: log } as const;
    for (const word of ["one", "two"])
      await (await startProcess(shell(`echo ${word}; echo ${word} >&2`, { output }))).ended;
    expect(readFileSync(log, "utf8")).toBe("one\none\ntwo\ntwo\n");
    expect(statSync(log).mode & 0o777).toBe(0o600);
  });
});

describe("runProcess", () => {
  test("keeps the beginning of a long output and reads the rest", async () => {
    const { exit, output, dropped } = await runProcess(shell("yes | head -c 1000000; exit 2"), { keepBytes: 4 });
    expect({ exit, output: Buffer.from(output).toString(), dropped }).toEqual({
      exit: { kind: "code", code: 2 },
      output: "y\ny\n",
      dropped: 999_996,
    });
  });

  test("ends the whole tree at the timeout", async () => {
    const spec = shell("sh -c 'echo $$ > inner; sleep 60' & sleep 60");
    const result = await runProcess(spec, { keepBytes: 0, timeoutMilliseconds: 300 });
    expect(result).toMatchObject({ timedOut: true, exit: { kind: "signal", signal: "SIGTERM" } });
    expect(runs(await pidIn("inner"))).toBe(false);
  });

  test("is not held up by a daemon that keeps the output open", async () => {
    const started = performance.now();
    const { output } = await runProcess(shell("sleep 60 & echo $! > daemon; echo up"), { keepBytes: 10 });
    expect(Buffer.from(output).toString()).toBe("up\n");
    expect(performance.now() - started).toBeLessThan(5000);
    process.kill(await pidIn("daemon"), "SIGKILL");
  });

  test("ends when it is aborted", async () => {
    const result = await runProcess(shell("sleep 60"), { keepBytes: 0, signal: AbortSignal.timeout(50) });
    expect(result).toMatchObject({ timedOut: false, exit: { kind: "signal", signal: "SIGTERM" } });
  });
});

describe("a process found again", () => {
  test("is the same one, and can be ended", async () => {
    const line = "trap 'exit 0' TERM; sleep 60 & echo $! > child; wait";
    const running = await startProcess(shell(line, { lifetime: "independent" }));
    const left = await pidIn("child");
    const identity = parseIdentity(formatIdentity(running.identity!));
    expect(identity).toEqual(running.identity);
    const found = findProcess(identity!)!;
    expect(found.isAlive()).toBe(true);
    await found.end(polite);
    expect([found.isAlive(), findProcess(identity!)]).toEqual([false, undefined]);
    await running.ended;
    // What it has left running is to outlive it.
    expect(runs(left)).toBe(true);
    process.kill(left, "SIGKILL");
  });

  test("that does not end in its time is killed with all that it has started", async () => {
    const line = "trap '' TERM; sleep 60 & echo $! > child; wait; wait";
    const running = await startProcess(shell(line, { lifetime: "independent" }));
    const child = await pidIn("child");
    await findProcess(running.identity!)?.end({ signal: "SIGTERM", graceMilliseconds: 100 });
    await running.ended;
    while (runs(child)) await pause(20);
  });

  test("is not another one that has its pid", () => {
    const own = identify(process.pid)!;
    expect(isAlive(own)).toBe(true);
    expect(isAlive({ ...own, startTime: "1" })).toBe(false);
    expect(isAlive({ ...own, boot: "another" })).toBe(false);
    expect(findProcess({ ...own, startTime: "1" })).toBeUndefined();
  });

  test.each(["", "12", "12 x y", "-1 2 3"])("is not read from %j", (text) => {
    expect(parseIdentity(text)).toBeUndefined();
  });
});

describe("when the program that started it is killed", () => {
  async function killStarter(lifetime: "bound" | "independent"): Promise<number> {
    const code = `
      const { startProcess } = await import(${JSON.stringify(join(import.meta.dirname, "process.ts"))});
      await startProcess({ command: { kind: "shell", line: "trap 'echo > clean; exit' TERM; echo $$ > child; sleep 60 & wait" }, env: process.env,
        cwd: ${JSON.stringify(folder)}, stdin: "ignore", output: { kind: "ignore" }, group: "own",
        lifetime: ${JSON.stringify(lifetime)} });
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "inherit" });
    const child = await pidIn("child");
    await pause(50);
    starter.kill("SIGKILL");
    await once(starter, "exit");
    return child;
  }

  test("a bound process ends, with time to clean up", async () => {
    const child = await killStarter("bound");
    await contentOf("clean");
    while (runs(child)) await pause(20);
  });

  test("an independent process goes on", async () => {
    const child = await killStarter("independent");
    await pause(300);
    expect(runs(child)).toBe(true);
    const found = findProcess(identify(child)!)!;
    found.signal("SIGKILL");
    await found.gone();
  });
});
