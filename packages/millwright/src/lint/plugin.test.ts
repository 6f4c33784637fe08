import { parse } from "acorn";
import { expect, test } from "vitest";
import { isNode, type LintNode } from "./lint-node.ts";
import { rules } from "./plugin.ts";

/** The pieces of source that the rule marks. */
function marked(source: string, reshape: (program: LintNode) => void = () => undefined): string[] {
  const program: unknown = parse(source, { ecmaVersion: "latest", sourceType: "module" });
  if (!isNode(program)) throw new Error("a program is a node");
  reshape(program);
  const found: string[] = [];
  const report = ({ node }: { readonly node: LintNode }) =>
    found.push(source.slice(Number(node.start), Number(node.end)));
  rules["no-decision-by-reference"]!.create({ report }).Program(program);
  return found;
}

const head =
  'import { blocks, derive, ref, resource as make, variable } from "millwright";\nimport * as m from "millwright";\nconst pet = make("random_pet", "p", {});\n';

test.for([
  { name: "===", source: 'pet.id === "x";', want: ["pet.id"] },
  { name: "!== with a text", source: "`a-${pet.id}` !== 'x';", want: ["`a-${pet.id}`"] },
  { name: "less than", source: "2 < pet.length;", want: ["pet.length"] },
  { name: "both sides", source: "pet.id == pet.name;", want: ["pet.id", "pet.name"] },
  { name: "if", source: "if (pet.id) {}", want: ["pet.id"] },
  { name: "a conditional expression", source: "pet.id ? 1 : 2;", want: ["pet.id"] },
  {
    name: "and, or, nothing or else",
    source: "pet.a && 1; pet.b || 1; pet.c ?? 1;",
    want: ["pet.a", "pet.b", "pet.c"],
  },
  { name: "not", source: "!pet.id;", want: ["pet.id"] },
  {
    name: "while and for",
    source: "while (pet.a) {} for (; pet.b; ) {} do {} while (pet.c);",
    want: ["pet.a", "pet.b", "pet.c"],
  },
  { name: "switch", source: "switch (pet.id) {}", want: ["pet.id"] },
  { name: "a variable of the stack, by namespace", source: 'const v = m.variable("v"); if (v) {}', want: ["v"] },
  {
    name: "what is taken out of a reference",
    source: "const { id, list: [first] } = pet; if (id) {} if (first) {}",
    want: ["id", "first"],
  },
  {
    name: "a call by its result",
    source: 'if (derive(pet.id, (x) => x === "a")) {}',
    want: ['derive(pet.id, (x) => x === "a")'],
  },
  {
    name: "the instance in arguments",
    source: 'make("t", "n", ({ index }) => ({ a: index === 0 }), { count: 2 });',
    want: ["index"],
  },
  {
    name: "the element in nested blocks",
    source: "blocks(pet.list, (item) => ({ a: item.value ? 1 : 2 }));",
    want: ["item.value"],
  },
  {
    name: "what a function of the stack gives",
    source:
      'function f(n) { const r = ref(n); return r.id; }\nconst g = () => `x${f("a")}`;\nif (f("a")) {} if (g()) {}',
    want: ['f("a")', "g()"],
  },
  { name: "an inner name that hides it, not", source: "{ const pet = true; if (pet) {} }", want: [] },
  { name: "a parameter that hides it, not", source: "const f = (pet) => pet === 1;", want: [] },
  { name: "the value inside of derive, not", source: 'derive(pet.id, (id) => id === "a" ? 1 : 2);', want: [] },
  { name: "whether something was given, not", source: "pet === undefined; pet.id == null;", want: [] },
  { name: "other values, not", source: "const a = [1]; if (a.length === 1) {}", want: [] },
])("$name", ({ source, want }) => {
  expect(marked(head + source)).toEqual(want);
});

test("functions of the same names from elsewhere are not meant", () => {
  expect(marked('import { resource } from "elsewhere";\nif (resource("a", "b", {})) {}')).toEqual([]);
});

test("what TypeScript puts around an expression is looked through, and types of parameters count", () => {
  const around = (program: LintNode) => {
    const body = program.body as { test?: LintNode }[];
    const statement = body.at(-1)!;
    statement.test = {
      type: "TSAsExpression",
      expression: statement.test,
      start: statement.test!.start,
      end: statement.test!.end,
    };
  };
  expect(marked(`${head}if (pet.id) {}`, around)).toEqual(["pet.id"]);
  const typed = (program: LintNode) => {
    const [statement] = program.body as { params: Record<string, unknown>[] }[];
    const typeName = { type: "Identifier", name: "Ref" };
    statement!.params[0]!.typeAnnotation = {
      type: "TSTypeAnnotation",
      typeAnnotation: { type: "TSTypeReference", typeName },
    };
  };
  expect(marked("function f(x) { if (x) {} }", typed)).toEqual(["x"]);
});
