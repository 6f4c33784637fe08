import { describe, expect, test } from "vitest";
import { describeFlags, parseFlags } from "./flags.ts";

const table = {
  recurse: { kind: "bool", help: "Recursively look at all keys." },
  separator: { kind: "string", help: "Separator between keys." },
  target: { kind: "strings", help: "Limits the run to this address.", value: "ADDRESS" },
  var: { kind: "strings", help: "Sets a variable." },
  "var-file": { kind: "strings", help: "Sets variables from a file." },
  parallelism: { kind: "int", help: "Limits concurrent operations." },
  flags: { kind: "uint64", help: "An unsigned integer kept with the key." },
  "lock-timeout": { kind: "duration", help: "How long to wait for the lock." },
} as const;

const none = {
  recurse: false,
  separator: undefined,
  target: [],
  var: [],
  "var-file": [],
  parallelism: undefined,
  flags: undefined,
  "lock-timeout": undefined,
};

describe("flags are read as Go reads them", () => {
  const cases: { name: string; input: string[]; want: object; args?: string[] }[] = [
    { name: "nothing given leaves the defaults", input: [], want: {} },
    { name: "a bool stands alone", input: ["-recurse"], want: { recurse: true } },
    {
      name: "a bool takes a value behind an equals sign only",
      input: ["-recurse", "false"],
      want: { recurse: true },
      args: ["false"],
    },
    { name: "a bool may be switched off", input: ["-recurse=true", "--recurse=F"], want: { recurse: false } },
    { name: "two dashes are one", input: ["--separator", "."], want: { separator: "." } },
    { name: "a value keeps its equals signs", input: ["-var=a=b=c"], want: { var: ["a=b=c"] } },
    { name: "a value may start with a dash", input: ["-separator", "-x"], want: { separator: "-x" } },
    { name: "an empty value is a value", input: ["-separator="], want: { separator: "" } },
    { name: "the last of several holds", input: ["-separator=a", "-separator=b"], want: { separator: "b" } },
    { name: "lists keep all, in order", input: ["-target=a", "-target", "b"], want: { target: ["a", "b"] } },
    { name: "whole numbers", input: ["-parallelism=-3"], want: { parallelism: -3 } },
    { name: "the largest uint64", input: ["-flags=18446744073709551615"], want: { flags: 18446744073709551615n } },
    { name: "durations", input: ["-lock-timeout=1h1.5m2s3ms"], want: { "lock-timeout": 3_692_003 } },
    { name: "a lone dash is an argument", input: ["-", "-recurse"], want: {}, args: ["-", "-recurse"] },
    {
      name: "two dashes end the flags",
      input: ["-recurse", "--", "-separator"],
      want: { recurse: true },
      args: ["-separator"],
    },
    { name: "the first argument ends the flags", input: ["key", "-recurse"], want: {}, args: ["key", "-recurse"] },
  ];
  for (const { name, input, want, args } of cases) {
    test(name, () => {
      const parsed = parseFlags(table, input, "flags-first");
      expect(parsed).toMatchObject({ kind: "parsed", values: { ...none, ...want }, args: args ?? [] });
    });
  }
});

test("with order anywhere flags may follow arguments, up to two dashes", () => {
  const parsed = parseFlags(table, ["a", "-recurse", "-", "--", "-b"], "anywhere");
  expect(parsed).toMatchObject({ kind: "parsed", values: { recurse: true }, args: ["a", "-", "-b"] });
});

test("occurrences keep the order between different flags", () => {
  const parsed = parseFlags(table, ["-var", "a=1", "-var-file=x", "-var=a=2"], "flags-first");
  expect(parsed.kind === "parsed" && parsed.occurrences.map((o) => `${o.name} ${o.text}`)).toEqual([
    "var a=1",
    "var-file x",
    "var a=2",
  ]);
});

describe("a mistake says what to do", () => {
  const cases: { name: string; input: string[]; summary: string; detail: RegExp }[] = [
    {
      name: "misspelt",
      input: ["-recurs"],
      summary: "flag provided but not defined: -recurs",
      detail: /^Did you mean -recurse\?$/,
    },
    { name: "unknown", input: ["-quux"], summary: "flag provided but not defined: -quux", detail: /-help/ },
    {
      name: "a name of Object.prototype",
      input: ["-toString"],
      summary: "flag provided but not defined: -toString",
      detail: /-help/,
    },
    {
      name: "without its value",
      input: ["-separator"],
      summary: "flag needs an argument: -separator",
      detail: /-separator=VALUE/,
    },
    { name: "three dashes", input: ["---x"], summary: "bad flag syntax: ---x", detail: /-name/ },
    { name: "no name", input: ["-=x"], summary: "bad flag syntax: -=x", detail: /-name/ },
    {
      name: "not a bool",
      input: ["-recurse=maybe"],
      summary: 'invalid value "maybe" for flag -recurse',
      detail: /true or false/,
    },
    {
      name: "not a number",
      input: ["-parallelism=many"],
      summary: 'invalid value "many" for flag -parallelism',
      detail: /whole number/,
    },
    {
      name: "above uint64",
      input: ["-flags=18446744073709551616"],
      summary: 'invalid value "18446744073709551616" for flag -flags',
      detail: /18446744073709551615/,
    },
    {
      name: "a duration without a unit",
      input: ["-lock-timeout=5"],
      summary: 'invalid value "5" for flag -lock-timeout',
      detail: /30s/,
    },
  ];
  for (const { name, input, summary, detail } of cases) {
    test(name, () => {
      const parsed = parseFlags(table, input, "flags-first");
      expect(parsed).toMatchObject({ kind: "mistake", diagnostic: { severity: "error", summary } });
      expect(parsed.kind === "mistake" && parsed.diagnostic.detail).toMatch(detail);
    });
  }
});

test("help is asked for by -h, -help and --help", () => {
  for (const flag of ["-h", "-help", "--help"])
    expect(parseFlags(table, [flag], "flags-first")).toEqual({ kind: "help" });
});

test("the description names each flag with its argument, wrapped", () => {
  const { target, recurse } = table;
  expect(describeFlags({ target, recurse })).toBe(
    "  -target=ADDRESS\n      Limits the run to this address.\n\n  -recurse\n      Recursively look at all keys.\n",
  );
});
