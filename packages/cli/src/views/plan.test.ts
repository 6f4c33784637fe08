import { stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  boolValue,
  listValue,
  mapValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  sensitive,
  setValue,
  stringValue as s,
  tupleValue,
  unknownValue,
} from "@millwright/value/value";
import { note } from "@millwright/provider/plan-note";
import { parseBigFloat } from "@millwright/value/number";
import { describe, expect, test } from "vitest";
import { expectGolden } from "../../test/golden.ts";
import { change, changed, demo, demoSchemas, outputChange, planOf } from "../../test/plan-fixtures.ts";
import { renderPlan } from "./plan.ts";

const strings = (...texts: string[]) => listValue(texts.map(s), stringType);
const map = (entries: Readonly<Record<string, string>>) =>
  mapValue(
    Object.entries(entries).map(([key, text]) => [key, s(text)] as const),
    stringType,
  );
const part = (name: string, size: number) => objectValue({ name: s(name), size: numberValue(size) });
const entry = (key: string, on: boolean) =>
  objectValue({ key: s(key), on: boolValue(on), token: nullValue(stringType) });
const unknown = unknownValue(stringType);
const base = demo({ id: s("i-1"), text: s("one"), zone: s("west"), count: numberValue(1) });
const update = (before: Readonly<Record<string, Value>>, after: Readonly<Record<string, Value>>) =>
  planOf({ changes: [change("demo.a", "update", changed(base, before), changed(base, after))] });

