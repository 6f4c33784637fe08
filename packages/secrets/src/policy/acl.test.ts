import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Operation } from "../engine.ts";
import { compileAcl } from "./acl.ts";
import { parsePolicy } from "./parse-policy.ts";
import type { Policy } from "./policy.ts";

function policy(text: string, name = "p"): Policy {
  const { value, diagnostics } = parsePolicy(name, text);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return value;
}

function allows(text: string | readonly string[], operation: Operation, path: string, data = {}): boolean {
  const texts = typeof text === "string" ? [text] : text;
  const acl = compileAcl(texts.map((one, i) => policy(one, `p${i}`)));
  return acl.check({ operation, path, data }).isAllowed;
}

const can = (pattern: string, ...capabilities: string[]) =>
  `path "${pattern}" { capabilities = ${JSON.stringify(capabilities)} }`;

describe("a path", () => {
  const cases = [
    { name: "is allowed where it is written out", policies: can("a/b", "read"), path: "a/b", want: true },
    { name: "is refused where nothing is said of it", policies: can("a/b", "read"), path: "a/c", want: false },
    { name: "is no prefix without a star", policies: can("a/b", "read"), path: "a/b/c", want: false },
    { name: "fits a star at the end of a segment", policies: can("a/b*", "read"), path: "a/bc/d", want: true },
    { name: "fits a star with nothing in its place", policies: can("a/*", "read"), path: "a/", want: true },
    { name: "fits a plus in place of one segment", policies: can("a/+/c", "read"), path: "a/b/c", want: true },
    { name: "does not fit a plus in place of two", policies: can("a/+/c", "read"), path: "a/b/b/c", want: false },
    { name: "fits a plus with a star behind", policies: can("a/+/c*", "read"), path: "a/b/cd/e", want: true },
    { name: "may be written with a slash before it", policies: can("/a/b", "read"), path: "a/b", want: true },
    {
      name: "is decided by its exact rule alone",
      policies: [can("a/*", "read"), can("a/b", "list")],
      path: "a/b",
      want: false,
    },
    {
      name: "has the capabilities of all policies for one pattern",
      policies: [can("a/*", "list"), can("a/*", "read")],
      path: "a/b",
      want: true,
    },
    {
      name: "is refused where one policy denies",
      policies: [can("a/*", "read"), can("a/*", "deny")],
      path: "a/b",
      want: false,
    },
    {
      name: "is decided by the longer prefix",
      policies: [can("a/*", "deny"), can("a/b/*", "read")],
      path: "a/b/c",
      want: true,
    },
    {
      name: "is decided by the rule whose first wildcard comes later",
      policies: [can("a/+/c", "deny"), can("a/b*", "read")],
      path: "a/b/c",
      want: true,
    },
    {
      name: "is decided by the rule without a star where the first wildcard is at the same place",
      policies: [can("a/*", "read"), can("a/+/c", "deny")],
      path: "a/b/c",
      want: false,
    },
    {
      name: "is decided by the rule with fewer segments left open",
      policies: [can("a/+/+/d", "deny"), can("a/+/c/d", "read")],
      path: "a/b/c/d",
      want: true,
    },
  ];
  test.each(cases)("$name", ({ policies, path, want }) => {
    expect(allows(policies, "read", path)).toBe(want);
  });

  test("of a list may be named with its slash or without", () => {
    for (const pattern of ["a/b", "a/b/", "a/*", "a/+"]) {
      expect([pattern, allows(can(pattern, "list"), "list", "a/b/")]).toEqual([pattern, true]);
      expect([pattern, allows(can(pattern, "list"), "list", "a/b")]).toEqual([pattern, true]);
    }
  });
});

test("of a list is decided by what fits it with its slash, where anything does", () => {
  expect(allows([can("a/+", "deny"), can("a/*", "list")], "list", "a/b")).toBe(true);
  expect(allows([can("a/+/", "deny"), can("a/*", "list")], "list", "a/b")).toBe(false);
});

