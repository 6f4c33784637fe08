import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";

/* Folders with TypeScript stacks that are called as modules. */

let made: TestFolder | undefined;
afterEach(() => {
  made?.remove();
  made = undefined;
});

function folderWith(files: Readonly<Record<string, string>>): TestFolder {
  made = new TestFolder(files);
  return made;
}

const named = {
  "named/main.stack.ts": `import { derive, output, resource, variable } from "millwright";
const name = variable("name", { type: "string" });
const parts = variable("parts", { type: "list(string)", default: ["a"] });
const made = resource("terraform_data", "made", { input: derive(name, (text) => text.toUpperCase()) });
output("text", derive([made.output, parts], ([text, all]) => [text, ...all].join("-")));
`,
};

describe("a folder with a stack is called as a module", () => {
  test("from HCL, several times, with values that are known at apply only", async () => {
    const folder = folderWith({
      ...named,
      "main.tf": `resource "terraform_data" "id" {}
module "one" {
  source = "./named"
  name   = terraform_data.id.id
}
module "each" {
  for_each = toset(["x", "y"])
  source   = "./named"
  name     = each.key
  parts    = ["b", "c"]
}
output "each" { value = { for key, made in module.each : key => made.text } }
output "same" { value = module.one.text == "\${upper(terraform_data.id.id)}-a" }
`,
    });
    const plan = await folder.must("plan");
    expect(plan.out).toContain('# module.each["x"].terraform_data.made will be created');
    expect(plan.out).toContain('input  = "X"');
    await folder.must("apply", "-auto-approve");
    const outputs = JSON.parse((await folder.must("output", "-json")).out) as Record<string, { value: unknown }>;
    expect(outputs.each?.value).toEqual({ x: "X-b-c", y: "Y-b-c" });
    expect(outputs.same?.value).toBe(true);
    expect((await folder.run(["plan", "-detailed-exitcode"])).code).toBe(0);
  });

  test("from a stack, which is called from HCL that a stack calls", async () => {
    const folder = folderWith({
      "main.stack.ts": `import { derive, module, output } from "millwright";
const middle = module("middle", "./middle", { name: "n" });
output("text", derive(middle.text, (text) => \`<\${text}>\`));
`,
      "middle/main.tf": `variable "name" {}
module "inner" {
  source = "../named"
  name   = var.name
}
output "text" { value = module.inner.text }
`,
      ...named,
    });
    await folder.must("apply", "-auto-approve");
    expect((await folder.must("output", "-raw", "text")).out).toBe("<N-a>");
  });

  test("and a saved plan needs neither", async () => {
    const folder = folderWith({
      ...named,
      "main.tf":
        'resource "terraform_data" "id" {}\nmodule "one" {\n  source = "./named"\n  name = terraform_data.id.id\n}\n',
    });
    await folder.must("plan", "-out=x.plan");
    for (const name of ["named", "main.tf"]) rmSync(join(folder.path, name), { recursive: true });
    const { out } = await folder.must("apply", "x.plan");
    expect(out).toContain("Resources: 2 added");
  });

  test("faults are told at their place in the module", async () => {
    const folder = folderWith({
      "named/main.stack.ts": `import { resource, variable } from "millwright";
const name = variable("name");
resource("terraform_data", "made", { input: ref("x") });
`,
      "main.tf": 'module "one" {\n  source = "./named"\n  name   = "x"\n}\n',
    });
    const first = await folder.run(["plan"]);
    expect(first.err).toMatch(/on named\/main\.stack\.ts line 3/);
    folder.write({
      "named/main.stack.ts": `import { derive, output, variable } from "millwright";
const name = variable("name");
output("x", derive(name, (text) => JSON.parse(text)));
`,
      "main.tf": 'module "one" {\n  source = "./named"\n  nam    = "x"\n}\n',
    });
    const second = await folder.run(["plan"]);
    expect(second.err).toMatch(/module "one" has no such\s+│ variable\. Did you mean "name"\?/);
    folder.write({ "main.tf": 'module "one" {\n  source = "./named"\n  name   = "not JSON"\n}\n' });
    const third = await folder.run(["plan"]);
    expect(third.err).toMatch(/on named\/main\.stack\.ts line 3[^]*SyntaxError/);
  });
});
