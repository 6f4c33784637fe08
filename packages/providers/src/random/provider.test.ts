import type { Provider } from "@millwright/provider/protocol";
import type { ContractCase } from "@millwright/provider/testing/contract";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import type { Value } from "@millwright/value/value";
import { asString } from "@millwright/value/value";
import { beforeAll, describe, expect, test } from "vitest";
import { isBcryptHashOf } from "./bcrypt.ts";
import { randomProvider } from "./provider.ts";

type Data = Readonly<Record<string, unknown>>;
let provider: Provider;

beforeAll(async () => {
  provider = randomProvider().start();
  await configureForTest(provider);
});

async function create(type: string, data: Data): Promise<Data> {
  const { plain, diagnostics } = await (await Drive.of(provider, type)).apply(data);
  expect(diagnostics).toEqual([]);
  return plain;
}

async function imported(type: string, id: string): Promise<Data> {
  const { plain, diagnostics } = await (await Drive.of(provider, type)).import(id);
  expect(diagnostics).toEqual([]);
  return plain;
}

async function upgraded(type: string, version: number, attributes: Data): Promise<Data> {
  const { plain, diagnostics } = await (await Drive.of(provider, type)).upgrade(version, attributes);
  expect(diagnostics).toEqual([]);
  return plain;
}

async function replaces(type: string, prior: Data, data: Data): Promise<boolean> {
  const drive = await Drive.of(provider, type);
  return (await drive.plan(data, drive.object(prior))).requiresReplace.length > 0;
}

const keepers = { a: "1" };
const id = (state: ReadonlyMap<string, Value>) => asString(state.get("id")!);
const lives: readonly ContractCase[] = [
  { type: "random_bytes", config: { length: 8 }, changes: [{ length: 9 }, { length: 9, keepers }] },
  {
    type: "random_id",
    config: { byte_length: 8, prefix: "p-" },
    changes: [{ byte_length: 8, keepers }],
    importId: (s) => `p-,${id(s)}`,
  },
  {
    type: "random_integer",
    config: { min: 1, max: 6 },
    changes: [{ min: 1, max: 7 }],
    importId: (s) => `${id(s)},1,6`,
  },
  { type: "random_password", config: { length: 12 }, changes: [{ length: 12, special: false }] },
  { type: "random_pet", config: {}, changes: [{ length: 3, separator: "_" }, { prefix: "x" }] },
  { type: "random_shuffle", config: { input: ["a", "b", "c"] }, changes: [{ input: ["a"], result_count: 3 }] },
  {
    type: "random_string",
    config: { length: 12 },
    changes: [
      { length: 12, numeric: false },
      { length: 12, number: false },
    ],
    importId: id,
  },
  {
    type: "random_uuid",
    config: { keepers },
    changes: [{ keepers: { a: "2" } }, { keepers: { a: "2", b: null } }],
    importId: id,
  },
];

test.each(lives)("$type keeps the provider contract", async (life) => {
  expect(await contractViolations(provider, { ...life, interrupted: "absent" })).toEqual([]);
});

