import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";
import { launcher, runProgram } from "./program.ts";

const folders: TestFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function newFolder(files: Readonly<Record<string, string>> = {}): TestFolder {
  const folder = new TestFolder(files);
  folders.push(folder);
  return folder;
}

const one = { "main.tf": 'resource "terraform_data" "one" {\n  input = "a"\n}\n' };

describe("the launcher", () => {
  test("works through links of a tool's name, from other folders, with spaces in paths", async () => {
    const folder = newFolder(one);
    const bin = join(folder.path, "a folder", "bin");
    mkdirSync(bin, { recursive: true });
    symlinkSync(launcher, join(bin, "millwright"));
    symlinkSync("millwright", join(bin, "terraform"));
    const tool = await runProgram(["plan"], { cwd: folder.path, program: join(bin, "terraform") });
    const line = await runProgram(["terraform", "plan"], { cwd: folder.path, program: join(bin, "millwright") });
    expect(tool.err).toBe("");
    expect(tool.out).toContain('you run "terraform apply" now.');
    expect(line).toEqual(tool);
  });

  test("loads what reaches other machines", async () => {
    const reaching =
      'resource "terraform_data" "a" {\n  connection {\n    host = "x"\n  }\n  provisioner "remote-exec" {\n    inline = ["true"]\n  }\n  provisioner "file" {\n    content     = "x"\n    destination = "/x"\n  }\n}\n';
    const { code, err } = await runProgram(["validate"], { cwd: newFolder({ "main.tf": reaching }).path });
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  test("runs under any POSIX shell", () => {
    const folder = newFolder();
    const run = spawnSync("dash", [launcher, "--version"], { cwd: folder.path, encoding: "utf8" });
    if (run.error) return expect(run.error.message).toContain("ENOENT");
    expect(run.stdout).toMatch(/^Millwright v\d+\.\d+\.\d+\n$/);
  });

  test("is found on the PATH", () => {
    const folder = newFolder();
    symlinkSync(launcher, join(folder.path, "terraform"));
    const env = { ...process.env, PATH: `${folder.path}:${process.env.PATH ?? ""}` };
    const run = spawnSync("terraform", ["-version"], { cwd: folder.path, encoding: "utf8", env });
    expect(run.stdout).toMatch(/^Millwright v.* Terraform v1\.11/);
    expect(run.status).toBe(0);
  });

  test.each([["version"], ["-version"], ["--version"]])("tells its version for %s", async (word) => {
    const { code, out } = await runProgram([word]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^Millwright v\d+\.\d+\.\d+\n/) });
  });
});

test("a reader that goes away early is no error", () => {
  const many = Array.from({ length: 300 }, (_, i) => `output "o${i}" {\n  value = "${"x".repeat(400)}"\n}\n`).join("");
  const folder = newFolder({ "main.tf": many });
  const line = `"${launcher}" plan | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const run = spawnSync("bash", ["-c", line], { cwd: folder.path, encoding: "utf8" });
  expect(run.stderr).toBe("");
  expect(run.stdout.trimEnd().split("\n").at(-1)).toBe("0");
});

describe("a plan that cannot be written", () => {
  test("is said, and leaves nothing behind", async () => {
    const folder = newFolder(one);
    const { code, err } = await runProgram(["plan", "-out=/dev/full"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(err).toContain("Cannot write");
    expect(err).toContain("/dev/full");
  });
});

describe("colours", () => {
  test("are not for pipes", async () => {
    const folder = newFolder(one);
    expect((await runProgram(["plan"], { cwd: folder.path })).out).not.toContain("\u001b");
  });
});
