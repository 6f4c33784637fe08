import { describe, expect, test } from "vitest";
import { filesOf } from "../node-files.ts";
import { messages } from "../testing/test-engine.ts";
import { checkProviderReferences } from "./check-providers.ts";
import { loadConfiguration } from "./load.ts";

function load(files: string | Readonly<Record<string, string>>) {
  const named = typeof files === "string" ? { "main.tf": files } : files;
  const bytes = new Map(Object.entries(named).map(([path, text]) => [path, new TextEncoder().encode(text)]));
  return loadConfiguration(filesOf(bytes), { tofuFiles: true });
}

const resource = (rest: string) => `resource "t" "a" {\n  ${rest}\n}\n`;
const required = (rest: string) => `terraform {\n  required_providers {\n    ${rest}\n  }\n}\n`;

describe("a declaration against the language's own rules is refused", () => {
  const cases: readonly { name: string; files: string; want: RegExp }[] = [
    {
      name: "a reserved block in a resource",
      files: resource("locals {\n}"),
      want: /Reserved block type name in resource block: The block type name "locals" is reserved/,
    },
    {
      name: "a reserved block in a data source",
      files: 'data "t" "a" {\n locals {\n }\n}\n',
      want: /Reserved block type name in data block/,
    },
    {
      name: "a reserved argument in a provider block",
      files: 'provider "t" {\n count = 1\n}\n',
      want: /Reserved argument name in provider block: The provider argument name "count"/,
    },
    {
      name: "a reserved block in a provider block",
      files: 'provider "t" {\n lifecycle {\n }\n}\n',
      want: /Reserved block type name in provider block/,
    },
    { name: "a second escaping block", files: resource("_ {\n}\n_ {\n}"), want: /Duplicate escaping block/ },
    {
      name: "a provider's name with an underscore",
      files: 'provider "a_b" {\n}\n',
      want: /Invalid provider local name: a_b is an invalid provider local name/,
    },
    {
      name: "a provider's name in capital letters",
      files: required('Foo = { source = "a/foo" }'),
      want: /Provider names must be normalized\. Replace "Foo" with "foo"/,
    },
    {
      name: "a reference to a provider that cannot be one",
      files: resource("provider = my_test"),
      want: /Invalid provider local name/,
    },
    {
      name: "a source with a redundant prefix",
      files: required('a = { source = "x/terraform-provider-a" }'),
      want: /Invalid provider type: .*Did you mean "x\/a"\?/,
    },
    {
      name: "two required_providers blocks",
      files: `${required("")}${required("")}`,
      want: /Duplicate required providers configuration: .*previously configured at main\.tf:2,3/,
    },
    {
      name: "required_providers outside of a terraform block",
      files: "required_providers {\n}\n",
      want: /must be nested inside a "terraform" block/,
    },
    {
      name: "a condition that refers to nothing",
      files: resource('lifecycle {\n precondition {\n condition = true\n error_message = "m"\n }\n}'),
      want: /Invalid precondition expression: The condition expression must refer to at least one object/,
    },
    {
      name: "a rule that is not about its variable",
      files:
        'variable "v" {\n validation {\n condition = local.x\n error_message = "m"\n }\n}\nlocals {\n x = true\n}\n',
      want: /The condition for variable "v" must refer to var\.v/,
    },
    {
      name: "a default that the type does not take",
      files: 'variable "v" {\n type = number\n default = "x"\n}\n',
      want: /Invalid default value for variable: This default value is not compatible with the variable's type constraint: a number is required/,
    },
    {
      name: "null as the default where none may be",
      files: 'variable "v" {\n default = null\n nullable = false\n}\n',
      want: /A null default value is not valid when nullable=false/,
    },
    { name: "an experiment", files: "terraform {\n experiments = [x]\n}\n", want: /Module uses experimental features/ },
    {
      name: "an experiment that has ended",
      files: "terraform {\n experiments = [variable_validation]\n}\n",
      want: /Experiment has concluded: .*"variable_validation"/,
    },
    {
      name: "another edition",
      files: "terraform {\n language = TF2038\n}\n",
      want: /Unsupported language edition: .*only language edition TF2021/,
    },
    {
      name: "another edition of OpenTofu",
      files: "language {\n edition = tofu2038\n}\n",
      want: /only language edition tofu2024/,
    },
    {
      name: "an edition in quotes",
      files: 'language {\n edition = "tofu2024"\n}\n',
      want: /Invalid language edition: .*bare language edition keyword/,
    },
    {
      name: "a later OpenTofu",
      files: 'language {\n compatible_with {\n opentofu = ">= 99"\n }\n}\n',
      want: /Incompatible module: This module asks for OpenTofu >= 99/,
    },
    {
      name: "a constraint that is none",
      files: 'language {\n compatible_with {\n opentofu = "soon"\n }\n}\n',
      want: /Invalid version constraint: "soon" is not a version constraint/,
    },
    {
      name: "metadata for a provider with a variable",
      files: 'terraform {\n provider_meta "t" {\n a = var.x\n }\n}\n',
      want: /Variables not allowed/,
    },
    {
      name: "metadata for a provider twice",
      files: 'terraform {\n provider_meta "t" {\n }\n provider_meta "t" {\n }\n}\n',
      want: /Duplicate provider_meta block/,
    },
    {
      name: "a version for a module that is in a folder",
      files: 'module "m" {\n source = "./m"\n version = "1.0.0"\n}\n',
      want: /Invalid registry module source address: "\.\/m" is no address in a module registry/,
    },
    {
      name: "a deprecation that says nothing",
      files: 'output "o" {\n value = 1\n deprecated = ""\n}\n',
      want: /The "deprecated" argument must not be empty/,
    },
  ];
  for (const { name, files, want } of cases) {
    test(name, () => {
      const errors = load(files).diagnostics.filter(({ severity }) => severity === "error");
      expect(messages(errors).join("\n")).toMatch(want);
    });
  }
});

