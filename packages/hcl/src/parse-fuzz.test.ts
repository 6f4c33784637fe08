import { describe, expect, test } from "vitest";
import { Chance } from "../test/chance.ts";
import { leastTime } from "../test/least-time.ts";
import {
  grammaticalExpression,
  grammaticalSource,
  grammaticalTemplate,
  keptSources,
  mutatedSource,
  randomBytes,
} from "../test/sources.ts";
import { bodyText, treeText } from "../test/tree-text.ts";
import type { Body, Expression, JsonNode, Node } from "./ast.ts";
import { parseExpression, parseFile, parseTemplate, parseTraversal } from "./parse.ts";
import { parseJsonFile } from "./parse-json.ts";
import { scan } from "./scanner.ts";
import type { SourceFile } from "./source-file.ts";
import { rangeOf, sourceFile } from "./source-file.ts";
import { childrenOf } from "./walk.ts";

/** How many inputs are read, and the first of their seeds; a failing seed can be given alone, with FUZZ_INPUTS=1. */
const inputs = Number(process.env.FUZZ_INPUTS ?? 50_000);
const firstSeed = Number(process.env.FUZZ_SEED ?? 1);

/** What reading may take at most: a hang shows as far more, a slow machine or a collection of garbage does not. */
const millisecondsPerKilobyte = 10;
const allowance = 250;

/** How long the hostile texts are: so long that a time that grows with the square of it shows. */
const hostileLength = inputs > 50_000 ? 400_000 : 40_000;

type Reader = (file: SourceFile) => readonly Node[];

const readers: readonly Reader[] = [
  (file) => nodesOf(file, parseFile(file)),
  (file) => nodesOf(file, parseExpression(file)),
  (file) => nodesOf(file, parseTemplate(file)),
  (file) => nodesOf(file, parseTraversal(file)),
  (file) => nodesOf(file, parseJsonFile(file)),
];

/** A few nodes of a result to look at: all of its expressions, and of its JSON. */
function nodesOf(
  file: SourceFile,
  { value, diagnostics }: { value: Body | Expression | undefined; diagnostics: readonly unknown[] },
): readonly Node[] {
  const nodes: Node[] = [];
  if (value === undefined) expect(diagnostics.length).toBeGreaterThan(0);
  else if ("kind" in value) addExpression(value, nodes);
  else addBody(value, nodes);
  return nodes.filter((node) => node.file === file);
}

function addBody(body: Body, nodes: Node[]): void {
  nodes.push(body);
  for (const { expression } of body.attributes.values()) addExpression(expression, nodes);
  for (const block of body.blocks) addBody(block.body, nodes);
  if (body.json) addJson(body.json, nodes);
}

function addExpression(expression: Expression, nodes: Node[]): void {
  nodes.push(expression);
  for (const child of childrenOf(expression)) addExpression(child, nodes);
}

function addJson(node: JsonNode, nodes: Node[]): void {
  nodes.push(node);
  if (node.kind === "jsonArray") for (const element of node.elements) addJson(element, nodes);
  else if (node.kind === "jsonObject") for (const { value } of node.properties) addJson(value, nodes);
  else if (node.kind === "jsonString") addExpression(node.template(), nodes);
}

