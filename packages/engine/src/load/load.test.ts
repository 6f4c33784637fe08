import { describe, expect, test } from "vitest";
import { filesOf } from "../node-files.ts";
import { messages } from "../testing/test-engine.ts";
import { loadConfiguration } from "./load.ts";

function load(files: string | Readonly<Record<string, string>>) {
  const named = typeof files === "string" ? { "main.tf": files } : files;
  const encoder = new TextEncoder();
  const all = new Map(Object.entries(named).map(([path, text]) => [path, encoder.encode(text)]));
  return loadConfiguration(filesOf(all), { tofuFiles: true });
}

describe("a configuration is refused, with the place and what to do", () => {
  const cases: readonly {
    name: string;
    files: string | Readonly<Record<string, string>>;
    want: RegExp;
    at?: string;
  }[] = [
    {
      name: "a resource declared twice",
      files: 'resource "t" "a" {\n}\nresource "t" "a" {\n}',
      want: /Duplicate resource "t" configuration: .*"a" was already declared at main.tf:1,1/,
      at: "main.tf:3",
    },
    {
      name: "a variable declared twice, in two files",
      files: { "a.tf": 'variable "v" {\n}', "b.tf": 'variable "v" {\n}' },
      want: /Duplicate variable declaration: .*a.tf:1,1/,
      at: "b.tf:1",
    },
    {
      name: "an output declared twice",
      files: 'output "o" {\n value = 1\n}\noutput "o" {\n value = 2\n}',
      want: /Duplicate output definition/,
    },
    {
      name: "a local declared twice",
      files: "locals {\n a = 1\n}\nlocals {\n a = 2\n}",
      want: /Duplicate local value definition/,
    },
    {
      name: "a module called twice",
      files: { "main.tf": 'module "m" {\n source = "./m"\n}\nmodule "m" {\n source = "./m"\n}', "m/a.tf": "" },
      want: /Duplicate module call/,
    },
    {
      name: "a provider configured twice",
      files: 'provider "p" {\n}\nprovider "p" {\n}',
      want: /Duplicate provider configuration/,
    },
    {
      name: "an unknown block",
      files: 'resuorce "t" "a" {\n}',
      want: /Unsupported block type: .*Did you mean "resource"\?/,
    },
    { name: "a label too few", files: 'resource "t" {\n}', want: /Missing name for resource/ },
    { name: "a label too many", files: 'variable "v" "w" {\n}', want: /Extraneous label for variable/ },
    { name: "a name that is none", files: 'resource "t" "1a" {\n}', want: /Invalid resource name/ },
    { name: "a reserved variable", files: 'variable "source" {\n}', want: /Invalid variable name: .*reserved/ },
    {
      name: "count beside for_each",
      files: 'resource "t" "a" {\n count = 1\n for_each = {}\n}',
      want: /Invalid combination of "count" and "for_each"/,
    },
    {
      name: "an override of nothing",
      files: { "override.tf": 'resource "t" "a" {\n}' },
      want: /Missing resource to override/,
    },
    {
      name: "a module in no folder",
      files: 'module "m" {\n source = "./none"\n}',
      want: /Module not available: There is no folder none/,
    },
    {
      name: "a module from a registry",
      files: 'module "m" {\n source = "hashicorp/consul/aws"\n}',
      want: /Module not installed: This module is not yet installed/,
    },
    { name: "a module without a source", files: 'module "m" {\n}', want: /Missing required argument: .*"source"/ },
    {
      name: "a module that calls itself",
      files: { "main.tf": 'module "m" {\n source = "./m"\n}', "m/main.tf": 'module "again" {\n source = "../m"\n}' },
      want: /calls itself, by way of m → again/,
    },
    {
      name: "a module that calls its caller",
      files: { "main.tf": 'module "m" {\n source = "./m"\n}', "m/main.tf": 'module "up" {\n source = "../"\n}' },
      want: /calls itself/,
    },
    {
      name: "an input that a module does not have",
      files: {
        "main.tf": 'module "m" {\n source = "./m"\n nmae = 1\n}',
        "m/a.tf": 'variable "name" {\n default = 1\n}',
      },
      want: /Unsupported argument: .*Did you mean "name"\?/,
      at: "main.tf:3",
    },
    {
      name: "an input that a module needs",
      files: { "main.tf": 'module "m" {\n source = "./m"\n}', "m/a.tf": 'variable "name" {\n}' },
      want: /Missing required argument: The argument "name" is required by module "m"/,
    },
    {
      name: "depends_on of a computed name",
      files: 'resource "t" "a" {\n depends_on = [join(".", ["a"])]\n}',
      want: /A single static reference is required/,
    },
    {
      name: "a lifecycle twice",
      files: 'resource "t" "a" {\n lifecycle {\n }\n lifecycle {\n }\n}',
      want: /Duplicate lifecycle block/,
    },
    {
      name: "a lifecycle argument that is computed",
      files: 'resource "t" "a" {\n lifecycle {\n create_before_destroy = var.x\n }\n}',
      want: /Variables not allowed|needed before anything is evaluated/,
    },
    {
      name: "an unknown lifecycle argument",
      files: 'resource "t" "a" {\n lifecycle {\n prevent_destory = true\n }\n}',
      want: /Unsupported argument.*prevent_dest/s,
    },
    {
      name: "a provider source that is none",
      files: 'terraform {\n required_providers {\n p = { source = "a/b/c/d" }\n }\n}',
      want: /Invalid provider source string/,
    },
    {
      name: "an action block",
      files: 'action "a" "b" {}',
      want: /Unsupported block type: Blocks of type "action" came with Terraform 1.14/,
    },
    {
      name: "an argument outside of any block",
      files: "x = 1",
      want: /Unsupported argument: An argument named "x" is not expected here/,
      at: "main.tf:1",
    },
    { name: "a property of JSON that is no block", files: { "a.tf.json": '{"resuorce": {}}' }, want: /resuorce/ },
    {
      name: "an action block in JSON",
      files: { "a.tf.json": '{"action": {"a": {"b": {}}}}' },
      want: /Unsupported block type: Blocks of type "action" came with Terraform 1.14/,
    },
    { name: "an output without a value", files: 'output "o" {\n}', want: /Missing required argument: .*"value"/ },
    {
      name: "a syntax error, with the rest still read",
      files: 'resource "t" "a" {\n x = \n}\nvariable "source" {\n}',
      want: /Invalid expression.*Invalid variable name/s,
    },
  ];
  for (const { name, files, want, at } of cases) {
    test(name, () => {
      const { diagnostics } = load(files);
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      expect(messages(errors).join("\n")).toMatch(want);
      if (at !== undefined) expect(`${errors[0]!.subject?.filename}:${errors[0]!.subject?.start.line}`).toBe(at);
    });
  }
});

