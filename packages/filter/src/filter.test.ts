import { describe, expect, test } from "vitest";
import { parseFilter } from "./filter.ts";

const item = {
  Node: { Node: "n1", Meta: { env: "qa", "rack/row": "r1" }, TaggedAddresses: { lan: "10.0.0.1" } },
  Service: {
    Service: "web",
    Tags: ["primary", "v1"],
    Port: 8080,
    Weight: 1.5,
    Address: "",
    EnableTagOverride: false,
    Meta: null,
    Connect: {},
  },
  Checks: [
    { CheckID: "serfHealth", Status: "passing" },
    { CheckID: "http", Status: "critical" },
  ],
  ServiceTags: [],
  not: "x",
  any: "y",
};

function check(text: string): boolean | string {
  const parsed = parseFilter(text);
  if (!parsed.ok) return `${parsed.fault.position}: ${parsed.fault.message}`;
  const selected = parsed.filter.select([item]);
  return selected.ok ? selected.items.length === 1 : selected.why;
}

describe("what holds", () => {
  const cases: readonly { readonly input: string; readonly want: boolean }[] = [
    { input: "Service.Service == web", want: true },
    { input: 'Service.Service=="web"', want: true },
    { input: "Service.Service == `web`", want: true },
    { input: 'Service.Service != "web"', want: false },
    { input: 'Service["Service"] == web', want: true },
    { input: "Service.Port == 8080", want: true },
    { input: 'Service.Port == "8080"', want: true },
    { input: "Service.Port != 8081", want: true },
    { input: "Service.Weight == 1.5", want: true },
    { input: "Service.EnableTagOverride == false", want: true },
    { input: "Service.EnableTagOverride == 0", want: true },
    { input: '"primary" in Service.Tags', want: true },
    { input: "primary in Service.Tags", want: true },
    { input: "primary not in Service.Tags", want: false },
    { input: "Service.Tags contains v1", want: true },
    { input: "Service.Tags not contains v2", want: true },
    { input: "eb in Service.Service", want: true },
    { input: "env in Node.Meta", want: true },
    { input: "other in Node.Meta", want: false },
    { input: "Node.Meta.env == qa", want: true },
    { input: 'Node.Meta["rack/row"] == r1', want: true },
    { input: "Node.Meta.rack/row == r1", want: true },
    { input: '"/Node/Meta/env" == qa', want: true },
    { input: '"/Node/Meta/rack~1row" == r1', want: true },
    { input: 'Node.Meta.other == ""', want: false },
    { input: "Node.Meta.other != qa", want: true },
    { input: "Node.Meta.other is empty", want: true },
    { input: "Node.Meta.other is not empty", want: false },
    { input: "x in Node.Meta.other", want: false },
    { input: "Node.Meta.other not matches x", want: true },
    { input: "Service.Meta.env == qa", want: false },
    { input: "Service.Meta is empty", want: true },
    { input: "env in Service.Meta", want: false },
    { input: "ServiceTags is empty", want: true },
    { input: "Service.Tags is not empty", want: true },
    { input: "Service.Address is empty", want: true },
    { input: "Service.Connect is empty", want: true },
    { input: "Service.Service matches `^w.b$`", want: true },
    { input: 'Service.Service matches "(?i)WEB"', want: true },
    { input: "Service.Service not matches `\\d`", want: true },
    { input: "Service.Service == web and Service.Port == 1", want: false },
    { input: "Service.Service == web or Service.Port == 1", want: true },
    { input: "Service.Port == 1 or Service.Service == web and Service.Port == 8080", want: true },
    { input: "(Service.Port == 1 or Service.Service == web) and Service.Port == 8080", want: true },
    { input: "not Service.Service == web", want: false },
    { input: "not not Service.Service == web", want: true },
    { input: "not (Service.Port == 1 or Service.Port == 2)", want: true },
    { input: "any Checks as c { c.Status == critical }", want: true },
    { input: "all Checks as c { c.Status == critical }", want: false },
    { input: "all ServiceTags as t { t == none }", want: true },
    { input: "any Service.Tags as t { t matches `^v` }", want: true },
    { input: "any Service.Tags as i, t { i == 1 and t == v1 }", want: true },
    { input: "any Node.Meta as k { k == env }", want: true },
    { input: "any Node.Meta as _, v { v == qa }", want: true },
    { input: "any Node.Meta as k, _ { k == qa }", want: false },
    { input: "any Service.Meta as k, v { v == qa }", want: false },
    { input: "any Checks as c { any Service.Tags as t { t == v1 and c.CheckID == http } }", want: true },
    { input: "Checks.0.Status == passing", want: true },
    { input: "Checks.7.Status == passing", want: false },
    { input: 'not == "x"', want: true },
    { input: "any == y", want: true },
    { input: "not not == x", want: false },
    { input: "  Service.Service\n==\tweb  ", want: true },
  ];
  test.each(cases)("$input is $want", ({ input, want }) => expect(check(input)).toBe(want));
});

