import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { AuditFile } from "./audit-file.ts";

test("on a full disk a line is refused and leaves nothing, and there is room again once there is", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "audit.log");
    const script = new URL("../../test/full-audit-writer.ts", import.meta.url).pathname;
    // No file of this process may grow above 4 blocks of 512 bytes.
    const limited = ["-c", `ulimit -S -f 4; exec "$@"`, "sh", process.execPath, script, path];
    const writer = spawn("sh", limited, { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const closed = once(writer, "close");
      const lines = createInterface({ input: writer.stdout })[Symbol.asyncIterator]();
      const said = JSON.parse((await lines.next()).value ?? "{}");
      expect(said.acknowledged).toBeGreaterThan(5);
      expect(said.refusal).toContain(path);
      expect((await readFile(path, "utf8")).endsWith("}\n")).toBe(true);
      execFileSync("prlimit", ["--pid", String(writer.pid), "--fsize=unlimited"]);
      writer.stdin.write("go on\n");
      await closed;
      const written = (await readFile(path, "utf8")).trimEnd().split("\n");
      const numbers = written.map((line) => JSON.parse(line).line as number);
      expect(numbers).toEqual(Array.from({ length: said.acknowledged + 1 }, (_, i) => i));
    } finally {
      writer.kill("SIGKILL");
    }
  });
});

test("lines of many writers come whole, each once", async () => {
  await inFolder(async (folder) => {
    const file = new AuditFile({ path: join(folder, "audit.log"), mode: 0o600 });
    await Promise.all(Array.from({ length: 500 }, (_, i) => file.write(`${i} ${"x".repeat(i)}\n`)));
    await file.close();
    const lines = (await readFile(join(folder, "audit.log"), "utf8")).trimEnd().split("\n");
    expect(lines).toEqual(Array.from({ length: 500 }, (_, i) => `${i} ${"x".repeat(i)}`));
  });
});

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "audit-file-"));
  await run(folder).finally(() => rm(folder, { recursive: true }));
}
