import { describe, expect, test } from "vitest";
import { formatRange } from "@millwright/core/source";
import { defaultPolicyText } from "./default-policy.ts";
import { parsePolicy } from "./parse-policy.ts";
import { patternKey } from "./path-pattern.ts";

function rulesOf(text: string) {
  const { value, diagnostics } = parsePolicy("app", text);
  expect(diagnostics).toEqual([]);
  return value.rules.map((rule) => [patternKey(rule.pattern), rule.capabilities]);
}

describe("a policy can be written", () => {
  const want = [["secret/data/app", ["read", "list"]]];
  const cases = [
    {
      name: "as Vault's documentation has it",
      input: 'path "secret/data/app" {\n  capabilities = ["read", "list"]\n}',
    },
    {
      name: "with an equals sign, as HCL 1 allows",
      input: 'path = { "secret/data/app" = { capabilities = ["read", "list"] } }',
    },
    { name: "in the form of 2016", input: 'path "secret/data/app" { policy = "read" }' },
    {
      name: "in HCL 2",
      input: 'path "secret/data/app" {\n  capabilities = ["read", "list"]\n  denied_parameters = { "x" : [] }\n}',
    },
    { name: "in JSON", input: '{"path": {"secret/data/app": {"capabilities": ["read", "list"]}}}' },
    { name: "in JSON with a list", input: '{"path": [{"secret/data/app": {"policy": "read"}}]}' },
    { name: "with a name, as very old ones have", input: 'name = "x"\npath "secret/data/app" { policy = "read" }' },
  ];
  test.each(cases)("$name", ({ input }) => {
    expect(rulesOf(input)).toEqual(want);
  });
});

test("may have no rules", () => {
  for (const text of ["# nothing yet", "{}", '{"path": {}}']) expect(rulesOf(text)).toEqual([]);
});

test("reads every argument of a rule", () => {
  const { value, diagnostics } = parsePolicy(
    "app",
    `path "a/+/b*" {
      capabilities        = ["create", "sudo"]
      allowed_parameters  = { "TTL" = ["1h", 5], "x" = "one" }
      denied_parameters   = { "y" = [] }
      required_parameters = ["Ttl"]
      min_wrapping_ttl    = "90s"
      max_wrapping_ttl    = "1h"
    }`,
  );
  expect(diagnostics).toEqual([]);
  expect(value.rules).toEqual([
    {
      pattern: { text: "a/+/b", isPrefix: true, segments: ["a", undefined, "b"] },
      capabilities: ["create", "sudo"],
      allowedParameters: new Map([
        ["ttl", ["1h", 5]],
        ["x", ["one"]],
      ]),
      deniedParameters: new Map([["y", []]]),
      requiredParameters: ["ttl"],
      minWrappingTtl: 90,
      maxWrappingTtl: 3600,
    },
  ]);
});

describe("says what is wrong, and where", () => {
  const cases = [
    {
      name: "a capability that there is not",
      input: 'path "a" {\n  capabilities = ["reed"]\n}',
      want: 'app.hcl:2,19-25: Invalid capability; There is no capability "reed". Did you mean "read"? There are create,',
    },
    {
      name: "an unknown argument",
      input: 'path "a" {\n  capabilites = ["read"]\n}',
      want: 'app.hcl:2,3-14: Unsupported argument; An argument named "capabilites" is not expected here. Did you mean "capabilities"?',
    },
    {
      name: "an unknown block",
      input: 'paths "a" {\n  capabilities = ["read"]\n}',
      want: "app.hcl:1,1-6: Unsupported block type",
    },
    {
      name: "a plus followed by a star",
      input: 'path "a/+*" { capabilities = ["read"] }',
      want: "app.hcl:1,6-12: Invalid path; A + stands for one whole segment, so nothing can follow it but a slash",
    },
    {
      name: "a template of identities",
      input: 'path "a/{{identity.entity.id}}" { capabilities = ["read"] }',
      want: "app.hcl:1,6-32: Invalid path; Templates such as {{identity.entity.name}} are not there",
    },
    {
      name: "an old policy that there is not",
      input: 'path "a" { policy = "admin" }',
      want: "app.hcl:1,21-28: Invalid policy",
    },
    {
      name: "capabilities that are no list",
      input: 'path "a" { capabilities = "read" }',
      want: "app.hcl:1,27-33: Invalid capabilities",
    },
    { name: "broken text", input: 'path "a" {', want: "app.hcl:1,10-11: Unclosed brace" },
    {
      name: "a rule that gives nothing",
      input: 'path "a" {}',
      want: 'app.hcl:1,1-9: Rule without capabilities; The rule for "a" allows nothing.',
    },
    {
      name: "a star that is none",
      input: 'path "a/*/b" { capabilities = ["read"] }',
      want: "app.hcl:1,6-13: Star inside a path",
    },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    const [first] = parsePolicy("app", input).diagnostics;
    const range = first?.subject ? formatRange(first.subject) : "";
    expect(`${range}: ${first?.summary}; ${first?.detail}`).toContain(want);
  });
});

test("a faulty rule gives nothing more than the others", () => {
  const { value } = parsePolicy(
    "app",
    'path "a" { capabilities = ["read", "wirte"] }\npath "b/+*" { policy = "sudo" }',
  );
  expect(value.rules.map((rule) => [rule.pattern.text, rule.capabilities])).toEqual([["a", ["read"]]]);
});

test("the default policy has no faults", () => {
  expect(parsePolicy("default", defaultPolicyText).diagnostics).toEqual([]);
});
