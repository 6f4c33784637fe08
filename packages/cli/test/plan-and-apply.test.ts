import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";

const configuration = {
  "main.tf": `
variable "x" {
  default = "a"
}
resource "terraform_data" "one" {
  input = var.x
}
resource "terraform_data" "two" {
  input = "fixed"
}
output "x" {
  value = terraform_data.one.output
}
`,
};

let folder: TestFolder;
beforeEach(() => {
  folder = new TestFolder(configuration);
});
afterEach(() => folder.remove());

const state = (name = "terraform.tfstate") =>
  JSON.parse(folder.read(name)) as { readonly serial: number; readonly resources: readonly unknown[] };

describe("a saved plan", () => {
  test("is carried out without a question, exactly, and not twice", async () => {
    const made = await folder.must("plan", "-out=p");
    expect(made.out).toContain('millwright apply "p"');
    expect(statSync(join(folder.path, "p")).mode & 0o777).toBe(0o600);
    folder.write({ "main.tf": "" });
    expect((await folder.must("apply", "p")).out).toContain("Resources: 2 added, 0 changed, 0 destroyed.");
    const again = await folder.run(["apply", "p"]);
    expect(again.code).toBe(1);
    expect(again.err).toContain("Saved plan is stale");
    expect(state().resources).toHaveLength(2);
  });

  test("is shown as it was when it was made", async () => {
    const { out } = await folder.must("plan", "-out=p");
    const shown = (await folder.must("show", "p")).out;
    expect(shown).not.toBe("");
    expect(out.startsWith(shown)).toBe(true);
  });
});

// Summaries and what is accepted are those of terraform 1.11.4.
describe("a saved plan that was made with an ephemeral variable", () => {
  const ephemeral = 'variable "password" {\n  ephemeral = true\n  default   = null\n}\n';
  beforeEach(async () => {
    folder.write({ "main.tf": ephemeral + configuration["main.tf"] });
    await folder.must("plan", "-var=password=s3cret", "-var=x=b", "-out=p");
  });

  test.each([
    { name: "the same variable by a flag", args: ["-var=password=other"], env: {} },
    { name: "the same variable by the environment", args: [], env: { TF_VAR_password: "other" } },
    { name: "what the plan was made with besides", args: ["-var=password=s3cret", "-var=x=b"], env: {} },
    { name: "another value of a kept one by the environment", args: [], env: { TF_VAR_password: "o", TF_VAR_x: "z" } },
  ])("is carried out with $name", async ({ args, env }) => {
    const { code, err } = await folder.run(["apply", ...args, "p"], { env });
    expect([code, err]).toEqual([0, ""]);
    expect((await folder.must("output", "-raw", "x")).out).toBe("b");
  });

  test.each([
    { name: "without the variable", args: [], want: "No value for required variable" },
    {
      name: "with another value of a variable that it keeps",
      args: ["-var=password=s3cret", "-var=x=c"],
      want: "Can't change variable when applying a saved plan",
    },
  ])("is refused $name, before anything is done", async ({ args, want }) => {
    const { code, err } = await folder.run(["apply", ...args, "p"]);
    expect(code).toBe(1);
    expect(err).toContain(want);
    expect(existsSync(join(folder.path, "terraform.tfstate"))).toBe(false);
  });

  test("is refused with an ephemeral variable that it was not made with", async () => {
    await folder.must("plan", "-out=p");
    const { code, err } = await folder.run(["apply", "-var=password=s3cret", "p"]);
    expect([code, err]).toEqual([1, expect.stringContaining("Ephemeral variable was not set during planning")]);
  });
});

describe("exit codes", () => {
  test("of plan -detailed-exitcode tell whether there are changes", async () => {
    expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(2);
    await folder.must("apply", "-auto-approve");
    expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
    expect((await folder.run(["plan", "-detailed-exitcode", "-var=y=1"])).code).toBe(1);
  });
});

describe("apply without a plan", () => {
  test("shows what it would do, asks, and does it for yes", async () => {
    const { code, out } = await folder.run(["apply"], { stdin: "yes\n" });
    expect(code).toBe(0);
    expect(out.indexOf("Plan: 2 to add")).toBeLessThan(out.indexOf("Do you want to perform these actions?"));
    expect(out).toContain('Apply complete! Resources: 2 added, 0 changed, 0 destroyed.\n\nOutputs:\n\nx = "a"\n');
  });

  test("of one target leaves the rest", async () => {
    const { out } = await folder.must("apply", "-auto-approve", "-target=terraform_data.two");
    expect(out).toContain("Resources: 1 added, 0 changed, 0 destroyed.");
    expect((await folder.must("state", "list")).out).toBe("terraform_data.two\n");
  });

  test("with -destroy and destroy remove all", async () => {
    await folder.must("apply", "-auto-approve");
    const { out } = await folder.must("destroy", "-auto-approve");
    expect(out).toContain("Destroy complete! Resources: 2 destroyed.\n");
    expect(state().resources).toEqual([]);
    expect((await folder.must("destroy", "-auto-approve")).out).toContain("No objects need to be destroyed.");
  });
});

describe("files of the state", () => {
  test("are where -state, -state-out and -backup say", async () => {
    await folder.must("apply", "-auto-approve", "-state=s1");
    await folder.must("apply", "-auto-approve", "-state=s1", "-state-out=s2", "-var=x=b");
    expect([state("s1").serial, state("s2").serial]).toEqual([1, 2]);
    await folder.must("apply", "-auto-approve", "-state=s2", "-backup=kept", "-var=x=c");
    expect(state("kept").serial).toBe(2);
    await folder.must("apply", "-auto-approve", "-state=s1", "-backup=-", "-var=x=c");
    expect(
      ["terraform.tfstate", "s1.backup", "s2.backup"].filter((name) => existsSync(join(folder.path, name))),
    ).toEqual([]);
  });
});

