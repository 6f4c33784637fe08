import { describe, expect, test } from "vitest";
import type { State } from "../state.ts";
import { emptyState } from "../state.ts";
import { TestEngine } from "../testing/test-engine.ts";
import { stateJson } from "./state-json.ts";

const required = 'terraform {\n required_providers {\n test = { source = "millwright/test" }\n }\n}\n';
const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n name = "${name}"\n ${rest}\n}\n`;

async function jsonOf(engine: TestEngine, state: State = engine.state) {
  return (await stateJson(state, engine.pool())) as { readonly values: Record<string, unknown> };
}

test("an empty state has an empty root module", async () => {
  expect(await jsonOf(new TestEngine(""), emptyState)).toEqual({
    format_version: "1.0",
    terraform_version: "1.11.4",
    values: { root_module: {} },
  });
});

test("a resource has its address, provider, values, and what it was made after", async () => {
  const engine = new TestEngine("");
  await engine.given(small("a") + small("b", "value = test_small.a.name"));
  expect((await jsonOf(engine)).values.root_module).toEqual({
    resources: [
      expect.objectContaining({ address: "test_small.a" }),
      {
        address: "test_small.b",
        mode: "managed",
        type: "test_small",
        name: "b",
        provider_name: "registry.terraform.io/millwright/test",
        schema_version: 0,
        values: engine.attributes("test_small.b"),
        sensitive_values: {},
        depends_on: ["test_small.a"],
      },
    ],
  });
});

test("outputs have their types, and say which are sensitive; their values are in clear", async () => {
  const engine = new TestEngine("");
  await engine.given('output "o" {\n value = [1]\n}\noutput "s" {\n value = "s3cret"\n sensitive = true\n}\n');
  expect((await jsonOf(engine)).values.outputs).toEqual({
    o: { sensitive: false, value: [1], type: ["tuple", ["number"]] },
    s: { sensitive: true, value: "s3cret", type: "string" },
  });
});

test("modules are a tree, and those without resources of their own lead to others", async () => {
  const engine = new TestEngine("");
  await engine.given({
    "main.tf": 'module "m" {\n source = "./m"\n count = 2\n}\n',
    "m/main.tf": 'module "n" {\n source = "./n"\n}\n',
    "m/n/main.tf": required + small("a", "count = 2"),
  });
  const leaf = (index: number) => ({
    address: `module.m[${index}]`,
    child_modules: [
      {
        address: `module.m[${index}].module.n`,
        resources: [0, 1].map((key) =>
          expect.objectContaining({ address: `module.m[${index}].module.n.test_small.a[${key}]`, index: key }),
        ),
      },
    ],
  });
  expect((await jsonOf(engine)).values.root_module).toEqual({ child_modules: [leaf(0), leaf(1)] });
});

describe("an object that is not whole says so", () => {
  test("one that is tainted", async () => {
    const engine = new TestEngine(small("a"));
    engine.provider.faults.add({ on: "create", name: "a", how: "failHalfway", times: 1 });
    await engine.apply();
    expect((await jsonOf(engine)).values.root_module).toMatchObject({ resources: [{ tainted: true }] });
  });

  test("one that was replaced and could not be destroyed", async () => {
    const lifecycle = "lifecycle {\n create_before_destroy = true\n }";
    const engine = new TestEngine("");
    await engine.given(small("a", `force = "1"\n ${lifecycle}`));
    engine.configure(small("a", `force = "2"\n ${lifecycle}`));
    engine.provider.faults.add({ on: "delete", how: "fail", times: 1 });
    await engine.apply();
    expect((await jsonOf(engine)).values.root_module).toMatchObject({
      resources: [
        { address: "test_small.a", values: { force: "2" } },
        { address: "test_small.a", values: { force: "1" }, deposed_key: expect.stringMatching(/^[0-9a-f]{8}$/) },
      ],
    });
  });
});
