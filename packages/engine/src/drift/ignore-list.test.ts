import { describe, expect, test } from "vitest";
import { messages } from "../testing/test-engine.ts";
import { coversFinding, readIgnoreList } from "./ignore-list.ts";

const today = "2026-11-21";
const read = (text: string) => readIgnoreList("drift.ignore", new TextEncoder().encode(text), today);
const entry = (address: string, attributes: readonly string[]) => {
  const list = attributes.map((one) => JSON.stringify(one)).join(", ");
  const { value, diagnostics } = read(
    `ignore "${address}" {\n attributes = [${list}]\n reason = "r"\n until = "2027-01-01"\n}\n`,
  );
  expect(messages(diagnostics)).toEqual([]);
  return value[0]!;
};

describe("an entry of the ignore list covers", () => {
  const cases = [
    { name: "the address it names", address: "a.b", attributes: [], of: "a.b", attribute: "x", want: true },
    { name: "instances of a resource", address: "a.b", attributes: [], of: "a.b[0]", attribute: "x", want: true },
    {
      name: "what is in a module",
      address: "module.m",
      attributes: [],
      of: "module.m.a.b",
      attribute: "x",
      want: true,
    },
    {
      name: "no address that only begins like it",
      address: "a.b",
      attributes: [],
      of: "a.bc",
      attribute: "x",
      want: false,
    },
    { name: "anything for a star", address: "a.*", attributes: [], of: 'a.b["k"]', attribute: "x", want: true },
    { name: "an object that is gone", address: "a.b", attributes: [], of: "a.b", attribute: undefined, want: true },
    { name: "an attribute", address: "a.b", attributes: ["tags"], of: "a.b", attribute: "tags", want: true },
    {
      name: "what is below an attribute",
      address: "a.b",
      attributes: ["tags"],
      of: "a.b",
      attribute: "tags.x.y",
      want: true,
    },
    { name: "no other attribute", address: "a.b", attributes: ["tags"], of: "a.b", attribute: "tag", want: false },
    { name: "one step for a star", address: "a.b", attributes: ["r.*.x"], of: "a.b", attribute: "r.0.x", want: true },
    {
      name: "no object that is gone by an attribute",
      address: "a.b",
      attributes: ["t"],
      of: "a.b",
      attribute: undefined,
      want: false,
    },
  ];
  test.each(cases)("$name: $want", ({ address, attributes, of, attribute, want }) => {
    expect(coversFinding(entry(address, attributes), of, attribute)).toBe(want);
  });
});

describe("an ignore list is refused", () => {
  const cases = [
    { name: "without a reason", text: 'ignore "a.b" {\n until = "2027-01-01"\n}', want: /"reason" is required/ },
    {
      name: "with an empty reason",
      text: 'ignore "a.b" {\n reason = " "\n until = "2027-01-01"\n}',
      want: /Say in the reason/,
    },
    { name: "without an end", text: 'ignore "a.b" {\n reason = "r"\n}', want: /"until" is required/ },
    {
      name: "with an end that is no day",
      text: 'ignore "a.b" {\n reason = "r"\n until = "soon"\n}',
      want: /is not a day/,
    },
  ];
  test.each(cases)("$name", ({ text, want }) => {
    expect(messages(read(text).diagnostics).join("\n")).toMatch(want);
  });

  test("only by a warning where an entry's day is over", () => {
    const { diagnostics } = read('ignore "a.b" {\n reason = "r"\n until = "2026-11-20"\n}');
    expect(messages(diagnostics)).toEqual([expect.stringMatching(/^warning: Drift is no longer ignored/)]);
  });
});