describe("a configuration is read", () => {
  const clean = (files: Parameters<typeof load>[0]) => {
    const { value, diagnostics } = load(files);
    expect(messages(diagnostics)).toEqual([]);
    return value;
  };

  test("from JSON as from the native syntax", () => {
    const { root } = clean({
      "main.tf.json":
        '{"variable":{"v":{"default":1}},"resource":{"t":{"a":{"count":2,"depends_on":["t.b"],"lifecycle":{"ignore_changes":["x"],"create_before_destroy":true}},"b":{}}}}',
    });
    const resource = root.resources.get("t.a")!;
    expect(resource.repetition.kind).toBe("count");
    expect(resource.dependsOn.map((traversal) => traversal.root.name)).toEqual(["t"]);
    expect(resource.lifecycle.createBeforeDestroy).toBe(true);
    expect(resource.lifecycle.ignoreChanges.kind).toBe("some");
    expect([...root.variables.keys()]).toEqual(["v"]);
  });

  test("with override files laid over it, argument by argument", () => {
    const { root } = clean({
      "main.tf":
        'resource "t" "a" {\n x = 1\n y = 1\n lifecycle {\n prevent_destroy = true\n }\n}\nvariable "v" {\n default = 1\n description = "d"\n}',
      "a_override.tf": 'resource "t" "a" {\n x = 2\n}\nvariable "v" {\n default = 2\n}',
      "override.tf": 'resource "t" "a" {\n lifecycle {\n create_before_destroy = true\n }\n}',
    });
    const resource = root.resources.get("t.a")!;
    expect(
      [...resource.body.attributes.values()].map(
        ({ name, expression: e }) => `${name}=${e.file.text.slice(e.start, e.end)}`,
      ),
    ).toEqual(["x=2", "y=1"]);
    expect(resource.lifecycle).toMatchObject({ preventDestroy: expect.anything(), createBeforeDestroy: true });
    expect(root.variables.get("v")).toMatchObject({ description: "d" });
  });

  test("with override files of JSON laid over JSON", () => {
    const { root } = clean({
      "main.tf.json": '{"resource":{"t":{"a":{"count":1,"lifecycle":{"prevent_destroy":true}}}}}',
      "override.tf.json": '{"resource":{"t":{"a":{"provider":"t.west","lifecycle":{"create_before_destroy":true}}}}}',
    });
    expect(root.resources.get("t.a")).toMatchObject({
      repetition: { kind: "count" },
      provider: { alias: "west" },
      lifecycle: { preventDestroy: expect.anything(), createBeforeDestroy: true },
    });
  });

  test("with local values overridden in whichever block they are", () => {
    const { root } = clean({
      "main.tf": "locals {\n a = 1\n}\nlocals {\n b = 1\n}",
      "override.tf": "locals {\n a = 2\n b = 2\n}",
    });
    const values = [...root.locals.values()].map(
      ({ name, expression: e }) => `${name}=${e.file.text.slice(e.start, e.end)}`,
    );
    expect(values).toEqual(["a=2", "b=2"]);
  });

  test("with modules inside modules, each with its folder", () => {
    const { modules } = clean({
      "main.tf": 'module "a" {\n source = "./x/a"\n}',
      "x/a/main.tf": 'module "b" {\n source = "../b"\n}',
      "x/b/main.tf": "",
    });
    expect([...modules].map(([path, { folder }]) => [path, folder])).toEqual([
      ["", "."],
      ["module.a", "x/a"],
      ["module.a.module.b", "x/b"],
    ]);
  });

  test("with the same module called by two names", () => {
    const { modules } = clean({
      "main.tf": 'module "a" {\n source = "./m"\n}\nmodule "b" {\n source = "./m"\n}',
      "m/main.tf": "",
    });
    expect([...modules.keys()]).toEqual(["", "module.a", "module.b"]);
  });

  test("from a .tofu file instead of the .tf file of that name", () => {
    expect([...clean({ "a.tf": 'variable "x" {\n}', "a.tofu": 'variable "y" {\n}' }).root.variables.keys()]).toEqual([
      "y",
    ]);
  });

  test("without an editor's leavings", () => {
    const { root } = clean({ "a.tf": "", "a.tf~": "{", ".b.tf": "{", "#c.tf#": "{", "d.txt": "{" });
    expect(root.variables.size).toBe(0);
  });

  test("with quoted references of 2016, which warn", () => {
    const { value, diagnostics } = load(
      'resource "t" "a" {\n depends_on = ["t.b"]\n provider = "t.west"\n lifecycle {\n ignore_changes = ["id"]\n }\n}\nresource "t" "b" {\n}',
    );
    expect(diagnostics.every(({ severity }) => severity === "warning")).toBe(true);
    const resource = value.root.resources.get("t.a")!;
    expect(resource.provider).toMatchObject({ localName: "t", alias: "west" });
    expect(resource.lifecycle.ignoreChanges).toMatchObject({ kind: "some" });
  });
});
