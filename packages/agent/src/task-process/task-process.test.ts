import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { finishedOutputOf, openTaskBench, type TaskBench } from "../../test/task-bench.ts";
import { recordFolder } from "./record-folder.ts";
import { startTaskProcess } from "./task-process.ts";
import { findTools } from "./tools.ts";

let bench: TaskBench;
beforeAll(async () => {
  bench = await openTaskBench();
});
afterAll(() => bench.close());

async function run(sh: string, line: string) {
  const tools = findTools();
  if ("missing" in tools) throw new Error(tools.missing.join(", "));
  const launch = await bench.launch({});
  const process = await startTaskProcess({
    folder: recordFolder(launch.folders.allocation, launch.task),
    output: launch.output,
    argv: ["/bin/sh", "-c", line, "a b", "it's", '"$x"', "*"],
    env: { PATH: "/usr/bin:/bin" },
    cwd: launch.folders.task,
    tools: { ...tools, sh },
    name: `${launch.allocation}.${launch.task}`,
    joinFiles: [],
    oomScore: undefined,
  });
  const exit = await process.ended;
  const output = await finishedOutputOf(bench, launch);
  await process.destroy();
  return { exit, output };
}

// Each is somebody's /bin/sh: Debian's, that of the Red Hat family, Alpine's.
const shells = [
  { name: "dash", path: "/bin/dash" },
  { name: "bash", path: "/bin/bash" },
  { name: "busybox", path: "/bin/busybox" },
];
for (const { name, path } of shells) {
  describe.runIf(existsSync(path))(`a shim run by ${name}`, () => {
    const sh = () => {
      const folder = join(bench.folder, name);
      if (existsSync(folder)) return join(folder, "sh");
      mkdirSync(folder);
      symlinkSync(path, join(folder, "sh"));
      return join(folder, "sh");
    };
    const ends = [
      { line: "exit 0", want: { exitCode: 0, signal: 0 } },
      { line: "exit 3", want: { exitCode: 3, signal: 0 } },
      { line: "exit 143", want: { exitCode: 143, signal: 0 } },
      { line: "kill -TERM $$", want: { exitCode: 143, signal: 15 } },
      { line: "kill -KILL $$", want: { exitCode: 137, signal: 9 } },
      { line: "kill -INT $$", want: { exitCode: 130, signal: 2 } },
      { line: "kill -SEGV $$", want: { exitCode: 139, signal: 11 } },
      { line: "kill -USR1 $$", want: { exitCode: 138, signal: 10 } },
    ];
    for (const { line, want } of ends) {
      test(`tells how a task ends: ${line}`, async () => expect((await run(sh(), line)).exit).toMatchObject(want));
    }

    test("passes arguments on as they are", async () => {
      const { output } = await run(sh(), 'printf "<%s>" "$0" "$@"');
      expect(output).toBe('<a b><it\'s><"$x"><*>');
    });
  });
}