/** What is wrong with the way a source is read; undefined where nothing is. */
function faultOf(source: string | Uint8Array, read: Reader): string | undefined {
  const file = sourceFile("f", source);
  const { length } = file.text;
  const limit = allowance + (millisecondsPerKilobyte * length) / 1024;
  let nodes: readonly Node[] = [];
  let took: number;
  try {
    took = leastTime(limit, () => {
      nodes = read(file);
    });
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  if (took > limit) return `took ${took} ms for ${length} characters`;
  if (nodes.length > 2 * length + 4) return `${nodes.length} nodes for ${length} characters`;
  const outside = nodes.find(({ start, end }) => start < 0 || start > end || end > length);
  if (outside) return `a node from ${outside.start} to ${outside.end} of ${length} characters`;
  return undefined;
}

function sourceOf(seed: number): string | Uint8Array {
  const chance = new Chance(seed);
  switch (seed % 4) {
    case 0:
      return randomBytes(chance);
    case 1:
    case 2:
      return mutatedSource(chance);
    default:
      return chance.pick([grammaticalSource, grammaticalExpression, grammaticalTemplate])(chance);
  }
}

test(`${inputs} texts of every sort are read to the end, without a throw, in time and space linear in their length`, {
  timeout: 60_000 + inputs,
}, () => {
  for (let seed = firstSeed; seed < firstSeed + inputs; seed++) {
    const source = sourceOf(seed);
    const fault = faultOf(source, readers[seed % readers.length]!);
    if (fault !== undefined) {
      const text = JSON.stringify(typeof source === "string" ? source : Buffer.from(source).toString("latin1"));
      expect.fail(`FUZZ_SEED=${seed} FUZZ_INPUTS=1: ${fault}\n${text.slice(0, 2000)}`);
    }
  }
});

test("what the grammar allows is read without a fault of syntax", () => {
  // These are of more than grammar: the generator makes them, too.
  const allowed = new Set(["Nested splat expression not allowed", "Invalid legacy index syntax"]);
  for (let seed = 1; seed <= 3000; seed++) {
    const chance = new Chance(seed);
    for (const { diagnostics } of [
      parseFile(sourceFile("f", grammaticalSource(chance))),
      parseExpression(sourceFile("f", grammaticalExpression(chance))),
      parseTemplate(sourceFile("f", grammaticalTemplate(chance))),
    ]) {
      const unexpected = diagnostics.find(({ summary }) => !allowed.has(summary));
      if (unexpected) expect.fail(`seed ${seed}: ${unexpected.summary} at ${JSON.stringify(unexpected.subject)}`);
    }
  }
});

test("the kept configurations are read without a fault", () => {
  for (const [name, source] of keptSources) {
    const file = sourceFile(name, source);
    const { diagnostics } = name.endsWith(".json") ? parseJsonFile(file) : parseFile(file, { quotedNames: "warn" });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  }
});

test("a text reads the same from bytes and from a string, and the same again within white space", () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const source = mutatedSource(new Chance(seed)).toWellFormed();
    const fromText = parseFile(sourceFile("f", source));
    const fromBytes = parseFile(sourceFile("f", new TextEncoder().encode(source)));
    expect(bodyText(fromBytes.value)).toBe(bodyText(fromText.value));
    expect(fromBytes.diagnostics).toEqual(fromText.diagnostics);
    const expression = grammaticalExpression(new Chance(seed));
    const alone = parseExpression(sourceFile("f", expression)).value;
    const within = parseExpression(sourceFile("f", `\n\t ${expression} # end\n`)).value;
    expect(treeText(within)).toBe(treeText(alone));
    expect(rangeOf(within).start.line).toBe(rangeOf(alone).start.line + 1);
  }
});

describe(`hostile texts of ${hostileLength} characters are read in time linear in their length`, () => {
  const repeated = [
    ..."([{\"$%}])-!.,:=?*/\n#'\\~<",
    '"${',
    "${",
    "%{if a}",
    '"%{for x in "',
    "/* ",
    "<<A\n",
    "a=<<A\n${",
    "a{\n",
    "a {",
    "a=",
    "a?",
    "a?b:",
    "a+",
    "a.",
    "a[",
    "[b]",
    "[*]",
    ".*",
    "f(",
    "a::",
    "[for a in ",
    "{a=",
    "(\n",
    ")]}",
    '({["${',
    "a = [\n",
    'b "x" {\n a = (\n',
    'a = "x\n',
    "x = !\n",
    "a = 1\n",
    '{"a":[',
    '"\\u',
    "👩‍👧",
    "e\u0301",
    "1.",
    "1e",
  ];
  test.each(repeated.map((text) => ({ name: JSON.stringify(text), text })))("$name, over and over", ({ text }) => {
    const source = text.repeat(Math.ceil(hostileLength / text.length));
    for (const read of readers) expect(faultOf(source, read)).toBeUndefined();
    for (const start of ["a = ", 'a = "']) expect(faultOf(start + source, readers[0]!)).toBeUndefined();
  });

  test("bytes that are not UTF-8", () => {
    for (const read of readers) expect(faultOf(new Uint8Array(hostileLength).fill(0xff), read)).toBeUndefined();
  });

  test("there are at most as many tokens as characters", () => {
    for (const text of repeated) {
      const { count, file } = scan(sourceFile("f", text.repeat(1000)));
      expect(count).toBeLessThanOrEqual(file.text.length + 1);
    }
  });
});
