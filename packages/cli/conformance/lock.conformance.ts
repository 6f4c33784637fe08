import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Process } from "../test/process.ts";

/* A run of the real Terraform holds its state by a lock of its own, which is respected. */

const hasTerraform = spawnSync("terraform", ["version"], { stdio: "ignore" }).status === 0;

let folder: string;
let terraform: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millwright-lock-"));
});
afterEach(async () => {
  terraform?.kill("SIGKILL");
  terraform = undefined;
  await new Promise((resolve) => setTimeout(resolve, 50));
  rmSync(folder, { recursive: true });
});

const configuration = (text: string) => `resource "terraform_data" "a" {
  input = "${text}"
}
`;

/** A real apply that waits at its question, with the state in its hands. */
async function waitingTerraform(): Promise<ChildProcess> {
  const env = { ...process.env, TF_CLI_CONFIG_FILE: join(folder, "none.tfrc"), CHECKPOINT_DISABLE: "1" };
  writeFileSync(join(folder, "none.tfrc"), "");
  spawnSync("terraform", ["init"], { cwd: folder, env });
  const child = spawn("terraform", ["apply", "-no-color"], { cwd: folder, env, stdio: ["pipe", "pipe", "ignore"] });
  let said = "";
  const asked = new Promise<boolean>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("Enter a value:")) resolve(true);
    });
    child.once("exit", () => resolve(false));
  });
  if (!(await asked)) throw new Error(`terraform did not ask:\n${said}`);
  return child;
}

test.runIf(hasTerraform)(
  "while Terraform works on a state, it is refused with the process that has it, and free at its end",
  async () => {
    writeFileSync(join(folder, "main.tf"), configuration("one"));
    const first = await Process.run(["apply", "-auto-approve"], { cwd: folder });
    expect(first.code, first.err).toBe(0);
    writeFileSync(join(folder, "main.tf"), configuration("two"));
    terraform = await waitingTerraform();

    const refused = await Process.run(["plan"], { cwd: folder });
    expect(refused.code).toBe(1);
    expect(refused.err.replaceAll(/\s*│ ?/g, " ")).toMatch(new RegExp(`is held by process ${terraform.pid}`));
    const waiting = Process.start(["plan", "-detailed-exitcode", "-lock-timeout=60s"], { cwd: folder });
    const ended = once(terraform, "exit");
    terraform.stdin?.end("yes\n");
    await ended;
    const { code, out, err } = await waiting.ended;
    expect([code, out + err]).toEqual([0, expect.stringContaining("No changes")]);
  },
);

test.runIf(hasTerraform)("what a kill has left beside a state does not bother Terraform", async () => {
  writeFileSync(join(folder, "main.tf"), configuration("one"));
  await Process.run(["apply", "-auto-approve"], { cwd: folder });
  writeFileSync(join(folder, "main.tf"), configuration("two"));
  const killed = Process.start(["apply", "-auto-approve"], { cwd: folder });
  await killed.until(() => existsSync(join(folder, ".terraform.tfstate.journal")));
  killed.signal("SIGKILL");
  await killed.ended;
  terraform = await waitingTerraform();
  const ended = once(terraform, "exit");
  terraform.stdin?.end("yes\n");
  expect(await ended).toEqual([0, null]);
  const { code, out, err } = await Process.run(["plan", "-detailed-exitcode"], { cwd: folder });
  expect([code, out + err]).toEqual([0, expect.stringContaining("No changes")]);
});