test("what stands in an escaping block is the provider's, whatever its name", () => {
  const { value, diagnostics } = load(resource("_ {\n count = 2\n locals {\n }\n }"));
  expect(messages(diagnostics)).toEqual([]);
  const found = value.root.resources.get("t.a")!;
  expect(found.repetition.kind).toBe("single");
  expect([...found.body.attributes.keys()]).toEqual(["count"]);
  expect(found.body.blocks.map(({ type }) => type)).toEqual(["locals"]);
});

test("an OpenTofu that fits, and its edition, are fine", () => {
  const text = 'language {\n edition = tofu2024\n compatible_with {\n opentofu = ">= 1.12"\n other = "x"\n }\n}\n';
  expect(messages(load(text).diagnostics)).toEqual([]);
});

test("a .tofu file takes the place of the .tf file of its name", () => {
  const { value } = load({
    "a.tf": 'output "terraform" {\n value = 1\n}\n',
    "a.tofu": 'output "opentofu" {\n value = 1\n}\n',
    "b.tf": 'output "both" {\n value = 1\n}\n',
  });
  expect([...value.root.outputs.keys()]).toEqual(["opentofu", "both"]);
});

describe("what is old or risky about the ways of providers is told of", () => {
  const child = 'provider "t" {\n}\nprovider "t" {\n alias = "x"\n}\nresource "t" "a" {\n}\n';
  const cases: readonly { name: string; main: string; child: string; want: RegExp }[] = [
    {
      name: "empty blocks in a module",
      main: "",
      child,
      want: /Redundant empty provider block: [\s\S]*configuration_aliases = \[\n {8}t\.x,/,
    },
    {
      name: "a name that nothing declares",
      main: "providers = { t = nope }",
      child: "",
      want: /There is no explicit declaration for local provider name "nope" in the root module/,
    },
  ];
  test("one that is handed on by who was not handed it", () => {
    const call = (rest: string) => `module "m" {\n source = "./m"\n ${rest}\n}\n`;
    const needs = (rest: string) => `terraform {\n required_providers {\n t = { source = "a/t"\n ${rest} }\n }\n}\n`;
    const warnings = (rest: string) => {
      const files = {
        "main.tf": `${needs("")}provider "t" {\n}\n${call(rest)}`,
        "m/main.tf": needs("") + call("providers = { t.x = t }"),
        "m/m/main.tf": needs("configuration_aliases = [t.x]"),
      };
      return messages(checkProviderReferences(load(files).value)).join();
    };
    expect(warnings("")).toMatch(/^warning: Missing required provider configuration: .*module\.m expects to inherit/);
    expect(warnings("providers = { t = t }")).toBe("");
  });
  for (const { name, main, child: inside, want } of cases) {
    test(name, () => {
      const { value } = load({ "main.tf": `module "m" {\n source = "./m"\n ${main}\n}\n`, "m/main.tf": inside });
      expect(messages(checkProviderReferences(value)).join("\n")).toMatch(want);
    });
  }

  test("instances that go by the very keys of their provider's", () => {
    const keys = "for_each = { a = 1 }";
    const { value } = load(
      `provider "t" {\n alias = "by"\n ${keys}\n}\n${resource(`provider = t.by[each.key]\n  ${keys}`)}`,
    );
    expect(messages(checkProviderReferences(value)).join()).toMatch(/Provider configuration for_each matches resource/);
  });
});
