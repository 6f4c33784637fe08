import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { objectFor } from "@millwright/provider/testing/objects";
import { numberType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asMap,
  dynamicValue,
  isKnown,
  listValue,
  mapValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  trueValue,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { terraformProvider } from "./provider.ts";

type Data = Readonly<Record<string, unknown>>;
let provider: Provider;
const s = stringValue;
const nothing = nullValue({ kind: "dynamic" });

beforeAll(async () => {
  provider = terraformProvider().start();
  await configureForTest(provider);
});

describe("terraform_data", () => {
  const type = "terraform_data";

  let drive: Drive;
  beforeAll(async () => {
    drive = await Drive.of(provider, type);
  });
  const attributes = (value: Value) => Object.fromEntries(asMap(value));

  test("keeps the provider contract", async () => {
    const changes = [
      { input: objectValue({ x: tupleValue([numberValue(1)]) }) },
      { input: s("a"), triggers_replace: numberValue(1) },
      { input: s("a"), triggers_replace: s("1") },
      {},
      { input: listValue([s("x")]) },
    ];
    expect(
      await contractViolations(provider, { type, config: { input: s("a") }, changes, interrupted: "absent" }),
    ).toEqual([]);
  });

  test("plans an output of the input's type, and none where there is no input", async () => {
    const { planned } = await drive.plan({ input: s("a") });
    expect(attributes(planned).output).toEqual(unknownValue(stringType));
    expect(isKnown(attributes(planned).id!)).toBe(false);
    expect(attributes((await drive.plan({})).planned).output).toEqual(nothing);
    expect(attributes((await drive.plan({ input: dynamicValue })).planned).output).toEqual(dynamicValue);
  });

  test("hands the input on as it is, type and all", async () => {
    const input = objectValue({ n: numberValue(1), l: listValue([s("a")]) });
    const state = attributes((await drive.apply({ input })).state);
    expect(state.output).toEqual(input);
    expect(state.id!.data).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test("a new input leaves the id and makes a new output; a value of another type is another input", async () => {
    const { state } = await drive.apply({ input: s("1") });
    const { planned, requiresReplace } = await drive.plan({ input: numberValue(1) }, state);
    expect(requiresReplace).toEqual([]);
    expect(attributes(planned)).toMatchObject({ id: attributes(state).id, output: unknownValue(numberType) });
    expect(attributes((await drive.apply({ input: numberValue(1) }, state)).state).id).toEqual(attributes(state).id);
  });

  test("a new trigger makes a new object", async () => {
    const { state } = await drive.apply({ triggers_replace: s("1") });
    expect((await drive.plan({ triggers_replace: s("2") }, state)).requiresReplace).toEqual([
      [{ attribute: "triggers_replace" }],
    ]);
    expect((await drive.plan({ triggers_replace: dynamicValue }, state)).requiresReplace).toHaveLength(1);
    expect((await drive.plan({ triggers_replace: s("1") }, state)).requiresReplace).toEqual([]);
  });

  test("is imported by its id alone", async () => {
    const { imported } = await provider.importResourceState({ type, id: "abc" });
    expect(attributes(imported[0]!.state)).toEqual({
      id: s("abc"),
      input: nothing,
      output: nothing,
      triggers_replace: nothing,
    });
  });

  test("takes the place of a null_resource", async () => {
    const moved = await provider.moveResourceState({
      sourceProvider: "registry.terraform.io/hashicorp/null",
      sourceType: "null_resource",
      sourceVersion: 0,
      sourceJson: '{"id":"5","triggers":{"a":"x"}}',
      sourcePrivate: new Uint8Array(),
      targetType: type,
    });
    expect(moved.diagnostics).toEqual([]);
    expect(attributes(moved.target)).toMatchObject({
      id: s("5"),
      triggers_replace: objectValue({ a: s("x") }),
      input: nothing,
    });
  });
});

describe("terraform_remote_state", () => {
  const type = "terraform_remote_state";
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "millwright-remote-"));
    const outputs = {
      a: { value: "x", type: "string" },
      l: { value: ["y"], type: ["list", "string"], sensitive: true },
    };
    const state = JSON.stringify({ version: 4, outputs });
    writeFileSync(join(folder, "one.tfstate"), state);
    writeFileSync(join(folder, "old.tfstate"), JSON.stringify({ version: 3 }));
    mkdirSync(join(folder, "all/blue"), { recursive: true });
    writeFileSync(join(folder, "all/blue/terraform.tfstate"), state);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const objectOf = async (data: Data) =>
    objectFor((await provider.schema()).dataSources.get(type)!.block, { backend: "local", ...data });
  const read = async (data: Data) => provider.readDataSource({ type, config: await objectOf(data) });
  const outputs = (state: Value) => asMap(state).get("outputs");

  test("gives all outputs with their types, and defaults for those that are not there", async () => {
    const config = objectValue({ path: s(join(folder, "one.tfstate")) });
    const { state, diagnostics } = await read({ config, defaults: objectValue({ a: s("not this"), b: trueValue }) });
    expect(diagnostics).toEqual([]);
    expect(outputs(state)).toEqual(objectValue({ a: s("x"), b: trueValue, l: listValue([s("y")]) }));
  });

  test("finds the state of a workspace", async () => {
    const { state } = await read({ config: objectValue({ workspace_dir: s(join(folder, "all")) }), workspace: "blue" });
    expect(asMap(outputs(state)!).get("a")).toEqual(s("x"));
  });

  test.each([
    { name: "a state that is not there", path: "none.tfstate", want: "Unable to find remote state" },
    { name: "a state of an older format", path: "old.tfstate", want: "Unsupported state file format" },
  ])("says of $name: $want", async ({ path, want }) => {
    const { diagnostics } = await read({ config: objectValue({ path: s(join(folder, path)) }) });
    expect(diagnostics).toMatchObject([{ severity: "error", summary: want, attribute: [{ attribute: "config" }] }]);
  });

  test.each([
    { name: "another backend", data: { backend: "s3" }, want: /"s3" cannot be read here/ },
    {
      name: "a misspelt attribute",
      data: { config: objectValue({ pth: s("x") }) },
      want: /there is no attribute "pth"/,
    },
    {
      name: "a path of another type",
      data: { config: objectValue({ path: numberValue(1) }) },
      want: /"path" has to be a string/,
    },
    { name: "a configuration that is no object", data: { config: s("x") }, want: /an object is required/ },
    {
      name: "defaults that are no object",
      data: { defaults: s("x") },
      want: /Defaults must be given in an object value/,
    },
  ])("refuses $name", async ({ data, want }) => {
    const { diagnostics } = await provider.validateDataConfig({ type, config: await objectOf(data) });
    expect(diagnostics.map((d) => d.detail).join("\n")).toMatch(want);
  });
});

// Each as terraform 1.11.4 answers.
describe("functions", () => {
  const call = async (name: string, value: Value) => {
    const answer = await provider.callFunction({ name, args: [value] });
    return answer.ok ? (answer.result.type.kind === "string" ? answer.result.data : answer.result) : answer.message;
  };

  test.each([
    { name: "a string with escapes", value: s('q"q${x}%{y}\n'), want: '"q\\"q$${x}%%{y}\\n"' },
    { name: "a set", value: setValue([s("b"), s("a")]), want: '["a", "b"]' },
    { name: "a map", value: mapValue([["x", numberValue(1)]]), want: "{\n  x = 1\n}" },
    {
      name: "an object",
      value: objectValue({
        a: tupleValue([numberValue(1), objectValue({ b: nothing })]),
        e: objectValue({}),
        "long k": numberValue(12345678901234567890123n),
        n: numberValue(1.5),
        t: trueValue,
      }),
      want: '{\n  a = [1, {\n    b = null\n  }]\n  e        = {}\n  "long k" = 12345678901234567890123\n  n        = 1.5\n  t        = true\n}',
    },
  ])("encode_expr writes $name", async ({ value, want }) => {
    expect(await call("encode_expr", value)).toBe(want);
  });

  test.each([
    {
      name: "an object",
      value: objectValue({ s: setValue([s("x")]), "z-1": trueValue }),
      want: 's   = ["x"]\nz-1 = true\n',
    },
    { name: "an empty object", value: objectValue({}), want: "" },
    { name: "what is no object", value: s("x"), want: /^invalid value to encode: must be an object/ },
    {
      name: "what cannot be a name",
      value: objectValue({ "a b": trueValue }),
      want: /^invalid variable name "a b": must be a valid identifier/,
    },
  ])("encode_tfvars is given $name", async ({ value, want }) => {
    const result = await call("encode_tfvars", value);
    if (typeof want === "string") expect(result).toBe(want);
    else expect(result).toMatch(want);
  });

  test("decode_tfvars reads the values of a file", async () => {
    const want = objectValue({
      a: { ...numberValue(1), data: expect.anything() },
      b: tupleValue([s("x"), objectValue({ c: nothing })]),
    });
    expect(await call("decode_tfvars", s('a = 1\nb = ["x", {c = null}]\n'))).toMatchObject({ type: want.type });
  });

  test.each([
    ["a = foo\n", /^invalid expression for variable "a": <decode_tfvars argument>:1,5-8: Variables not allowed; /],
    [
      'a = upper("x")\n',
      /^invalid expression for variable "a": <decode_tfvars argument>:1,5-\d+: Function calls not allowed; /,
    ],
    ["a = \n", /^invalid tfvars syntax: <decode_tfvars argument>:1,5-2,1: Invalid expression; /],
    ["a { }\n", /^invalid tfvars content: <decode_tfvars argument>:1,1-2: Unexpected "a" block; /],
  ])("decode_tfvars refuses %j", async (text, want) => {
    expect(await call("decode_tfvars", s(text))).toMatch(want);
  });
});