describe("what is no filter, or cannot be asked, says where and why", () => {
  const cases: readonly { readonly input: string; readonly want: string | RegExp }[] = [
    { input: "", want: "1: expected a selector, as in: Service == web" },
    { input: "Service", want: '8: expected "==", "!=", "in", "contains", "matches" or "is empty" behind Service' },
    { input: "Service =", want: '9: expected "==", "!=", "in", "contains", "matches" or "is empty"' },
    { input: "Service ==", want: "11: expected a value: a word, a number or a quoted text" },
    { input: 'Service == "web', want: "12: this quote is not closed" },
    { input: 'Service == "\\q"', want: '12: "\\q" has an escape that does not exist' },
    { input: "(Service == web", want: '16: expected ")"' },
    { input: "Service == web)", want: "15: this parenthesis was not opened" },
    { input: "Service == web Node == x", want: '16: expected "and", "or" or the end' },
    { input: "Service.Service matches `(`", want: "25: error parsing regexp: missing closing ): `(`" },
    { input: "Service is full", want: '12: expected "not empty" or "empty"' },
    { input: "Meta[x] == y", want: '6: expected a quoted name, as in: Meta["env"]' },
    { input: "any Tags { x == y }", want: '10: expected "as", as in: any Tags as tag { tag == "web" }' },
    { input: "any Tags as t, t { t == y }", want: "16: the two names must differ" },
    { input: `${"(".repeat(200)}`, want: /levels deep/ },
    { input: "Nodes == x", want: "there is no Nodes; known are Node, Service, Checks, ServiceTags, not, any" },
    { input: "Service.Ports == x", want: /^there is no Service\.Ports: "Ports" is not there; known are Service, Tags/ },
    { input: "Service.Port == web", want: 'Service.Port is a number, and cannot be "web"' },
    {
      input: "Service.EnableTagOverride == yes",
      want: 'Service.EnableTagOverride is true or false, and cannot be "yes"',
    },
    { input: "Service.Port matches `8`", want: 'Service.Port is a number, of which "matches" cannot be asked' },
    { input: "Service.Tags == v1", want: 'Service.Tags is a list, of which "==" cannot be asked' },
    { input: "any Service.Port as p { p == 1 }", want: "Service.Port is not a list or a map" },
  ];
  test.each(cases)("$input", ({ input, want }) => {
    if (typeof want === "string") expect(check(input)).toBe(want);
    else expect(check(input)).toMatch(want);
  });
});

test("an empty list needs no fields", () => {
  const parsed = parseFilter("Nodes == x");
  expect(parsed.ok && parsed.filter.select([])).toEqual({ ok: true, items: [] });
});

test("neither a long chain nor a deep one ends in a stack overflow", () => {
  const many = Array.from({ length: 5_000 }, () => "Service.Port == 1").join(" or ");
  expect(check(many)).toBe(false);
  expect(check(`${"not ".repeat(5_000)}x == 1`)).toMatch(/levels deep/);
});
