import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { TestFolder } from "./folder.ts";

test("modules that a run's module fetches are installed by init under the run's name, and the test runs with them", async () => {
  const far = new TestFolder({ "main.tf": 'output "name" {\n  value = "fetched"\n}\n' });
  const folder = new TestFolder({
    "main.tf": 'output "x" {\n  value = 1\n}\n',
    "setup/main.tf": `module "far" {\n  source = "git::file://${far.path}"\n}\n\noutput "name" {\n  value = module.far.name\n}\n`,
    "tests/a.tftest.hcl": `run "setup" {
  module {
    source = "./setup"
  }
  assert {
    condition     = output.name == "fetched"
    error_message = "not fetched"
  }
}
`,
  });
  try {
    git(far.path, "init", "-q");
    git(far.path, "add", ".");
    git(far.path, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "one");
    const before = await folder.run(["test"]);
    expect(before.code).toBe(1);
    expect(before.err).toContain("Module not installed");
    await folder.must("init");
    expect(folder.read(".terraform/modules/test.tests.a.setup.far/main.tf")).toContain("fetched");
    expect((await folder.must("test")).out).toContain("1 passed, 0 failed");
    expect((await folder.must("validate")).out).toContain("The configuration is valid");
  } finally {
    folder.remove();
    far.remove();
  }
});

function git(cwd: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync("git", args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
}
