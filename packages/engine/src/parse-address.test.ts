import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InstanceKey } from "./addresses.ts";
import {
  childModule,
  compareInstances,
  configResourceText,
  instanceAddress,
  parseProviderConfigAddress,
  parseProviderSource,
  providerConfigAddress,
  rootModule,
} from "./addresses.ts";
import { parseAddress, parseModuleInstance } from "./parse-address.ts";

describe("an address is read", () => {
  const cases: readonly { name: string; input: string; want: string | undefined; kind?: "module" | "instance" }[] = [
    { name: "a resource", input: "aws_thing.a", want: "aws_thing.a", kind: "instance" },
    { name: "a resource, spelt out", input: "resource.aws_thing.a", want: "aws_thing.a", kind: "instance" },
    { name: "a data source", input: "data.aws_thing.a[0]", want: "data.aws_thing.a[0]", kind: "instance" },
    { name: "an instance by key", input: 'aws_thing.a["x.y[0]"]', want: 'aws_thing.a["x.y[0]"]', kind: "instance" },
    { name: "a module", input: "module.a.module.b[1]", want: "module.a.module.b[1]", kind: "module" },
    { name: "in a module", input: 'module.a["k"].aws_thing.b', want: 'module.a["k"].aws_thing.b', kind: "instance" },
    { name: "dashes and letters of all kinds", input: "t_x.ä-1", want: "t_x.ä-1", kind: "instance" },
    { name: "nothing", input: "", want: undefined },
    { name: "one word", input: "aws_thing", want: undefined },
    { name: "an attribute of a resource", input: "aws_thing.a.id", want: undefined },
    { name: "a dot at the end of a module", input: "module.a.", want: undefined },
    { name: "a module without a name", input: "module", want: undefined },
    { name: "a negative index", input: "aws_thing.a[-1]", want: undefined },
    { name: "an index with a leading zero", input: "aws_thing.a[01]", want: undefined },
    { name: "an escape that is none", input: 'aws_thing.a["\\x"]', want: undefined },
    { name: "a key that is not closed", input: 'aws_thing.a["x]', want: undefined },
    { name: "a line end in a key", input: 'aws_thing.a["x\n"]', want: undefined },
  ];
  for (const { name, input, want, kind } of cases) {
    test(name, () => {
      const parsed = parseAddress(input);
      const text = parsed?.kind === "module" ? parsed.module.text : parsed?.address.text;
      expect({ text, kind: parsed?.kind }).toEqual({ text: want, kind });
    });
  }
});

// As the real terraform 1.11 prints them.
describe("a key is printed as HCL writes it", () => {
  const cases: readonly [string, string, string][] = [
    ["quotes, backslashes and line ends", 'q"\\ \t\n', String.raw`["q\"\\ \t\n"]`],
    ["template openings", "${x} %{y} $ %", '["$${x} %%{y} $ %"]'],
    ["control characters", "a\u0001b", String.raw`["a\u0001b"]`],
    ["joiners and other spaces", "é\u200dz\u00a0", String.raw`["é\u200dz\u00a0"]`],
    ["emoji", "😀", '["😀"]'],
    ["brackets", "a]b[0]", '["a]b[0]"]'],
  ];
  for (const [name, key, want] of cases) {
    test(name, () => {
      const { text } = instanceAddress(rootModule, { mode: "managed", type: "t", name: "n" }, key);
      expect(text).toBe(`t.n${want}`);
    });
  }
});

const names = fc
  .stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/)
  .filter((name) => !["data", "module", "resource", "ephemeral"].includes(name));
const keys: fc.Arbitrary<InstanceKey> = fc.oneof(
  fc.constant(undefined),
  fc.nat(),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary-ascii" }),
  fc.constantFrom("${", "%{", "$${", "\\u0041", '"', "\u2028", "\u{e0001}"),
);
const modules = fc
  .array(fc.tuple(names, keys), { maxLength: 3 })
  .map((steps) => steps.reduce((parent, [name, key]) => childModule(parent, name, key), rootModule));
const addresses = fc
  .tuple(modules, fc.constantFrom("managed", "data", "ephemeral" as const), names, names, keys)
  .map(([module, mode, type, name, key]) => instanceAddress(module, { mode, type, name }, key));

test("what is printed is read back", () => {
  fc.assert(
    fc.property(addresses, (address) => {
      expect(parseAddress(address.text)).toEqual({ kind: "instance", address, keyGiven: address.key !== undefined });
      expect(parseModuleInstance(address.module.text)).toEqual(address.module);
    }),
    { numRuns: 500 },
  );
});

test("the order of addresses is total and agrees with being the same", () => {
  fc.assert(
    fc.property(addresses, addresses, (a, b) => {
      expect(Math.sign(compareInstances(a, b))).toBe(-Math.sign(compareInstances(b, a)) + 0);
      expect(compareInstances(a, b) === 0).toBe(a.text === b.text);
    }),
  );
});

test("instances stand by number, then by text", () => {
  const of = (key: InstanceKey) => instanceAddress(rootModule, { mode: "managed", type: "t", name: "n" }, key);
  const sorted = ["b", 10, undefined, 9, "a"].map(of).sort(compareInstances);
  expect(sorted.map((address) => address.key)).toEqual([undefined, 9, 10, "a", "b"]);
});

test("configuration knows a resource without keys", () => {
  const address = parseAddress('module.a["x"].module.b[0].t.n[1]');
  expect(address?.kind === "instance" && configResourceText(address.address.module, address.address.resource)).toBe(
    "module.a.module.b.t.n",
  );
});

describe("a provider's source is read", () => {
  const cases: readonly [string, string | undefined][] = [
    ["consul", "registry.terraform.io/hashicorp/consul"],
    ["hashicorp/Consul", "registry.terraform.io/hashicorp/consul"],
    ["example.com:8080/a/b", "example.com:8080/a/b"],
    ["a/b/c/d", undefined],
    ["", undefined],
    ["-a/b", undefined],
    ["a b", undefined],
  ];
  for (const [input, want] of cases) {
    test(JSON.stringify(input), () => {
      const source = parseProviderSource(input);
      expect(source && `${source.host}/${source.namespace}/${source.type}`).toBe(want);
    });
  }
});

test("a provider's configuration address is read back", () => {
  const source = parseProviderSource("hashicorp/consul")!;
  for (const address of [
    providerConfigAddress("", source),
    providerConfigAddress("", source, "west-1"),
    providerConfigAddress("module.a.module.b", source, "x"),
  ]) {
    expect(parseProviderConfigAddress(address.text)).toEqual(address);
  }
  // As Terraform 0.12 wrote them.
  expect(parseProviderConfigAddress("provider.aws.west")?.text).toBe('provider["registry.terraform.io/-/aws"].west');
  expect(parseProviderConfigAddress("module.a.provider.terraform")?.text).toBe(
    'module.a.provider["terraform.io/builtin/terraform"]',
  );
  for (const text of ["", "provider.", 'provider["x y"]', 'module.provider["consul"]'])
    expect(parseProviderConfigAddress(text)).toBeUndefined();
});
