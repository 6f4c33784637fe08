import { afterEach, describe, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";
import { inHcl, said, templates } from "./instance-folders.ts";

/* Lists of instances with mistakes. */

let made: TestFolder | undefined;
afterEach(() => {
  made?.remove();
  made = undefined;
});

function folderWith(files: Readonly<Record<string, string>>): TestFolder {
  made = new TestFolder(files);
  return made;
}

describe("what is wrong with a list is said with its place", () => {
  const cases: readonly { name: string; list: string; want: readonly RegExp[] }[] = [
    {
      name: "an input that the template does not have",
      list: 'instance "n" {\n  source = "./network"\n  region = "eu"\n  regoin = "x"\n}',
      want: [
        /Unsupported argument/,
        /line 4/,
        /The template network has no variable "regoin"\. Did you mean "region"\?/,
      ],
    },
    {
      name: "an input that is missing",
      list: 'instance "n" {\n  source = "./network"\n}',
      want: [/Missing required argument/, /line 1/, /needs a value for "region", and the instance "n" gives\s+│ none/],
    },
    {
      name: "an output that the template does not have",
      list: 'instance "n" {\n  source = "./network"\n  region = "eu"\n}\ninstance "a" {\n  source = "./app"\n  vpc_id = instance.n.vpcid\n}',
      want: [/Unknown output/, /line 7/, /has no output "vpcid"\. Did you mean\s+│ "vpc_id"\?/],
    },
    {
      name: "a value of a type that the variable does not take",
      list: 'instance "n" {\n  source = "./network"\n  region = ["eu"]\n}',
      want: [/Invalid value for input variable/, /line 3/, /with instance\.n/],
    },
    {
      name: "an instance that is not there",
      list: 'instance "a" {\n  source = "./app"\n  vpc_id = instance.netwrk.vpc_id\n}\ninstance "network" {\n  source = "./network"\n  region = "eu"\n}',
      want: [/Invalid reference/, /line 3/, /no instance named "netwrk" here\. Did you mean "network"\?/],
    },
    {
      name: "a circle",
      list: 'instance "a" {\n  source = "./app"\n  vpc_id = instance.b.url\n}\ninstance "b" {\n  source = "./app"\n  vpc_id = instance.a.url\n}',
      want: [/Cycle of instances/, /line 1/, /a → b → a/],
    },
    {
      name: "a name that is there twice",
      list: 'instance "a" {\n  source = "./app"\n  vpc_id = "x"\n}\ninstance "a" {\n  source = "./app"\n  vpc_id = "y"\n}',
      want: [/Duplicate instance/, /line 5/, /listed at all\.instances\.hcl:1,1 already/],
    },
    {
      name: "a template that is not there",
      list: 'instance "a" {\n  source = "./apq"\n}',
      want: [/Template not found/, /line 2/, /There is no folder apq/],
    },
    {
      name: "a resource",
      list: 'resource "terraform_data" "a" {}',
      want: [/Unsupported block type/, /line 1/, /belongs into a\s+│ template/],
    },
  ];
  test.each(cases)("$name", async ({ list, want }) => {
    const folder = folderWith({ ...templates, "all.instances.hcl": list });
    for (const command of ["plan", "validate"]) {
      const outcome = await folder.run([command]);
      expect(outcome.code, said(outcome)).toBe(1);
      for (const pattern of want) expect(outcome.err).toMatch(pattern);
    }
  });

  test("in TypeScript too", async () => {
    const folder = folderWith({
      ...templates,
      "all.instances.ts": `import { instance } from "millwright";
const network = instance("network", "./network", { region: "eu" });
instance("app", "./app", {
  vpc_id: network.vpcid,
});
`,
    });
    const outcome = await folder.run(["plan"]);
    expect(outcome.err).toMatch(/Unknown output[^]*on all\.instances\.ts line 4/);
  });

  test("what is wrong inside of a template names its file from here", async () => {
    const folder = folderWith({
      ...inHcl,
      "network/more.tf": 'resource "terraform_data" "x" { input = var.nothing }\n',
    });
    expect((await folder.run(["plan"])).err).toMatch(/on network\/more\.tf line 1/);
  });
});
