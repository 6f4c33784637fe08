import type { ScopeTraversal } from "@millwright/hcl/ast";
import { parseTraversal } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { listType, mapType, stringType } from "@millwright/value/types";
import { listValue, mapValue, nullValue, objectValue, stringValue, type Value } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { plainOf } from "../testing/test-engine.ts";
import { ignoreChanges } from "./ignore.ts";

function traversal(text: string): ScopeTraversal {
  const { value } = parseTraversal(sourceFile("test", text));
  if (!value) throw new Error(`${text} is a traversal`);
  return value;
}

const map = (entries: Readonly<Record<string, string>> | null): Value =>
  entries === null
    ? nullValue(mapType(stringType))
    : mapValue(
        Object.entries(entries).map(([key, text]) => [key, stringValue(text)] as const),
        stringType,
      );
const of = (a: string | null, m: Readonly<Record<string, string>> | null, l: readonly string[]): Value =>
  objectValue({
    a: a === null ? nullValue(stringType) : stringValue(a),
    m: map(m),
    l: l.length === 0 ? nullValue(listType(stringType)) : listValue(l.map(stringValue)),
  });

describe("what is to be ignored is put back", () => {
  const cases: readonly { name: string; paths: readonly string[]; prior: Value; wanted: Value; want: unknown }[] = [
    {
      name: "an attribute",
      paths: ["a"],
      prior: of("old", {}, []),
      wanted: of("new", {}, []),
      want: { a: "old", m: {}, l: null },
    },
    {
      name: "an attribute that was not set",
      paths: ["a"],
      prior: of(null, {}, []),
      wanted: of("new", {}, []),
      want: { a: null, m: {}, l: null },
    },
    {
      name: "an element of a map that was changed",
      paths: ['m["k"]'],
      prior: of("", { k: "1", x: "1" }, []),
      wanted: of("", { k: "2", x: "2" }, []),
      want: { a: "", m: { k: "1", x: "2" }, l: null },
    },
    {
      name: "an element that was written with a dot",
      paths: ["m.k"],
      prior: of("", { k: "1" }, []),
      wanted: of("", { k: "2" }, []),
      want: { a: "", m: { k: "1" }, l: null },
    },
    {
      name: "an element that was removed",
      paths: ['m["k"]'],
      prior: of("", { k: "1" }, []),
      wanted: of("", { x: "2" }, []),
      want: { a: "", m: { k: "1", x: "2" }, l: null },
    },
    {
      name: "an element that was added",
      paths: ['m["k"]'],
      prior: of("", { x: "1" }, []),
      wanted: of("", { k: "2", x: "1" }, []),
      want: { a: "", m: { x: "1" }, l: null },
    },
    {
      name: "an element of a map that is not written any more",
      paths: ['m["k"]'],
      prior: of("", { k: "1" }, []),
      wanted: of("", null, []),
      want: { a: "", m: { k: "1" }, l: null },
    },
    {
      name: "an element that was added to no map at all",
      paths: ['m["k"]'],
      prior: of("", null, []),
      wanted: of("", { k: "2" }, []),
      want: { a: "", m: null, l: null },
    },
    {
      name: "an element of a list",
      paths: ["l[1]"],
      prior: of("", {}, ["a", "b"]),
      wanted: of("", {}, ["x", "y", "z"]),
      want: { a: "", m: {}, l: ["x", "b", "z"] },
    },
    {
      name: "an element that the list does not have",
      paths: ["l[5]"],
      prior: of("", {}, ["a"]),
      wanted: of("", {}, ["x"]),
      want: { a: "", m: {}, l: ["x"] },
    },
    {
      name: "several",
      paths: ["a", 'm["k"]'],
      prior: of("old", { k: "1" }, []),
      wanted: of("new", { k: "2" }, []),
      want: { a: "old", m: { k: "1" }, l: null },
    },
  ];
  for (const { name, paths, prior, wanted, want } of cases) {
    test(name, () => {
      expect(plainOf(ignoreChanges({ kind: "some", paths: paths.map(traversal) }, prior, wanted))).toEqual(want);
    });
  }
});

test("all may be ignored, or nothing", () => {
  const prior = of("old", {}, []);
  const wanted = of("new", {}, []);
  expect(ignoreChanges({ kind: "all" }, prior, wanted)).toBe(prior);
  expect(ignoreChanges({ kind: "none" }, prior, wanted)).toBe(wanted);
});
