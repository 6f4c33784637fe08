import { expect, test } from "vitest";
import { treeText } from "../test/tree-text.ts";
import { parseExpression } from "./parse.ts";
import { parseJsonFile } from "./parse-json.ts";
import { sourceFile } from "./source-file.ts";
import { walkExpression } from "./walk.ts";

function visited(source: string): string[] {
  const found: string[] = [];
  walkExpression(parseExpression(sourceFile("f", source)).value, (expression) => found.push(treeText(expression)));
  return found;
}

test("an expression is visited before what is inside of it, in source order", () => {
  expect(visited("f(a + 1)[b]")).toEqual(["(index (call f (+ a 1)) b)", "(call f (+ a 1))", "(+ a 1)", "a", "1", "b"]);
});

test("every form of expression is gone through", () => {
  const source =
    '{ (a) = [-b, !c], k = d ? e : f(g...), h = i[*].j, l = "${m}${n}", o = [for p in q : r if s], t = (u).v }';
  const names = "abcdefghijklmnopqrstuv".split("").filter((name) => visited(source).includes(name));
  expect(names.join("")).toBe("abcdegimnqrsu");
});

test("nothing is visited inside of an expression that was refused", () => {
  const found: string[] = [];
  walkExpression(parseExpression(sourceFile("f", "a + f(b)")).value, (expression) => {
    found.push(expression.kind);
    return expression.kind !== "call";
  });
  expect(found).toEqual(["binary", "scopeTraversal", "call"]);
});

test("strings and names in JSON are visited as templates", () => {
  const { json } = parseJsonFile(sourceFile("f", '{"${a}": ["${b}", {"c": 1}]}')).value;
  if (!json) throw new Error("no JSON");
  const found: string[] = [];
  const { file, start, end } = json;
  walkExpression({ kind: "json", value: json, file, start, end }, (expression) => found.push(treeText(expression)));
  expect(found).toEqual(["(json jsonObject)", "(wrap a)", "a", "(wrap b)", "b", '(template "c")', '"c"']);
});
