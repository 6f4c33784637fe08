import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const start = fileURLToPath(new URL("../scripts/start.mjs", import.meta.url));

/** Command lines of processes that name a text. */
function processesNaming(text: string): readonly string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(commandLine).filter((line) => line.includes(text));
}

// A process may have ended since it was listed.
function commandLine(pid: string): string {
  try {
    return readFileSync(join("/proc", pid, "cmdline"), "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

const moments = [
  { name: "while the servers start", after: "$ millwright dev", signal: "SIGTERM" },
  { name: "while the plan is made", after: "$ millwright plan", signal: "SIGINT" },
  { name: "while jobs come up", after: "nomad_job.database: Creating", signal: "SIGINT" },
] as const;

test.each(moments)(
  "the factory, stopped $name, leaves no process and no folder",
  { timeout: 60_000 },
  async ({ after, signal }) => {
    const child = spawn(process.execPath, [start], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    let isStopped = false;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
        if (!isStopped && text.includes(after)) isStopped = child.kill(signal);
      });
    const [code] = await once(child, "exit");
    const folder = /A fresh folder: (\S+)/.exec(text)?.[1] ?? "";
    expect({ code, isStopped, text }).toMatchObject({ code: 130, isStopped: true });
    expect(existsSync(folder), folder).toBe(false);
    expect(processesNaming(folder)).toEqual([]);
    expect(text).not.toContain("fell short");
  },
);
