import { describe, expect, test } from "vitest";
import { parseProviderConfigAddress, providerConfigAddress } from "./addresses.ts";
import { readStateFile } from "./statefile/read.ts";
import { writeStateFile } from "./statefile/write.ts";
import { messages, plainOf, TestEngine } from "./testing/test-engine.ts";
import type { Value } from "@millwright/value/value";

const regions = (list: string) => `
locals {
  regions = toset(${list})
}
provider "test" {
  alias    = "by"
  for_each = { for name in ${list} : name => "\${name}-" }
  prefix   = each.value
}
`;
const many = (list: string) => `${regions(list).replace(/locals \{[^}]*\}/, "")}
resource "test_small" "a" {
  for_each = { for name in ${list} : name => true }
  provider = test.by[each.key]
  name     = each.key
}
`;
const west = '["east", "west"]';

function configured(engine: TestEngine): unknown[] {
  return engine.provider.log.calls
    .filter(({ method }) => method === "configure")
    .map(({ request }) => plainOf((request as { readonly config: Value }).config));
}

test("each instance of a provider configuration is configured for itself, and serves its own", async () => {
  const engine = new TestEngine(many(west));
  const { diagnostics } = await engine.apply();
  expect(messages(diagnostics)).toEqual([]);
  expect(new Set(configured(engine).map((config) => JSON.stringify(config)))).toEqual(
    new Set(['{"prefix":"east-"}', '{"prefix":"west-"}']),
  );
  const resource = engine.state.resources.get("test_small.a");
  expect(resource?.provider).toBe('provider["registry.terraform.io/millwright/test"].by');
  expect([...resource!.instances.values()].map(({ providerKey }) => providerKey)).toEqual(["east", "west"]);
});

test("a state names the instance with each object, as OpenTofu does, and is read back the same", async () => {
  const engine = new TestEngine("");
  await engine.given(many(west));
  const text = writeStateFile({ lineage: "l", serial: 1, state: engine.state });
  const plain = JSON.parse(text) as { resources: { provider?: string; instances: { provider?: string }[] }[] };
  expect(plain.resources[0]?.provider).toBeUndefined();
  expect(plain.resources[0]?.instances.map(({ provider }) => provider)).toEqual([
    'provider["registry.terraform.io/millwright/test"].by["east"]',
    'provider["registry.terraform.io/millwright/test"].by["west"]',
  ]);
  const read = readStateFile(text, "terraform.tfstate");
  expect(writeStateFile({ lineage: "l", serial: 1, state: read.value.state })).toBe(text);
});

test("an instance that is gone while its object remains is asked for", async () => {
  const engine = new TestEngine("");
  await engine.given(many(west));
  engine.configure(many('["east"]'));
  const { diagnostics } = await engine.plan();
  expect(messages(diagnostics).join("\n")).toMatch(
    /Provider instance not present: To work with test_small\.a\["west"\].* at provider\["registry\.terraform\.io\/millwright\/test"\]\.by\["west"\] is required/,
  );
});

test("an object goes by the instance that made it, while that is still there", async () => {
  const engine = new TestEngine("");
  await engine.given(many(west));
  engine.configure(`${regions(west).replace(/locals \{[^}]*\}/, "")}`);
  const result = await engine.apply();
  expect(messages(result.diagnostics)).toEqual([]);
  expect(engine.objects()).toEqual([]);
});

test("a module is handed an instance by the key of its own instance", async () => {
  const engine = new TestEngine({
    "main.tf": `${many(west).replace(/resource[\s\S]*$/, "")}
module "m" {
  source    = "./m"
  for_each  = { east = 1, west = 2 }
  providers = { test = test.by[each.key] }
}
`,
    "m/main.tf": `terraform {
  required_providers {
    test = { source = "millwright/test" }
  }
}
resource "test_small" "a" {
  name = "a"
}
`,
  });
  const { diagnostics } = await engine.apply();
  expect(messages(diagnostics)).toEqual([]);
  expect([...engine.state.resources.values()].map(({ instances }) => [...instances.values()][0]?.providerKey)).toEqual([
    "east",
    "west",
  ]);
});

