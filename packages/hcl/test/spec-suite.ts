import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { invariant } from "@millwright/core/errors";
import { convert } from "@millwright/value/convert";
import { typeText } from "@millwright/value/friendly";
import { decodeJson } from "@millwright/value/json";
import { rawEquals } from "@millwright/value/operations";
import type { Type } from "@millwright/value/types";
import { dynamicType, numberType, typeEquals } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asNumber } from "@millwright/value/value";
import type { Block, Expression } from "../src/ast.ts";
import { contentOf } from "../src/body-content.ts";
import type { BodySchema } from "../src/body-schema.ts";
import { evaluate } from "../src/evaluate.ts";
import { stepText } from "../src/expression-values.ts";
import { parseFile } from "../src/parse.ts";
import { sourceFile } from "../src/source-file.ts";
import { traversalIn } from "../src/static-expression.ts";
import { typeConstraint } from "../src/type-constraint.ts";
import type { Outcome } from "./hcldec.ts";
import { valueText } from "./value-text.ts";

/**
 * One input of a test of the HCL specification suite (specsuite of hashicorp/hcl): `NAME.t` says what is expected of the
 * inputs `NAME.hcl` and `NAME.hcl.json` when they are decoded by the spec `NAME.hcldec`.
 */
export interface SuiteInput {
  /** As a person names it: the path below the suite's folder. */
  readonly name: string;
  readonly test: string;
  readonly spec: string;
  readonly input: string;
}

