import { describe, expect, test } from "vitest";
import { configGraph, resourceDependencies } from "./config-graph.ts";
import { cyclesOf } from "./graph.ts";
import { loadConfiguration } from "./load/load.ts";
import { filesOf } from "./node-files.ts";

function graphOf(files: string | Readonly<Record<string, string>>) {
  const named = typeof files === "string" ? { "main.tf": files } : files;
  const bytes = new Map(Object.entries(named).map(([path, text]) => [path, new TextEncoder().encode(text)]));
  return configGraph(loadConfiguration(filesOf(bytes), { tofuFiles: true }).value);
}

const resource = (name: string, rest = "") => `resource "t_x" "${name}" {\n ${rest}\n}\n`;
const provider = 'provider["registry.terraform.io/hashicorp/t"]';

describe("a node comes after", () => {
  const cases: readonly {
    name: string;
    files: string | Readonly<Record<string, string>>;
    of: string;
    want: readonly string[];
  }[] = [
    { name: "nothing, where it refers to nothing", files: "locals {\n a = 1\n}\n", of: "local.a", want: [] },
    {
      name: "what its expression refers to, as far as that is declared",
      files: 'variable "v" {\n}\nlocals {\n a = [var.v, local.b, var.none]\n b = 1\n}\n',
      of: "local.a",
      want: ["local.b", "var.v"],
    },
    { name: "its provider", files: resource("a"), of: "t_x.a", want: [provider] },
    {
      name: "its aliased provider",
      files: `provider "t" {\n alias = "b"\n}\n${resource("a", "provider = t.b")}`,
      of: "t_x.a",
      want: [`${provider}.b`],
    },
    {
      name: "its repetition, its body at any depth, and what it says to depend on",
      files: `locals {\n n = 1\n deep = 1\n}\n${resource("b")}${resource("a", "count = local.n\n x {\n y = local.deep\n }\n depends_on = [t_x.b]")}`,
      of: "t_x.a",
      want: ["local.deep", "local.n", provider, "t_x.b"],
    },
    {
      name: "what its conditions refer to, but for itself",
      files: `locals {\n ok = true\n}\n${resource("a", 'lifecycle {\n postcondition {\n condition = self.ok == local.ok && t_x.a.ok\n error_message = "no"\n }\n }')}`,
      of: "t_x.a",
      want: ["local.ok", provider],
    },
    {
      name: "what replaces it",
      files: resource("b") + resource("a", "lifecycle {\n replace_triggered_by = [t_x.b.id]\n }"),
      of: "t_x.a",
      want: [provider, "t_x.b"],
    },
    {
      name: "what its provider's configuration refers to",
      files: `locals {\n p = 1\n}\nprovider "t" {\n x = local.p\n}\n${resource("a")}`,
      of: provider,
      want: ["local.p"],
    },
    {
      name: "the one output of a module that it reads, and the module's expansion",
      files: {
        "main.tf": 'module "m" {\n source = "./m"\n}\nlocals {\n a = module.m.one\n}\n',
        "m/main.tf": 'output "one" {\n value = 1\n}\noutput "two" {\n value = 2\n}\n',
      },
      of: "local.a",
      want: ["module.m (expand)", "module.m.output.one"],
    },
    {
      name: "all outputs of a module that it reads as a whole",
      files: {
        "main.tf": 'module "m" {\n source = "./m"\n}\nlocals {\n a = module.m\n}\n',
        "m/main.tf": 'output "one" {\n value = 1\n}\noutput "two" {\n value = 2\n}\n',
      },
      of: "local.a",
      want: ["module.m (expand)", "module.m.output.one", "module.m.output.two"],
    },
    {
      name: "the end of a module that it says to depend on",
      files: {
        "main.tf": `module "m" {\n source = "./m"\n}\n${resource("a", "depends_on = [module.m]")}`,
        "m/main.tf": "",
      },
      of: "t_x.a",
      want: ["module.m (close)", provider],
    },
    {
      name: "its module's expansion, and the caller's names of its input",
      files: {
        "main.tf": 'locals {\n x = 1\n}\nmodule "m" {\n source = "./m"\n in = local.x\n}\n',
        "m/main.tf": 'variable "in" {\n}\nlocals {\n x = 2\n}\n',
      },
      of: "module.m.var.in",
      want: ["local.x", "module.m (expand)"],
    },
    {
      name: "everything in the module that it is the end of, modules inside of it too",
      files: {
        "main.tf": 'module "m" {\n source = "./m"\n}\n',
        "m/main.tf": 'locals {\n x = 2\n}\nmodule "n" {\n source = "./n"\n}\n',
        "m/n/main.tf": "locals {\n y = 2\n}\n",
      },
      of: "module.m (close)",
      want: ["module.m (expand)", "module.m.local.x", "module.m.module.n (close)", "module.m.module.n (expand)"],
    },
  ];
  for (const { name, files, of, want } of cases) {
    test(name, () => expect([...graphOf(files).dependencies.get(of)!].sort()).toEqual(want));
  }
});

test("a resource that refers to itself outside of its conditions is a circle of one", () => {
  expect(cyclesOf(graphOf(resource("a", "x = t_x.a.id")))).toEqual([["t_x.a"]]);
});

describe("the resources that a resource comes after", () => {
  const cases: readonly { name: string; files: string | Readonly<Record<string, string>>; want: readonly string[] }[] =
    [
      { name: "are none, where it refers to none", files: resource("a"), want: [] },
      { name: "are those it refers to", files: resource("b") + resource("a", "x = t_x.b.id"), want: ["t_x.b"] },
      {
        name: "are those behind locals too",
        files: `${resource("b")}locals {\n one = t_x.b.id\n two = local.one\n}\n${resource("a", "x = local.two")}`,
        want: ["t_x.b"],
      },
      {
        name: "are not those behind another one",
        files: resource("c") + resource("b", "x = t_x.c.id") + resource("a", "x = t_x.b.id"),
        want: ["t_x.b"],
      },
      {
        name: "are those its provider is configured by",
        files: `resource "u_x" "b" {\n}\nprovider "t" {\n x = u_x.b.id\n}\n${resource("a")}`,
        want: ["u_x.b"],
      },
      {
        name: "are those in a module behind its output",
        files: {
          "main.tf": `module "m" {\n source = "./m"\n}\n${resource("a", "x = module.m.o")}`,
          "m/main.tf": `${resource("b")}${resource("unread")}output "o" {\n value = t_x.b.id\n}\n`,
        },
        want: ["module.m.t_x.b"],
      },
      {
        name: "are all of a module that it depends on",
        files: {
          "main.tf": `module "m" {\n source = "./m"\n}\n${resource("a", "depends_on = [module.m]")}`,
          "m/main.tf": resource("b") + resource("c"),
        },
        want: ["module.m.t_x.b", "module.m.t_x.c"],
      },
    ];
  for (const { name, files, want } of cases) {
    test(name, () => expect([...resourceDependencies(graphOf(files)).get("t_x.a")!].sort()).toEqual(want));
  }

  test("are found through a chain of 20,000 locals", () => {
    const locals = Array.from({ length: 20_000 }, (_, i) => ` l${i} = ${i === 0 ? "t_x.b.id" : `local.l${i - 1}`}\n`);
    const graph = graphOf(`locals {\n${locals.join("")}}\n${resource("b")}${resource("a", "x = local.l19999")}`);
    expect([...resourceDependencies(graph).get("t_x.a")!]).toEqual(["t_x.b"]);
  });
});