describe("a provider that cannot be told is refused", () => {
  const aliased = 'provider "test" {\n alias = "west"\n}\n';
  const by = many(west).replace(/resource[\s\S]*$/, "");
  const small = (provider: string) => `resource "test_small" "a" {\n provider = ${provider}\n name = "a"\n}\n`;
  const child = (rest: string) =>
    `terraform {\n required_providers {\n test = {\n source = "millwright/test"\n ${rest}\n }\n }\n}\n`;
  const cases: readonly { name: string; main: string; module?: string; want: RegExp }[] = [
    {
      name: "an alias that is not there",
      main: `${aliased}${small("test.wset")}`,
      want: /Provider configuration not present: .*Did you mean test\.west\?/,
    },
    {
      name: "an instance without its key",
      main: `${by}${small("test.by")}`,
      want: /Invalid resource provider configuration: .*The keys are "east", "west"/,
    },
    {
      name: "a key where there are no instances",
      main: `${aliased}${small('test.west["a"]')}`,
      want: /Unexpected provider instance key: .*has no for_each/,
    },
    {
      name: "a key that no instance has",
      main: `${by}${small('test.by["north"]')}`,
      want: /Invalid provider instance key: .*by\["north"\]/,
    },
    {
      name: "a null key",
      main: `${by}${small("test.by[null]")}`,
      want: /Invalid provider instance key: A provider instance key must not be null/,
    },
    {
      name: "instances without an alias",
      main: `provider "test" {\n for_each = {}\n}\n`,
      want: /Provider configuration for_each requires alias/,
    },
    {
      name: "instances by what is not known before",
      main: `provider "test" {\n alias = "x"\n for_each = { a = test_small.a.id }\n}\n${small("test")}`,
      want: /Dynamic value in static context: Unable to use test_small\.a .*provider\.test\.x\.for_each/,
    },
    {
      name: "a module that wants more than it is given",
      main: 'module "m" {\n source = "./m"\n}\n',
      module: child("configuration_aliases = [test.east]"),
      want: /Missing required provider configuration: .*with the local name "test\.east"/,
    },
    {
      name: "a module that has its own",
      main: 'module "m" {\n source = "./m"\n providers = { test = test }\n}\n',
      module: `${child("")}provider "test" {\n prefix = "p"\n}\n`,
      want: /Cannot override provider configuration/,
    },
    {
      name: "a repeated module with a configuration of its own",
      main: 'module "m" {\n source = "./m"\n count = 2\n}\n',
      module: `${child("")}provider "test" {\n prefix = "p"\n}\n`,
      want: /Module is incompatible with count, for_each, and depends_on: The module at module\.m is a legacy module/,
    },
    {
      name: "another provider than the module means",
      main: 'module "m" {\n source = "./m"\n providers = { test = terraform }\n}\n',
      module: child(""),
      want: /Provider type mismatch/,
    },
    {
      name: "a name that the module does not know",
      main: 'module "m" {\n source = "./m"\n providers = { test.more = test }\n}\n',
      module: child(""),
      want: /Reference to undefined provider: [\s\S]*configuration_aliases/,
    },
  ];
  for (const { name, main, module, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine(module === undefined ? main : { "main.tf": main, "m/main.tf": module });
      expect(messages((await engine.plan()).diagnostics).join("\n")).toMatch(want);
    });
  }
});

test("a configuration that nothing uses is not even evaluated", async () => {
  const engine = new TestEngine('provider "test" {\n alias = "x"\n prefix = [1]\n}\n');
  expect(messages((await engine.plan()).diagnostics)).toEqual([]);
  expect(messages(await engine.validate())).toEqual([]);
});

describe("the address of an instance is read back from its text", () => {
  for (const key of ["plain", 'with "quotes"', "with ${template}", "line\nbreak", "]["]) {
    test(key, () => {
      const source = { host: "registry.terraform.io", namespace: "millwright", type: "test" };
      const address = providerConfigAddress("module.m", source, "by", key);
      expect(parseProviderConfigAddress(address.text)).toEqual(address);
    });
  }
});
