import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTaskBench } from "../../test/task-bench.ts";
import { rawExecDriver } from "../driver/raw-exec.ts";
import { type Cgroup, cgroupAt, cgroupLayout } from "./cgroup.ts";

const isRoot = userInfo().uid === 0;

describe("what a cgroup tells", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millwright-cgroup-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const tells = (group: Cgroup) => [group.pids(), group.memory(), group.cpu(), group.oomKills()];
  const layouts: { name: string; files: Record<string, string>; want: unknown[] }[] = [
    {
      name: "v2",
      files: {
        "one/cgroup.procs": "12\n7\n",
        "one/memory.current": "999\n",
        "one/memory.stat": "anon 1000\nfile 5000\nfile_mapped 24\n",
        "one/cpu.stat": "usage_usec 1500\nuser_usec 1000\n",
        "one/memory.events": "low 0\noom 1\noom_kill 2\n",
      },
      want: [[12, 7], 1024, 1_500_000, 2],
    },
    {
      name: "v2 without the controller of memory",
      files: { "one/cgroup.procs": "", "one/cpu.stat": "usage_usec 2\n" },
      want: [[], undefined, 2000, 0],
    },
    {
      name: "v1 beside v2",
      files: {
        "one/cgroup.procs": "12\n",
        "one/cpu.stat": "usage_usec 2\n",
        "two/cgroup.procs": "12\n13\n0\n",
        "two/memory.stat": "cache 1\nrss 2\ntotal_rss 4096\ntotal_mapped_file 100\n",
        "two/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        "two/cpuacct.usage": "3000\n",
      },
      // 0 is a process of another namespace.
      want: [[12, 13], 4196, 3000, 1],
    },
    { name: "nothing, where it is gone", files: {}, want: [[], undefined, undefined, 0] },
  ];
  for (const { name, files, want } of layouts) {
    test(name, () => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(folder, path, ".."), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      expect(tells(cgroupAt([join(folder, "one"), join(folder, "two")]))).toEqual(want);
    });
  }
});

test.runIf(isRoot && cgroupLayout() !== "none")(
  "a task that the kernel ends for want of memory is told as such",
  async () => {
    const bench = await openTaskBench();
    try {
      const program = "setTimeout(() => { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)); }, 300)";
      const config = { command: process.execPath, args: ["-e", program] };
      const { handle } = await bench.start(rawExecDriver({ node: "here" }), config);
      const folders = handle.saved.cgroup as readonly string[];
      const limit = folders
        .flatMap((folder) => [join(folder, "memory.max"), join(folder, "memory.limit_in_bytes")])
        .find(existsSync);
      // A kernel without a controller of memory ends nobody for it.
      if (limit === undefined) return;
      writeFileSync(limit, String(100 * 1024 * 1024));
      expect(await handle.ended).toMatchObject({ exitCode: 137, signal: 9, oomKilled: true });
    } finally {
      await bench.close();
    }
  },
);