const cases = {
  create: planOf({
    changes: [
      change(
        "demo.a",
        "create",
        undefined,
        demo({
          id: unknown,
          text: s("one"),
          labels: map({ a: "1", "b c": "2" }),
          nodes: strings("x", "y"),
          list_block: listValue([part("p", 1)]),
        }),
      ),
      change('module.app["x"].demo.b[0]', "create", undefined, demo({ id: unknown, nested_single: entry("k", true) })),
    ],
  }),
  update: update({}, { text: s("two"), count: numberValue(2) }),
  "replace, destroyed first": planOf({
    changes: [
      change("demo.a", "delete-create", base, changed(base, { id: unknown, zone: s("east") }), {
        reason: "replace_because_cannot_update",
        replacePaths: [[{ attribute: "zone" }]],
      }),
    ],
  }),
  "replace, created first": planOf({
    changes: [
      change(
        "demo.a",
        "create-delete",
        changed(base, { list_block: listValue([part("p", 1)]) }),
        changed(base, { id: unknown, list_block: listValue([part("q", 1)]) }),
        {
          reason: "replace_because_cannot_update",
          replacePaths: [[{ attribute: "list_block" }, { index: numberValue(0) }, { attribute: "name" }]],
        },
      ),
    ],
  }),
  "notes of the provider": planOf({
    changes: [
      change("demo.a", "update", base, changed(base, { text: s("two") }), {
        notes: [
          [
            { text: "+/-", tone: "change" },
            { text: " Job: ", tone: "plain" },
            { text: '"web"', tone: "heading" },
          ],
          [
            { text: "  \u001b[2J1 create", tone: "create" },
            { text: ", 1 destroy", tone: "destroy" },
          ],
          [],
          note("Dry run:", "heading"),
          note("- one finds no place", "warning"),
          note("- one moves", "accent"),
        ],
      }),
      change("demo.b", "update", base, changed(base, { text: s("two") })),
    ],
  }),
  delete: planOf({
    changes: [
      change("demo.a", "delete", changed(base, { nodes: strings("x") }), undefined, {
        reason: "delete_because_no_resource_config",
      }),
      change("demo.b[2]", "delete", base, undefined, { reason: "delete_because_count_index" }),
      change('demo.c["k"]', "delete", base, undefined, { reason: "delete_because_each_key" }),
      change("demo.d[0]", "delete", base, undefined, { reason: "delete_because_wrong_repetition" }),
      change("module.old.demo.e", "delete", base, undefined, { reason: "delete_because_no_module" }),
    ],
  }),
  "read during apply": planOf({
    changes: [
      change("data.demo.a", "read", undefined, demo({ id: unknown, text: unknown }), {
        reason: "read_because_config_unknown",
      }),
    ],
  }),
  deposed: planOf({ changes: [change("demo.a", "delete", base, undefined, { deposedKey: "0a1b2c3d" })] }),
  tainted: planOf({
    changes: [
      change("demo.a", "delete-create", base, changed(base, { id: unknown }), { reason: "replace_because_tainted" }),
      change("demo.b", "delete-create", base, changed(base, { id: unknown }), { reason: "replace_by_request" }),
      change("demo.c", "delete-create", base, changed(base, { id: unknown }), { reason: "replace_by_triggers" }),
    ],
  }),
  forget: planOf({ changes: [change("demo.a", "forget", base, undefined)] }),
  outputs: planOf({
    outputs: new Map([
      ["made", outputChange(undefined, strings("a"))],
      ["gone", outputChange(s("x"), undefined)],
      ["longer_name", outputChange(s("x"), s("y"))],
      ["later", outputChange(numberValue(1), unknownValue(stringType))],
      ["secret", outputChange(undefined, mark(s("hunter2"), sensitive))],
    ]),
  }),
  drift: planOf({
    drift: [
      change(
        "demo.a",
        "update",
        changed(base, { labels: map({ a: "1" }) }),
        changed(base, { labels: map({ a: "1", hand: "made" }) }),
      ),
      change("demo.b", "delete", base, undefined),
    ],
    changes: [change("demo.b", "create", undefined, changed(base, { id: unknown }))],
    relevant: [
      { resource: "demo.a", attribute: [{ attribute: "labels" }] },
      { resource: "demo.b", attribute: [] },
    ],
  }),
  "drift that the changes do not depend on": planOf({
    drift: [change("demo.a", "update", base, changed(base, { text: s("by hand") }))],
    changes: [change("demo.b", "create", undefined, changed(base, { id: unknown }))],
    relevant: [{ resource: "demo.a", attribute: [{ attribute: "labels" }] }],
  }),
  "refresh only": planOf({
    mode: "refresh-only",
    drift: [change("demo.a", "update", base, changed(base, { text: s("by hand") }))],
  }),
  "drift that needs nothing": planOf({
    drift: [change("demo.a", "update", base, changed(base, { text: s("by hand") }))],
  }),
  "no changes": planOf({ changes: [change("demo.a", "no-op", base, base)] }),
  "nothing to destroy": planOf({ mode: "destroy" }),
  "nothing refreshed": planOf({ mode: "refresh-only" }),
  maps: update(
    { labels: map({ a: "1", b: "2", "c d": "3" }) },
    { labels: map({ a: "1", b: "20", e: "4", 世界: "5" }) },
  ),
  "maps in maps": update(
    {
      any: objectValue({ a: objectValue({ x: s("1"), y: s("2") }), "b-c": objectValue({ z: s("3") }), "d e": s("4") }),
    },
    {
      any: objectValue({
        a: objectValue({ x: s("1"), y: s("9") }),
        "b-c": objectValue({ z: s("3") }),
        f: nullValue(stringType),
      }),
    },
  ),
  lists: update(
    { nodes: strings("a", "b", "c", "d", "e", "f", "g", "h") },
    { nodes: strings("a", "b", "c", "X", "e", "f", "h", "i") },
  ),
  "lists of objects": update(
    { any: tupleValue([part("a", 1), part("b", 2), part("c", 3)]) },
    { any: tupleValue([part("a", 1), part("b", 9), part("c", 3), part("d", 4)]) },
  ),
  sets: update(
    { ports: setValue([80, 443, 8080].map(numberValue)) },
    { ports: setValue([80, 443, 9090].map(numberValue)) },
  ),
  "nested blocks": update(
    {
      group_block: part("g", 1),
      list_block: listValue([part("a", 1), part("b", 2), part("c", 3)]),
      map_block: mapValue([
        ["one", part("a", 1)],
        ["two", part("b", 2)],
      ]),
      set_block: setValue([part("a", 1), part("b", 2)]),
      single_block: part("s", 1),
    },
    {
      group_block: part("g", 1),
      list_block: listValue([part("a", 1), part("b", 20), part("c", 3), part("d", 4)]),
      map_block: mapValue([
        ["one", part("a", 10)],
        ["three", part("c", 3)],
      ]),
      set_block: setValue([part("a", 1), part("c", 3)]),
      single_block: nullValue(part("s", 1).type),
    },
  ),
  "nested attributes": update(
    {
      nested_single: entry("k", true),
      nested_list: listValue([entry("a", true), entry("b", true)]),
      nested_map: mapValue([["one", entry("a", true)]]),
      nested_set: setValue([entry("a", true)]),
    },
    {
      nested_single: entry("k", false),
      nested_list: listValue([entry("a", true), entry("b", false)]),
      nested_map: mapValue([
        ["one", entry("a", true)],
        ["two", entry("b", true)],
      ]),
      nested_set: setValue([entry("c", true)]),
    },
  ),
  "texts of several lines": update(
    { text: s(`${Array.from({ length: 20 }, (_, i) => `line ${i + 1}`).join("\n")}\n`) },
    { text: s(`${Array.from({ length: 20 }, (_, i) => (i === 9 ? "line ten" : `line ${i + 1}`)).join("\n")}\n`) },
  ),
  "the end of a text": update({ text: s("a\nb\n"), zone: s("a\nb") }, { text: s("a\nb"), zone: s("a\nb\nc") }),
  "texts that become several lines": update({ text: s("one") }, { text: s("one\ntwo\n") }),
  "JSON texts": update(
    { text: s('{"a":1,"b":[1,2],"big":12345678901234567890}'), zone: s('{ "a": 1 }') },
    { text: s('{"a":1,"b":[2,3],"big":12345678901234567890}'), zone: s('{"a":1}') },
  ),
  "a text that becomes JSON": update({ text: s("none"), zone: s("{}") }, { text: s('{"a":1}'), zone: s("[]") }),
  unknown: update(
    {
      any: objectValue({ a: s("1"), b: strings("x") }),
      nodes: strings("a", "b"),
      list_block: listValue([part("a", 1)]),
    },
    {
      any: objectValue({ a: unknown, b: unknownValue(strings("x").type) }),
      nodes: unknownValue(strings("x").type),
      text: unknown,
      list_block: unknownValue(listValue([part("a", 1)]).type),
    },
  ),
  "sensitive values": update(
    {
      text: mark(s("hunter2"), sensitive),
      zone: s("plain"),
      labels: mapValue([["a", s("1")]]),
      list_block: mark(listValue([part("hunter2", 1)]), sensitive),
    },
    {
      text: mark(s("hunter3"), sensitive),
      zone: mark(s("plain"), sensitive),
      labels: mapValue([["a", mark(s("hunter4"), sensitive)]]),
      list_block: mark(listValue([part("hunter3", 1)]), sensitive),
    },
  ),
  "null and types": update(
    { any: s("5"), text: nullValue(stringType), count: numberValue(1) },
    { any: numberValue(5), text: s(""), count: nullValue(numberValue(1).type) },
  ),
  "another type": update({ any: strings("a") }, { any: objectValue({ a: s("1") }) }),
  "a text that becomes an object": update({ any: s("x") }, { any: objectValue({ a: s("1") }) }),
  "big numbers": update(
    { any: numberValue(parseBigFloat("123456789012345678901234567890")!) },
    { any: numberValue(parseBigFloat("0.1234567890123456789")!) },
  ),
  "what would not show": update(
    { text: s("a\u001b[31mred\u0007") },
    { text: s('quote " tab \t bidi \u202e ${x} %{y} 🎉 世界') },
  ),
  "control characters on a line of several": update({ text: s("a\n\u001b[2Jb\n") }, { text: s("a\n\u001b[2Jc\r\n") }),
  "a very long text": update({ text: s("x".repeat(300)) }, { text: s("y".repeat(300)) }),
};

describe("the plan for people", () => {
  for (const [name, plan] of Object.entries(cases)) {
    const text = renderPlan(plan, { width: 80, colour: false }, demoSchemas);
    test(`shows ${name}`, () => expectGolden(`plans/${name.replaceAll(/[ ,]+/g, "-")}.txt`, text));

    test(`has no two blank lines together and no space at a line's end: ${name}`, () => {
      expect(text).not.toMatch(/\n\n\n/);
      expect(text.split("\n").filter((line) => line.trimEnd() !== line)).toEqual([]);
    });

    test(`tells no secret: ${name}`, () => expect(text).not.toContain("hunter"));

    test(`is the same in colour, but for the colours: ${name}`, () => {
      const coloured = renderPlan(plan, { width: 80, colour: true }, demoSchemas);
      expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(text);
    });
  }

  test("has its sentences within 80 columns", () => {
    for (const [name, plan] of Object.entries(cases)) {
      const text = renderPlan(plan, { width: 80, colour: false }, demoSchemas);
      const long = text.split("\n").filter((line) => line.length > 80 && !/["$]/.test(line));
      expect(long, name).toEqual([]);
    }
  });
});