describe("what comes out", () => {
  test("an ID is spelt in base64, hexadecimal and decimal, each with the prefix but the ID itself", async () => {
    const state = await imported("random_id", "pre-,AQIDBAUGBwg");
    expect(state).toEqual({
      keepers: null,
      byte_length: 8,
      prefix: "pre-",
      id: "AQIDBAUGBwg",
      b64_url: "pre-AQIDBAUGBwg",
      b64_std: "pre-AQIDBAUGBwg=",
      hex: "pre-0102030405060708",
      dec: "pre-72623859790382856",
    });
  });

  test("a string has the length and the least of each kind that are asked for", async () => {
    const wishes = { length: 20, min_upper: 4, min_lower: 3, min_numeric: 5, min_special: 2, override_special: "_%" };
    for (let i = 0; i < 50; i++) {
      const { result } = (await create("random_string", wishes)) as { result: string };
      expect(result).toMatch(/^[A-Za-z0-9_%]{20}$/);
      const count = (kind: RegExp) => [...result].filter((c) => kind.test(c)).length;
      expect(count(/[A-Z]/)).toBeGreaterThanOrEqual(4);
      expect(count(/[a-z]/)).toBeGreaterThanOrEqual(3);
      expect(count(/[0-9]/)).toBeGreaterThanOrEqual(5);
      expect(count(/[_%]/)).toBeGreaterThanOrEqual(2);
    }
  });

  test("kinds of characters that are switched off do not occur", async () => {
    const { result } = await create("random_string", { length: 200, upper: false, special: false, numeric: false });
    expect(result).toMatch(/^[a-z]{200}$/);
  });

  test("a password has its bcrypt hash beside it, and no name of its own", async () => {
    const state = await create("random_password", { length: 80 });
    expect(state.id).toBe("none");
    expect(state.bcrypt_hash).toMatch(/^\$2a\$10\$/);
    expect(await isBcryptHashOf(String(state.result), String(state.bcrypt_hash))).toBe(true);
  });

  test("an integer lies between its bounds, and each is reached", async () => {
    const results = await Promise.all(Array.from({ length: 60 }, () => create("random_integer", { min: -1, max: 1 })));
    expect(new Set(results.map((state) => state.result))).toEqual(new Set([-1, 0, 1]));
    expect(results.every((state) => state.id === String(state.result))).toBe(true);
  });

  // What terraform-provider-random 3.7.2 gives for these seeds.
  test.each([
    { type: "random_integer", data: { min: 1, max: 1000, seed: "millwright" }, want: 683 },
    {
      type: "random_shuffle",
      data: { input: ["a", "b", "c", "d", "e"], seed: "millwright" },
      want: ["c", "a", "e", "d", "b"],
    },
    {
      type: "random_shuffle",
      data: { input: ["a", "b", "c"], result_count: 7, seed: "x" },
      want: ["b", "c", "a", "c", "b", "a", "b"],
    },
  ])("a seed gives $type the result that it has with the Go provider", async ({ type, data, want }) => {
    expect((await create(type, data)).result).toEqual(want);
  });

  test("a shuffle holds each element once, and more often only when more are asked for", async () => {
    const { result } = await create("random_shuffle", { input: ["a", "b", "c"] });
    expect([...(result as string[])].sort()).toEqual(["a", "b", "c"]);
    const many = await create("random_shuffle", { input: ["a", "b"], result_count: 5 });
    expect([...(many.result as string[])].sort().join("")).toMatch(/^aabb[ab]$|^a{2,3}b{2,3}$/);
    expect(await create("random_shuffle", { input: [], result_count: 5 })).toMatchObject({ result: [], id: "-" });
  });

  test("a pet has as many words as are asked for, behind its prefix", async () => {
    expect((await create("random_pet", { length: 4, prefix: "my", separator: "." })).id).toMatch(/^my(\.[a-z]+){4}$/);
    expect((await create("random_pet", {})).id).toMatch(/^[a-z]+-[a-z]+$/);
  });

  test("number and numeric are one switch", async () => {
    expect(await create("random_string", { length: 5, number: false })).toMatchObject({
      number: false,
      numeric: false,
    });
    expect(await create("random_string", { length: 5, numeric: false })).toMatchObject({
      number: false,
      numeric: false,
    });
    expect(await create("random_string", { length: 5 })).toMatchObject({ number: true, numeric: true });
  });
});

