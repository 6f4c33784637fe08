import { describe, expect, test } from "vitest";
import { TestEngine, type TestFiles } from "../testing/test-engine.ts";
import { configurationJson } from "./configuration-json.ts";

interface ModuleJson {
  readonly resources: readonly { readonly expressions: Record<string, unknown> }[];
}

async function jsonOf(files: TestFiles) {
  const { configuration } = new TestEngine(files).context(false, []);
  const pool = new TestEngine("").pool();
  await pool.load([{ host: "registry.terraform.io", namespace: "millwright", type: "test" }]);
  return configurationJson(configuration, pool) as { readonly root_module: ModuleJson };
}

describe("an expression is told as", () => {
  const base = 'variable "v" {\n}\nresource "test_small" "b" {\n count = 1\n name = "b"\n}\n';
  const cases: readonly { name: string; text: string; want: unknown }[] = [
    { name: "its constant", text: '"x"', want: { constant_value: "x" } },
    { name: "its constant, where that is worked out", text: '"${1 + 1}"', want: { constant_value: 2 } },
    { name: "the variable it refers to", text: "var.v", want: { references: ["var.v"] } },
    {
      name: "the attribute it refers to, and all that is a part of",
      text: "test_small.b[0].id",
      want: { references: ["test_small.b[0].id", "test_small.b[0]", "test_small.b"] },
    },
    {
      name: "each reference as often as it is there",
      text: '"${var.v}${var.v}"',
      want: { references: ["var.v", "var.v"] },
    },
    { name: "nothing, where it calls a function", text: 'upper("x")', want: {} },
  ];
  for (const { name, text, want } of cases) {
    test(name, async () => {
      const json = await jsonOf(`${base}resource "test_small" "a" {\n name = "a"\n value = ${text}\n}\n`);
      expect(json.root_module.resources[0]!.expressions).toEqual({ name: { constant_value: "a" }, value: want });
    });
  }
});

test("blocks are lists or objects, as their schema nests them", async () => {
  const json = await jsonOf(
    'resource "test_thing" "a" {\n name = "a"\n one {\n label = "l"\n }\n row {\n label = "1"\n }\n row {\n label = "2"\n }\n}\n',
  );
  const label = (text: string) => ({ label: { constant_value: text } });
  expect(json.root_module.resources[0]!.expressions).toEqual({
    name: { constant_value: "a" },
    one: label("l"),
    row: [label("1"), label("2")],
  });
});

test("resources come before data sources, with their provider and how they are repeated", async () => {
  const json = await jsonOf(
    'provider "test" {\n alias = "x"\n prefix = "p"\n}\ndata "test_lookup" "d" {\n name = "n"\n}\nresource "test_small" "a" {\n provider = test.x\n count = 2\n name = "a"\n depends_on = [data.test_lookup.d]\n}\n',
  );
  expect(json).toMatchObject({
    provider_config: {
      "test.x": {
        name: "test",
        full_name: "registry.terraform.io/millwright/test",
        alias: "x",
        expressions: { prefix: { constant_value: "p" } },
      },
      test: { name: "test" },
    },
    root_module: {
      resources: [
        {
          address: "test_small.a",
          mode: "managed",
          provider_config_key: "test.x",
          count_expression: { constant_value: 2 },
          depends_on: ["data.test_lookup.d"],
        },
        { address: "data.test_lookup.d", mode: "data", provider_config_key: "test" },
      ],
    },
  });
});

test("a module call has its inputs and its module inside", async () => {
  const json = await jsonOf({
    "main.tf": 'module "m" {\n source = "./m"\n for_each = { k = 1 }\n in = each.key\n}\n',
    "m/main.tf":
      'variable "in" {\n default = "x"\n sensitive = true\n description = "in"\n}\noutput "out" {\n value = var.in\n sensitive = true\n}\n',
  });
  expect(json).toMatchObject({
    root_module: {
      module_calls: {
        m: {
          source: "./m",
          expressions: { in: { references: ["each.key"] } },
          for_each_expression: { constant_value: { k: 1 } },
          module: {
            outputs: { out: { sensitive: true, expression: { references: ["var.in"] } } },
            variables: { in: { default: "x", description: "in", sensitive: true } },
          },
        },
      },
    },
  });
});

test("providers are told with their version constraints, also those that no resource uses", async () => {
  const files = `terraform {
  required_providers {
    test = { source = "millwright/test" }
    other = {
      source  = "example.com/me/other"
      version = ">= 0.1, <2"
    }
  }
}
provider "other" {
}
provider "test" {
  alias  = "two"
  prefix = "p"
}
variable "v" {
  type = object({
    a = optional(number, 1)
  })
  default = {}
}
`;
  const json: Readonly<Record<string, unknown>> = await jsonOf(files);
  const common = { name: "test", full_name: "registry.terraform.io/millwright/test" };
  expect(json.provider_config).toEqual({
    "test.two": { ...common, alias: "two", expressions: { prefix: { constant_value: "p" } } },
    other: { name: "other", full_name: "example.com/me/other", version_constraint: ">= 0.1.0, < 2.0.0" },
  });
  expect(json.root_module).toEqual({ variables: { v: { default: { a: 1 } } } });
});
