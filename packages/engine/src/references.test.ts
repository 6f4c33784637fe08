import { parseExpression, parseFile, parseTraversal } from "@millwright/hcl/parse";
import { parseJsonFile } from "@millwright/hcl/parse-json";
import { sourceFile } from "@millwright/hcl/source-file";
import { numberValue, stringValue } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import type { ParsedReference, Subject } from "./references.ts";
import { constantKey, parseReference, referencesOf, referencesOfBody, stringKey } from "./references.ts";
import { plainOf } from "./testing/test-engine.ts";

function reference(text: string): ParsedReference {
  return parseReference(parseTraversal(sourceFile("<test>", text)).value!);
}

/** The texts of references, as they are written. */
function texts(references: readonly ParsedReference[]): string[] {
  return references.map((parsed) => {
    if (!parsed.ok) return `refused: ${parsed.detail}`;
    const { file, start, end } = parsed.reference.traversal;
    return file.text.slice(start, end);
  });
}

describe("a reference names", () => {
  const managed = { kind: "resource", address: { mode: "managed", type: "t", name: "a" } } as const;
  const cases: readonly { name: string; text: string; subject: Subject; rest: number }[] = [
    { name: "a variable", text: "var.v", subject: { kind: "variable", name: "v" }, rest: 0 },
    { name: "a variable's inside", text: "var.v.x[0]", subject: { kind: "variable", name: "v" }, rest: 2 },
    { name: "a local", text: "local.l", subject: { kind: "local", name: "l" }, rest: 0 },
    { name: "a path", text: "path.module", subject: { kind: "path", name: "module" }, rest: 0 },
    { name: "the workspace", text: "terraform.workspace", subject: { kind: "terraform", name: "workspace" }, rest: 0 },
    { name: "the same for tofu", text: "tofu.workspace", subject: { kind: "terraform", name: "workspace" }, rest: 0 },
    { name: "each", text: "each.value.x", subject: { kind: "each", name: "value" }, rest: 1 },
    { name: "count", text: "count.index", subject: { kind: "count", name: "index" }, rest: 0 },
    { name: "self", text: "self.id", subject: { kind: "self" }, rest: 1 },
    { name: "a module", text: "module.m", subject: { kind: "module", name: "m" }, rest: 0 },
    { name: "a module's output", text: "module.m.o", subject: { kind: "module", name: "m", output: "o" }, rest: 1 },
    {
      name: "an output of a module's instance",
      text: 'module.m["k"].o.x',
      subject: { kind: "module", name: "m", output: "o" },
      rest: 3,
    },
    { name: "all instances of a module", text: "module.m[0]", subject: { kind: "module", name: "m" }, rest: 1 },
    { name: "a resource", text: "t.a.id", subject: managed, rest: 1 },
    { name: "a resource's instance", text: "t.a[0].id", subject: managed, rest: 2 },
    { name: "a resource by the long way", text: "resource.t.a.id", subject: managed, rest: 1 },
    {
      name: "a data source",
      text: "data.t.a.id",
      subject: { kind: "resource", address: { mode: "data", type: "t", name: "a" } },
      rest: 1,
    },
    {
      name: "an ephemeral resource",
      text: "ephemeral.t.a.id",
      subject: { kind: "resource", address: { mode: "ephemeral", type: "t", name: "a" } },
      rest: 1,
    },
  ];
  for (const { name, text, subject, rest } of cases) {
    test(name, () => {
      const parsed = reference(text);
      expect(parsed.ok && parsed.reference.subject).toEqual(subject);
      expect(parsed.ok && parsed.reference.rest).toHaveLength(rest);
    });
  }
});