/** All inputs of the suite in a folder, at any depth. */
export function suiteIn(folder: string): readonly SuiteInput[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return files
    .filter((file) => file.endsWith(".t"))
    .flatMap((file) => {
      const base = join(folder, file.slice(0, -".t".length));
      const inputs = [`${base}.hcl`, `${base}.hcl.json`].filter((input) => existsSync(input));
      invariant(inputs.length > 0, `the test ${file} has an input`);
      return inputs.map((input) => ({
        name: input.slice(folder.length).replace(/^\//, ""),
        test: `${base}.t`,
        spec: `${base}.hcldec`,
        input,
      }));
    });
}

/** Runs a `hcldec` command on one input; what is not as the test expects comes back, a line each. */
export function problemsWith(input: SuiteInput, hcldec: (args: readonly string[]) => Outcome): readonly string[] {
  const expected = readTest(input.test);
  const problems: string[] = [];
  if (expected.traversals) {
    const { stdout, stderr, status } = hcldec([`--spec=${input.spec}`, "--diags=json", "--var-refs", input.input]);
    if (status !== 0) problems.push(`--var-refs failed: ${stderr}`);
    else problems.push(...difference("traversal", expected.traversals, traversalsIn(stdout)));
  }
  const outcome = hcldec([`--spec=${input.spec}`, "--diags=json", "--with-type", "--keep-nulls", input.input]);
  if (expected.diagnostics.length > 0) {
    if (outcome.status === 0) return [...problems, "it was accepted, though errors are expected"];
    return [...problems, ...difference("diagnostic", expected.diagnostics, diagnosticsIn(outcome.stderr, input.input))];
  }
  if (outcome.status !== 0) return [...problems, `it was refused: ${outcome.stderr}`];
  return [...problems, ...resultProblems(expected, outcome.stdout)];
}

interface Expected {
  readonly result: Value | undefined;
  readonly type: Type;
  /** Undefined where nothing is said of them. */
  readonly traversals: readonly string[] | undefined;
  readonly diagnostics: readonly string[];
}

const testSchema: BodySchema = {
  attributes: [
    { name: "result", required: false },
    { name: "result_type", required: false },
  ],
  blocks: [
    { type: "traversals", labelNames: [] },
    { type: "diagnostics", labelNames: [] },
  ],
};

function readTest(path: string): Expected {
  const { value: body, diagnostics } = parseFile(sourceFile(path, readFileSync(path)));
  const { value: content, diagnostics: faults } = contentOf(body, testSchema);
  invariant(diagnostics.length + faults.length === 0, `${path} is a test file`);
  const result = content.attributes.get("result");
  const type = content.attributes.get("result_type");
  const traversals = content.blocks.find((block) => block.type === "traversals");
  const errors = content.blocks.find((block) => block.type === "diagnostics");
  return {
    result: result && evaluate(result.expression).value,
    type: type ? typeConstraint(type.expression).value.type : dynamicType,
    traversals: traversals?.body.blocks.map(expectedTraversal),
    diagnostics: errors?.body.blocks.map((block) => `${block.type} ${expectedRange(block)}`) ?? [],
  };
}

function expectedTraversal(block: Block): string {
  const ref = block.body.attributes.get("ref")?.expression;
  const traversal = ref && traversalIn(ref);
  invariant(traversal, "an expected traversal has a ref");
  const text = traversal.root.name + traversal.steps.map(stepText).join("");
  const range = block.body.blocks.find(({ type }) => type === "range");
  invariant(range, "an expected traversal has a range");
  return `${text} ${expectedRange(range)}`;
}

function expectedRange({ body }: Block): string {
  const side = (type: string): string => {
    const block = body.blocks.find((candidate) => candidate.type === type);
    const number = (name: string) => integer(block?.body.attributes.get(name)?.expression);
    return `${number("line")},${number("column")}(${number("byte")})`;
  };
  return `${side("from")}-${side("to")}`;
}

function integer(expression: Expression | undefined): number {
  invariant(expression, "a position has line, column and byte");
  const converted = convert(evaluate(expression).value, numberType);
  invariant(converted.ok, "a position is made of numbers");
  return asNumber(converted.value).toNumber();
}

function resultProblems({ result, type }: Expected, stdout: string): readonly string[] {
  const decoded = decodeJson(stdout, dynamicType);
  if (!decoded.ok) return [`the result is no typed JSON: ${decoded.message}`];
  const got = decoded.value;
  // A type expectation may leave parts open with `any`; then the value says what they are.
  const exact = result ? convert(result, type) : { ok: true as const, value: undefined };
  if (!exact.ok) return [`the expected result is not of the expected type: ${exact.message}`];
  if (!exact.value)
    return typeEquals(got.type, type) ? [] : [`the type is ${typeText(got.type)}, not ${typeText(type)}`];
  return rawEquals(got, exact.value) ? [] : [`the result is ${valueText(got)}, not ${valueText(exact.value)}`];
}

function difference(what: string, expected: readonly string[], got: readonly string[]): readonly string[] {
  return [
    ...got.filter((one) => !expected.includes(one)).map((one) => `unexpected ${what} ${one}`),
    ...expected.filter((one) => !got.includes(one)).map((one) => `missing ${what} ${one}`),
  ];
}

interface JsonPosition {
  readonly line: number;
  readonly column: number;
  readonly byte: number;
}

interface JsonRange {
  readonly filename: string;
  readonly start: JsonPosition;
  readonly end: JsonPosition;
}

function rangeText({ start, end }: JsonRange): string {
  const side = ({ line, column, byte }: JsonPosition) => `${line},${column}(${byte})`;
  return `${side(start)}-${side(end)}`;
}

function diagnosticsIn(stderr: string, input: string): readonly string[] {
  const { diagnostics }: { diagnostics: readonly { severity: string; summary: string; subject?: JsonRange }[] } =
    JSON.parse(stderr);
  return diagnostics.map(({ severity, summary, subject }) => {
    if (subject?.filename !== input) return `${severity} "${summary}" outside of the input`;
    return `${severity} ${rangeText(subject)}`;
  });
}

function traversalsIn(stdout: string): readonly string[] {
  type Step = { readonly kind: string; readonly name?: string; readonly key?: unknown };
  const rows: readonly { steps: readonly Step[]; range: JsonRange }[] = JSON.parse(stdout);
  return rows.map(({ steps, range }) => {
    const text = steps.map(({ kind, name, key }) =>
      kind === "index" ? `[${JSON.stringify(key)}]` : `${kind === "attr" ? "." : ""}${name}`,
    );
    return `${text.join("")} ${rangeText(range)}`;
  });
}
