import { readFileSync } from "node:fs";
import { fromPlain } from "@millwright/value/json";
import { plainOf, summaries } from "../testing/test-engine.ts";
import { describe, expect, test } from "vitest";
import { instancesOf } from "../state.ts";
import { readStateFile } from "./read.ts";
import { writeStateFile } from "./write.ts";

const golden = (name: string) => readFileSync(new URL(`../../testdata/states/${name}`, import.meta.url), "utf8");

/** Reads a state, which must go well, and writes it again. */
function roundTrip(text: string): string {
  const { value, diagnostics } = readStateFile(text, "terraform.tfstate");
  expect(diagnostics).toEqual([]);
  return writeStateFile(value);
}

describe("what the real terraform 1.11 wrote", () => {
  const text = golden("terraform-1.11.tfstate");

  test("is read with all its instances", () => {
    const { value } = readStateFile(text, "terraform.tfstate");
    const all = instancesOf(value.state);
    expect(all).toHaveLength(17);
    expect(all.map(({ address }) => address.text).filter((address) => address.includes("each"))).toEqual([
      'terraform_data.each["q\\"[0]"]',
      'terraform_data.each["x"]',
    ]);
    const tainted = all.filter(({ instance }) => instance.current?.status === "tainted");
    expect(tainted.map(({ address }) => address.text)).toEqual(["terraform_data.counted[3]"]);
    expect(value.state.outputs.get("hidden")?.sensitive).toBe(true);
    expect(plainOf(value.state.outputs.get("o")!.value)).toEqual([1, "two", { three: 3.25 }]);
  });

  test("is written again as the same document, to the byte of every number", () => {
    expect(JSON.parse(roundTrip(text))).toEqual(JSON.parse(text));
    expect(roundTrip(text)).toContain("123456789012345678901234567890");
  });

  test("stays the same from then on", () => {
    const once = roundTrip(text);
    expect(roundTrip(once)).toBe(once);
  });
});