describe("a reference is refused", () => {
  const cases: readonly [string, string, RegExp][] = [
    ["to all variables", "var", /"var" object cannot be accessed directly/],
    ["to a variable by index", 'var["v"]', /"var" object cannot be accessed directly/],
    ["to all modules", "module", /"module" object cannot be accessed directly/],
    ["to all data sources of a type", "data.t", /"data" object must be followed by two attribute names/],
    ["to an ephemeral type by index", "ephemeral.t[0]", /"ephemeral" object must be followed by two/],
    ["to resource without a name", "resource.t", /"resource" object must be followed by two/],
    ["to a type without a name", "t", /must be followed by at least one attribute access/],
    ["to a reserved name", "template.x", /"template" is reserved/],
  ];
  for (const [name, text, want] of cases) {
    test(name, () => {
      const parsed = reference(text);
      expect(parsed.ok).toBe(false);
      expect(!parsed.ok && parsed.detail).toMatch(want);
    });
  }
});

describe("the key of a reference", () => {
  const keyOf = (text: string) => {
    const parsed = reference(text);
    return parsed.ok ? constantKey(parsed.reference.rest) : undefined;
  };

  test("is its first further step, where that is an index", () => {
    expect(plainOf(keyOf("t.a[1].id")!)).toBe(1);
    expect(plainOf(keyOf('t.a["k"]')!)).toBe("k");
    expect(keyOf("t.a.id[0]")).toBeUndefined();
    expect(keyOf("t.a")).toBeUndefined();
  });

  test("has a text where it is one", () => {
    expect(stringKey(stringValue("k"))).toBe("k");
    expect(stringKey(numberValue(1))).toBeUndefined();
  });
});

describe("the references of an expression", () => {
  const of = (text: string) => texts(referencesOf(parseExpression(sourceFile("<test>", text)).value));

  test("come in the order of the source", () => {
    expect(of('"${var.b} ${[local.a, t.x[0].id]}"')).toEqual(["var.b", "local.a", "t.x[0].id"]);
  });

  test("leave out what a for expression binds", () => {
    expect(of("[for x in var.all : x.id if x.ok == local.ok]")).toEqual(["var.all", "local.ok"]);
  });

  test("are the same objects when asked for again", () => {
    const { value } = parseExpression(sourceFile("<test>", "var.a"));
    expect(referencesOf(value)).toBe(referencesOf(value));
  });
});

describe("the references of a body", () => {
  const of = (text: string) => texts(referencesOfBody(parseFile(sourceFile("main.tf", text)).value)).sort();

  test("are those of its arguments and of its blocks at any depth", () => {
    expect(of("a = var.a\nb {\n c {\n d = local.d\n }\n}\n")).toEqual(["local.d", "var.a"]);
  });

  test("leave out what a dynamic block binds, inside of it only", () => {
    expect(of('dynamic "row" {\n for_each = var.rows\n content {\n a = row.value\n b = local.b\n }\n}\n')).toEqual([
      "local.b",
      "var.rows",
    ]);
    expect(of('dynamic "row" {\n for_each = row.all\n content {\n }\n}\n')).toEqual(["row.all"]);
  });

  test("leave out a dynamic block's own name for its iterator", () => {
    expect(of('dynamic "row" {\n for_each = []\n iterator = r\n content {\n a = r.value\n b = row.b\n }\n}\n')).toEqual(
      ["row.b"],
    );
  });

  test("keep an outer dynamic block's iterator bound in an inner one", () => {
    const inner = 'dynamic "leaf" {\n for_each = row.value\n content {\n a = [row.key, leaf.key]\n }\n}';
    expect(of(`dynamic "row" {\n for_each = var.rows\n content {\n ${inner}\n }\n}\n`)).toEqual(["var.rows"]);
  });

  test("of JSON are in its strings, as in templates", () => {
    const json = sourceFile("main.tf.json", '{"a": "${var.a} and ${local.b}", "c": {"d": ["${t.x.id}"]}}');
    expect(texts(referencesOfBody(parseJsonFile(json).value)).sort()).toEqual(["local.b", "t.x.id", "var.a"]);
  });
});
