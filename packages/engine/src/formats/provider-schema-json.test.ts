import { expect, test } from "vitest";
import { TestEngine } from "../testing/test-engine.ts";
import { providerSchemasJson } from "./provider-schema-json.ts";

const source = { host: "registry.terraform.io", namespace: "millwright", type: "test" };

async function testSchema() {
  const pool = new TestEngine("").pool();
  await pool.load([source]);
  return providerSchemasJson([source], pool);
}

test("without providers there is only the format's version", () => {
  expect(providerSchemasJson([source], new TestEngine("").pool())).toEqual({ format_version: "1.0" });
});

test("attributes have their types and what may be done with them", async () => {
  expect(await testSchema()).toMatchObject({
    format_version: "1.0",
    provider_schemas: {
      "registry.terraform.io/millwright/test": {
        provider: { version: 0, block: { attributes: { prefix: { type: "string", optional: true } } } },
        resource_schemas: {
          test_thing: {
            version: 1,
            block: {
              attributes: {
                name: { type: "string", description_kind: "plain", required: true },
                region: { type: "string", optional: true, computed: true },
                secret: { sensitive: true },
                password_wo: { write_only: true, sensitive: true },
                old_text: { deprecated: true },
                members: { type: ["set", "string"] },
                shape: { type: ["object", { height: "number", width: "number" }] },
                anything: { type: "dynamic" },
                rules: { nested_type: { nesting_mode: "list", attributes: { label: { required: true } } } },
              },
            },
          },
        },
        data_source_schemas: { test_lookup: { block: { attributes: { id: { computed: true } } } } },
        ephemeral_resource_schemas: { test_ticket: {} },
        functions: { shout: { return_type: "string", parameters: [{ name: "text", type: "string" }] } },
      },
    },
  });
});

test("what an attribute is not is left out", async () => {
  const text = JSON.stringify(await testSchema());
  expect(text).not.toMatch(/:false|:null/);
});

test("blocks have their nesting", async () => {
  const json = (await testSchema()) as {
    readonly provider_schemas: Record<
      string,
      {
        readonly resource_schemas: Record<
          string,
          { readonly block: { readonly block_types: Record<string, { readonly nesting_mode: string }> } }
        >;
      }
    >;
  };
  const blocks =
    json.provider_schemas["registry.terraform.io/millwright/test"]!.resource_schemas.test_thing!.block.block_types;
  expect(Object.entries(blocks).map(([name, { nesting_mode }]) => [name, nesting_mode])).toEqual(
    expect.arrayContaining([
      ["one", "single"],
      ["group", "group"],
      ["row", "list"],
      ["tag", "set"],
      ["named", "map"],
    ]),
  );
});