describe("the fields of a body", () => {
  const rule = (more: string) => `path "a" { capabilities = ["update"]\n ${more} }`;
  const cases = [
    { name: "are free without a word on them", rule: rule(""), data: { x: 1 }, want: true },
    { name: "must be among those allowed", rule: rule("allowed_parameters = { y = [] }"), data: { x: 1 }, want: false },
    {
      name: "have one of the values allowed",
      rule: rule('allowed_parameters = { x = ["1h", "2*"] }'),
      data: { X: "24h" },
      want: true,
    },
    {
      name: "have no other value",
      rule: rule('allowed_parameters = { x = ["1h", "2*"] }'),
      data: { x: "3h" },
      want: false,
    },
    {
      name: "may be others beside a star, while those named keep their values",
      rule: rule('allowed_parameters = { x = ["1h"], "*" = [] }'),
      data: { y: 1, x: "1h" },
      want: true,
    },
    {
      name: "must not be denied",
      rule: rule('allowed_parameters = { "*" = [] }\n denied_parameters = { x = [] }'),
      data: { x: 1 },
      want: false,
    },
    {
      name: "may be denied for some values only",
      rule: rule("denied_parameters = { x = [true, 5] }"),
      data: { x: 6 },
      want: true,
    },
    { name: "are denied by value", rule: rule("denied_parameters = { x = [true, 5] }"), data: { x: 5 }, want: false },
    {
      name: "are denied by value also beside another of the name in other letters",
      rule: rule('denied_parameters = { x = ["bad"] }'),
      data: { x: "bad", X: "good" },
      want: false,
    },
    {
      name: "must have an allowed value also beside another of the name in other letters",
      rule: rule('allowed_parameters = { x = ["good"] }'),
      data: { x: "bad", X: "good" },
      want: false,
    },
    { name: "are all denied by a star", rule: rule('denied_parameters = { "*" = [] }'), data: { x: 5 }, want: false },
    { name: "must be there where required", rule: rule('required_parameters = ["x"]'), data: { y: 5 }, want: false },
    {
      name: "are as strict as they were where the rule cannot be read",
      rule: rule("allowed_parameters = 5"),
      data: { x: 1 },
      want: false,
    },
  ];
  test.each(cases)("$name", ({ rule: text, data, want }) => {
    const acl = compileAcl([parsePolicy("p", text).value]);
    expect(acl.check({ operation: "update", path: "a", data }).isAllowed).toBe(want);
  });
});

test("tells capabilities, sudo and where they come from", () => {
  const acl = compileAcl([policy(can("sys/*", "update"), "b"), policy(can("sys/*", "sudo", "read"), "a")]);
  expect(acl.capabilities("sys/seal")).toEqual(["read", "sudo", "update"]);
  expect(acl.capabilities("other")).toEqual(["deny"]);
  expect(acl.check({ operation: "update", path: "sys/seal", data: {} })).toEqual({
    isAllowed: true,
    hasSudo: true,
    grantedBy: ["a", "b"],
  });
});

test("the policy root allows everything, whatever is denied beside it", () => {
  const acl = compileAcl([{ name: "root", rules: [] }, policy(can("*", "deny"))]);
  expect(acl.isRoot).toBe(true);
  expect(acl.check({ operation: "delete", path: "any", data: {} }).isAllowed).toBe(true);
  expect(acl.capabilities("any")).toEqual(["root"]);
});

test("a rule for wrapped answers allows nothing without wrapping", () => {
  const acl = compileAcl([
    policy('path "a" { capabilities = ["read"]\n min_wrapping_ttl = "1m" max_wrapping_ttl = 120 }'),
  ]);
  const ask = (wrapTtl?: number) =>
    acl.check({ operation: "read", path: "a", data: {}, ...(wrapTtl === undefined ? {} : { wrapTtl }) }).isAllowed;
  expect([ask(), ask(59), ask(60), ask(120), ask(121)]).toEqual([false, false, true, true, false]);
});

// The rules again, as plainly as they can be said: regular expressions, and every pair compared.
function naive(rules: readonly (readonly [pattern: string, capability: string])[], path: string): Set<string> {
  const patterns = [...new Set(rules.map(([pattern]) => pattern))];
  const fitting = patterns.filter((pattern) => {
    const source = pattern
      .replace(/\*$/, "")
      .split("/")
      .map((part) => (part === "+" ? "[^/]*" : part))
      .join("/");
    return new RegExp(`^${source}${pattern.endsWith("*") ? ".*" : ""}$`).test(path);
  });
  const rank = (pattern: string) => {
    const first = pattern.search(/(?<=^|\/)\+(?=$|\/)|\*$/);
    const plus = pattern.split("/").filter((part) => part === "+").length;
    return [first === -1 ? 1000 : first, pattern.endsWith("*") ? 0 : 1, -plus, pattern.length, pattern] as const;
  };
  fitting.sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    const i = left.findIndex((value, at) => value !== right[at]);
    return i === -1 ? 0 : left[i]! > right[i]! ? -1 : 1;
  });
  const granted = new Set(rules.filter(([pattern]) => pattern === fitting[0]).map(([, capability]) => capability));
  return granted.has("deny") ? new Set() : granted;
}

test("decides as the rules say, whichever policies there are", () => {
  const segment = fc.constantFrom("a", "b", "ab", "+");
  const pattern = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "*", "/*", "/"))
    .map(([parts, end]) => parts.join("/") + end)
    .filter((text) => !/(^|\/)\+\*$/.test(text));
  const rule = fc.tuple(pattern, fc.constantFrom("read", "update", "delete", "deny"));
  const path = fc.array(fc.constantFrom("a", "b", "ab", "c"), { minLength: 1, maxLength: 5 }).map((p) => p.join("/"));
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 8 }), fc.array(path, { minLength: 1 }), (rules, paths) => {
      const acl = compileAcl(rules.map(([where, capability], i) => policy(can(where, capability), `p${i}`)));
      for (const asked of paths) {
        const want = naive(rules, asked);
        for (const operation of ["read", "update", "delete"] as const) {
          expect(acl.check({ operation, path: asked, data: {} }).isAllowed).toBe(want.has(operation));
        }
      }
    }),
    { numRuns: 1500, seed: 34 },
  );
});