const file = (parts: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({
    version: 4,
    terraform_version: "1.11.4",
    serial: 1,
    lineage: "l",
    outputs: {},
    resources: [],
    check_results: null,
    ...parts,
  });
const resource = (instance: Readonly<Record<string, unknown>>, parts: Readonly<Record<string, unknown>> = {}) => ({
  mode: "managed",
  type: "test_thing",
  name: "a",
  provider: 'provider["registry.terraform.io/millwright/test"]',
  instances: [{ schema_version: 0, attributes: {}, sensitive_attributes: [], ...instance }],
  ...parts,
});

describe("everything of an object is kept", () => {
  const cases: readonly { name: string; instance: Readonly<Record<string, unknown>> }[] = [
    {
      name: "what this program does not know",
      instance: { future: [1] },
    },
    { name: "an identity of Terraform 1.12", instance: { identity: { id: "x", n: 1e30 }, identity_schema_version: 2 } },
    { name: "numbers of any size", instance: { attributes: { n: 1 } } },
    { name: "the provider's own bytes", instance: { private: "eyJ4IjoxfQ==" } },
    { name: "dependencies", instance: { dependencies: ["data.x.y", "module.m.x.y"] } },
    { name: "create_before_destroy", instance: { create_before_destroy: true } },
    { name: "a taint", instance: { status: "tainted" } },
    { name: "a deposed key", instance: { deposed: "0123abcd" } },
    { name: "a text key", instance: { index_key: 'a"b' } },
    { name: "a number as key", instance: { index_key: 7 } },
    { name: "a schema version", instance: { schema_version: 3 } },
    {
      name: "sensitive paths",
      instance: {
        sensitive_attributes: [
          [
            { type: "get_attr", value: "a" },
            { type: "index", value: { value: "k", type: "string" } },
          ],
          [
            { type: "get_attr", value: "b" },
            { type: "index", value: { value: 0, type: "number" } },
          ],
        ],
      },
    },
  ];
  for (const { name, instance } of cases) {
    test(name, () => {
      const text = file({ resources: [resource(instance)] });
      expect(JSON.parse(roundTrip(text))).toEqual(JSON.parse(text));
    });
  }

  test("flat attributes of Terraform before 0.12", () => {
    const { attributes: _, ...rest } = resource({}).instances[0]!;
    const text = file({ resources: [{ ...resource({}), instances: [{ ...rest, attributes_flat: { id: "1" } }] }] });
    expect(JSON.parse(roundTrip(text))).toEqual(JSON.parse(text));
  });

  test("results of checks", () => {
    const text = file({
      check_results: [{ object_kind: "resource", config_addr: "a.b", status: "pass", objects: [] }],
    });
    expect(JSON.parse(roundTrip(text))).toEqual(JSON.parse(text));
  });
});

test("instances of a resource may stand in several entries", () => {
  const { value } = readStateFile(file({ resources: [resource({}), resource({ index_key: 1 })] }), "x");
  expect(instancesOf(value.state).map(({ address }) => address.text)).toEqual(["test_thing.a", "test_thing.a[1]"]);
});

test("numbers keep all their digits", () => {
  const digits = ["1e400", "0.1000000000000000055511151231257827", "-0", "12345678901234567890", "1.50"];
  const text = file().replace(
    '"resources":[]',
    `"resources":[${JSON.stringify(resource({})).replace('"attributes":{}', `"attributes":{"n":[${digits.join(",")}]}`)}]`,
  );
  const written = roundTrip(text).replace(/\s/g, "");
  expect(written).toContain(`"n":[${digits.join(",")}]`);
});

describe("what cannot be read is refused as a whole", () => {
  const cases: readonly { name: string; input: string; want: RegExp }[] = [
    { name: "nothing", input: "", want: /Invalid JSON in state file/ },
    { name: "a file that was cut off", input: file().slice(0, 40), want: /Invalid JSON.*cut off or damaged/s },
    { name: "a list", input: "[]", want: /Not a state file: .*not a JSON object/ },
    { name: "no version", input: "{}", want: /Not a state file: .*"version" is missing/ },
    {
      name: "version 3",
      input: '{"version":3,"serial":1,"lineage":"x","modules":[]}',
      want: /Unsupported state file format: .*Terraform 0.12/,
    },
    { name: "a newer version", input: '{"version":5}', want: /Unsupported state file format: .*version 5/ },
    { name: "no lineage", input: '{"version":4,"serial":1}', want: /"lineage" or "serial" is missing/ },
    {
      name: "a resource without a name",
      input: file({ resources: [{ mode: "managed" }] }),
      want: /Entry 0 of "resources"/,
    },
    {
      name: "a resource with a provider that is none",
      input: file({ resources: [{ ...resource({}), provider: "test" }] }),
      want: /Entry 0 of "resources"/,
    },
    {
      name: "a key that is none",
      input: file({ resources: [resource({ index_key: true })] }),
      want: /neither text nor a number/,
    },
    {
      name: "a sensitive path that is none",
      input: file({ resources: [resource({ sensitive_attributes: [[{ type: "magic" }]] })] }),
      want: /To go on could show a secret/,
    },
    {
      name: "an output that does not fit its type",
      input: file({ outputs: { o: { value: "x", type: "number" } } }),
      want: /The output "o" cannot be read/,
    },
    {
      name: "the same instance in two entries",
      input: file({ resources: [resource({}), resource({})] }),
      want: /test_thing.a.*twice/,
    },
    {
      name: "the same instance twice",
      input: file({
        resources: [{ ...resource({}), instances: [resource({}).instances[0], resource({}).instances[0]] }],
      }),
      want: /test_thing.a.*twice/,
    },
  ];
  for (const { name, input, want } of cases) {
    test(name, () => {
      const { value, diagnostics } = readStateFile(input, "terraform.tfstate");
      expect(diagnostics.map(({ severity }) => severity)).toContain("error");
      expect(diagnostics.map(({ summary, detail }) => `${summary}: ${detail}`).join("\n")).toMatch(want);
      expect(value.state.resources.size).toBe(0);
      expect(value.lineage).toBe("");
    });
  }
});

test("a damaged file never throws, wherever it is cut", () => {
  const text = golden("terraform-1.11.tfstate");
  for (let at = 0; at < text.length; at += 97) {
    const { diagnostics } = readStateFile(text.slice(0, at), "terraform.tfstate");
    expect(summaries(diagnostics)).toEqual(["error: Invalid JSON in state file"]);
  }
});

test("outputs of any type come back", () => {
  const type = { kind: "map", element: { kind: "dynamic" } } as const;
  const value = fromPlain({ a: { value: [1, null], type: ["tuple", ["number", "string"]] } }, type);
  if (!value.ok) throw new Error("the value of this test is one");
  const state = {
    outputs: new Map([["o", { value: value.value, sensitive: true }]]),
    resources: new Map(),
    checkResults: null,
  };
  const read = readStateFile(writeStateFile({ lineage: "l", serial: 2, state }), "x");
  expect(read.diagnostics).toEqual([]);
  expect(plainOf(read.value.state.outputs.get("o")!.value)).toEqual({ a: [1, null] });
});