describe("the environment", () => {
  const planned = async (env: Readonly<Record<string, string>>, ...args: string[]) =>
    (await folder.run(["plan", ...args], { env })).out;

  test("gives values to variables, under what is typed", async () => {
    expect(await planned({ TF_VAR_x: "b" })).toContain('input  = "b"');
    expect(await planned({ TF_VAR_x: "b" }, "-var=x=c")).toContain('input  = "c"');
  });

  test("adds arguments, under what is typed", async () => {
    const env = { TF_CLI_ARGS: "-compact-warnings", TF_CLI_ARGS_plan: "-var 'x=b b'" };
    expect(await planned(env)).toContain('input  = "b b"');
    expect(await planned(env, "-var=x=c")).toContain('input  = "c"');
  });

  test("of a machine that runs it leaves out what to type next", async () => {
    expect(await planned({})).toContain("Note: You didn't use the -out option");
    expect(await planned({ TF_IN_AUTOMATION: "1" })).toMatch(/to destroy\.\n\nChanges to Outputs:\n.*\n$/);
  });
});

test("a plan that ends with errors does not claim that there is nothing to do", async () => {
  folder.write({
    "main.tf":
      'resource "terraform_data" "a" {\n  lifecycle {\n    precondition {\n      condition     = path.cwd == ""\n      error_message = "Too small."\n    }\n  }\n}\n',
  });
  const { code, out, err } = await folder.run(["plan"]);
  expect(code).toBe(1);
  expect(err).toContain("Too small.");
  expect(out).not.toContain("No changes");
});

test("warnings stand apart from the plan, and no two blank lines are together", async () => {
  folder.write({ "terraform.tfvars": "y = 1\n" });
  for (const flag of ["-compact-warnings", "-no-color"]) {
    const { out } = await folder.must("plan", flag);
    expect(out).toMatch(/\(known after apply\)\n\n(Warnings:|╷)/);
    expect(out).not.toMatch(/\n\n\n/);
  }
});

test("-json tells the same as lines of JSON, and nothing else", async () => {
  const { out, err } = await folder.must("apply", "-auto-approve", "-json");
  const lines = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect(err).toBe("");
  expect(lines.map(({ type }) => type)).toEqual([
    "version",
    "planned_change",
    "planned_change",
    "change_summary",
    "outputs",
    "apply_start",
    "apply_start",
    "apply_complete",
    "apply_complete",
    "change_summary",
    "outputs",
  ]);
  expect(lines.at(-2)).toMatchObject({
    "@level": "info",
    "@message": "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.",
    "@module": "terraform.ui",
    changes: { add: 2, change: 0, import: 0, remove: 0, operation: "apply" },
  });
  expect(lines.at(-1)?.outputs).toEqual({ x: { sensitive: false, type: "string", value: "a" } });
});

test("a target that nothing has is warned of", async () => {
  const { code, out } = await folder.run(["plan", "-target=terraform_data.on"]);
  expect(code).toBe(0);
  expect(out).toContain("No such target");
  expect(out.replaceAll("\n│ ", " ")).toContain("Did you mean terraform_data.one?");
  expect(out).toContain("No changes. The targets match the configuration.");
});

describe("the state by hand", () => {
  beforeEach(async () => {
    await folder.must("apply", "-auto-approve");
  });

  test("state mv gives another address, rm forgets, each with a copy of before", async () => {
    expect((await folder.must("state", "mv", "terraform_data.one", "terraform_data.uno")).out).toContain(
      'Move "terraform_data.one" to "terraform_data.uno"',
    );
    expect((await folder.must("state", "rm", "terraform_data.two")).out).toContain("Removed terraform_data.two");
    expect((await folder.must("state", "list")).out).toBe("terraform_data.uno\n");
    expect(Object.keys(folder.everything()).filter((name) => /\.\d+\.backup$/.test(name)).length).toBeGreaterThan(0);
  });

  test("state show and state pull print what is there", async () => {
    const shown = (await folder.must("state", "show", "terraform_data.two")).out;
    expect(shown).toMatch(
      /^# terraform_data\.two:\nresource "terraform_data" "two" \{\n {4}id {5}= "[0-9a-f-]{36}"\n {4}input {2}= "fixed"\n {4}output = "fixed"\n\}\n$/,
    );
    expect(JSON.parse((await folder.must("state", "pull")).out)).toEqual(state());
  });

  test("taint makes the next apply replace, untaint takes that back", async () => {
    await folder.must("taint", "terraform_data.two");
    expect((await folder.must("plan")).out).toContain("terraform_data.two is tainted, so it must be replaced");
    await folder.must("untaint", "terraform_data.two");
    expect((await folder.must("plan")).out).toContain("No changes.");
  });

  test("show prints every object and the outputs", async () => {
    const { out } = await folder.must("show");
    expect(out).toContain('resource "terraform_data" "one" {');
    expect(out).toContain('\nOutputs:\n\nx = "a"\n');
    expect(out).not.toMatch(/\n\n\n/);
  });

  test("output prints one value raw", async () => {
    expect((await folder.must("output", "-raw", "x")).out).toBe("a");
    expect((await folder.must("output", "x")).out).toBe('"a"\n');
    expect((await folder.must("output")).out).toBe('x = "a"\n');
  });
});