describe("when a new value is made", () => {
  const prior = { length: 2, separator: "-", id: "calm-otter" };
  const cases: readonly { name: string; before: Data | null; after: Data | null; want: boolean }[] = [
    { name: "a keeper has another value", before: { a: "1" }, after: { a: "2" }, want: true },
    { name: "a keeper is new", before: { a: "1" }, after: { a: "1", b: "2" }, want: true },
    { name: "a keeper is gone", before: { a: "1", b: "2" }, after: { a: "1" }, want: true },
    { name: "a new keeper is null", before: { a: "1" }, after: { a: "1", b: null }, want: false },
    { name: "all keepers are null where there were none", before: null, after: { a: null }, want: false },
    { name: "the first keeper comes", before: null, after: { a: "1" }, want: true },
    { name: "all keepers are gone", before: { a: "1" }, after: null, want: true },
  ];
  test.each(cases)("$name: $want", async ({ before, after, want }) => {
    const config = { length: 2, separator: "-", id: "calm-otter", keepers: after };
    expect(await replaces("random_pet", { ...prior, keepers: before }, config)).toBe(want);
  });

  test("an empty override_special that becomes null is no reason", async () => {
    const state = await imported("random_string", "abc");
    expect(
      await replaces("random_string", { ...state, override_special: "" }, { ...state, override_special: null }),
    ).toBe(false);
    expect(
      await replaces("random_string", { ...state, override_special: "%" }, { ...state, override_special: null }),
    ).toBe(true);
  });
});

describe("states of older versions", () => {
  test("a string of version 1 gets numeric, and defaults where an import left nulls", async () => {
    const old = { id: "abc", result: "abc", length: null, number: false, special: null, min_upper: 2 };
    expect(await upgraded("random_string", 1, old)).toMatchObject({
      length: 3,
      number: false,
      numeric: false,
      special: true,
      upper: true,
      min_upper: 2,
      min_lower: 0,
      override_special: null,
    });
  });

  test.each([0, 1, 2])("a password of version %i has the right hash", async (version) => {
    const old = {
      id: "none",
      result: "hush",
      special: null,
      ...(version === 0 ? {} : { bcrypt_hash: await hashOf(version) }),
    };
    const { bcrypt_hash, special, length } = await upgraded("random_password", version, old);
    expect(await isBcryptHashOf("hush", String(bcrypt_hash))).toBe(true);
    expect({ special, length }).toEqual({ special: true, length: 4 });
  });

  // Version 2 had hashes of other texts at times.
  async function hashOf(version: number): Promise<string> {
    const { bcrypt_hash } = await imported("random_password", version === 2 ? "another" : "hush");
    return String(bcrypt_hash);
  }
});

describe("what cannot be", () => {
  const cases: readonly { name: string; type: string; data: Data; want: RegExp }[] = [
    {
      name: "a length below the sum",
      type: "random_string",
      data: { length: 3, min_upper: 2, min_lower: 2 },
      want: /at least 4/,
    },
    { name: "no length", type: "random_string", data: { length: 0 }, want: /at least 1/ },
    {
      name: "no kind of character",
      type: "random_password",
      data: { length: 3, upper: false, lower: false, special: false, numeric: false },
      want: /At least one of/,
    },
    {
      name: "bounds the wrong way round",
      type: "random_integer",
      data: { min: 5, max: 1 },
      want: /min \(5\) must not be above max \(1\)/,
    },
    { name: "no bytes", type: "random_bytes", data: { length: 0 }, want: /At least 1 byte/ },
  ];
  test.each(cases)("$name", async ({ type, data, want }) => {
    const diagnostics = await (await Drive.of(provider, type)).validate(data);
    expect(diagnostics.map((d) => d.detail).join("\n")).toMatch(want);
  });

  test.each([
    ["random_id", "not base64!"],
    ["random_integer", "5,1"],
    ["random_integer", "x,1,2"],
    ["random_uuid", "no-uuid"],
    ["random_bytes", "%%"],
    ["random_pet", "calm-otter"],
  ])("%s is not imported from %s", async (type, given) => {
    const { imported: found, diagnostics } = await provider.importResourceState({ type, id: given });
    expect(found).toEqual([]);
    expect(diagnostics).toHaveLength(1);
  });
});

test("an ephemeral password is made of what is asked for", async () => {
  const schema = (await provider.schema()).ephemeralResources.get("random_password")!;
  const config = objectFor(schema.block, { length: 9, special: false });
  const { result, diagnostics } = await provider.openEphemeralResource({ type: "random_password", config });
  expect(diagnostics).toEqual([]);
  expect(plainOf(schema.block, result)).toMatchObject({
    length: 9,
    special: false,
    upper: true,
    min_lower: 0,
    result: expect.stringMatching(/^[A-Za-z0-9]{9}$/),
  });
});
