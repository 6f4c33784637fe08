import { readFileSync, writeFileSync } from "node:fs";
import { argv, exit, stderr, stdin, stdout } from "node:process";
import { text as readAll } from "node:stream/consumers";
import { parseArgs } from "node:util";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import type { SourceRange } from "@millwright/core/source";
import { formatRange } from "@millwright/core/source";
import { encodeJson } from "@millwright/value/json";
import { dynamicType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { attributeOf, elementAt, Refusal } from "../src/access.ts";
import type { Body, ScopeTraversal } from "../src/ast.ts";
import { justAttributes } from "../src/body-content.ts";
import { referencesInBody } from "../src/body-references.ts";
import { decode } from "../src/decode.ts";
import { evaluate } from "../src/evaluate.ts";
import { parseJsonFile } from "../src/parse-json.ts";
import { parseFile } from "../src/parse.ts";
import type { Scope } from "../src/scope.ts";
import { variableIn } from "../src/scope.ts";
import { rangeOf, sourceFile } from "../src/source-file.ts";
import { between } from "../src/span.ts";
import type { SpecFile } from "./hcldec-spec.ts";
import { readSpecFile } from "./hcldec-spec.ts";

/*
 * A command that does what `hcldec` of hashicorp/hcl does, by the same flags: it reads one configuration file by a spec and
 * writes the result as JSON. The spec suite of HCL drives implementations through it. It reads one file, and in text form
 * its diagnostics are a line each.
 */

/** What a run of the command came to. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const usage =
  "usage: hcldec --spec=<spec-file> [--vars=…] [--diags=json] [--with-type] [--keep-nulls] [--var-refs] [--out=FILE] [hcl-file]";

/** Runs the command; `input` is what stands on standard input, for a run without a file. */
export function hcldec(args: readonly string[], input = ""): Outcome {
  try {
    return run(args, input);
  } catch (error) {
    return { status: 1, stdout: "", stderr: `Error: ${messageOf(error)}\n\n` };
  }
}

function run(args: readonly string[], input: string): Outcome {
  const { values: flags, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      spec: { type: "string", short: "s" },
      out: { type: "string", short: "o" },
      vars: { type: "string", short: "V", multiple: true, default: [] },
      diags: { type: "string", default: "" },
      "with-type": { type: "boolean", default: false },
      "keep-nulls": { type: "boolean", default: false },
      "var-refs": { type: "boolean", default: false },
    },
  });
  if (flags.spec === undefined || positionals.length > 1) return { status: 2, stdout: "", stderr: `${usage}\n` };
  if (flags.diags !== "" && flags.diags !== "json") {
    return {
      status: 2,
      stdout: "",
      stderr: `Invalid diagnostics format "${flags.diags}": only "json" is supported.\n`,
    };
  }
  const failed = (diagnostics: readonly Diagnostic[]): Outcome => ({
    status: 2,
    stdout: "",
    stderr: flags.diags === "json" ? diagnosticsJson(diagnostics) : diagnosticsText(diagnostics),
  });
  const spec = readSpecFile(sourceFile(flags.spec, readFileSync(flags.spec)));
  if (hasErrors(spec.diagnostics)) return failed(spec.diagnostics);
  const diagnostics: Diagnostic[] = [...spec.diagnostics];
  const scope = scopeOf(spec.value, flags.vars, diagnostics);
  const body = readInput(positionals[0], input, diagnostics);
  if (hasErrors(diagnostics)) return failed(diagnostics);
  if (flags["var-refs"]) return written(referencesJson(referencesInBody(body, spec.value.spec), scope), flags.out);
  const decoded = decode(body, spec.value.spec, scope);
  diagnostics.push(...decoded.diagnostics);
  if (hasErrors(diagnostics)) return failed(diagnostics);
  const json = encodeJson(decoded.value, flags["with-type"] ? dynamicType : decoded.value.type);
  return written(flags["keep-nulls"] ? json : withoutNulls(json), flags.out);
}

function written(json: string, file: string | undefined): Outcome {
  if (file !== undefined) writeFileSync(file, `${json}\n`);
  return { status: 0, stdout: file === undefined ? `${json}\n` : "", stderr: "" };
}

function readInput(name: string | undefined, input: string, diagnostics: Diagnostic[]): Body {
  const file = name === undefined ? sourceFile("<stdin>", input) : sourceFile(name, readFileSync(name));
  const read = name?.endsWith(".json") ? parseJsonFile(file) : parseFile(file);
  diagnostics.push(...read.diagnostics);
  return read.value;
}

/** What the input may refer to; nothing at all where neither the spec nor the command line names anything. */
function scopeOf(spec: SpecFile, given: readonly string[], diagnostics: Diagnostic[]): Scope | undefined {
  const variables = new Map(spec.variables);
  for (const [index, vars] of given.entries()) {
    const literal = vars.trimStart().startsWith("{");
    const body = literal
      ? parseJsonFile(sourceFile(`<vars argument ${index}>`, vars))
      : { value: readInput(vars, "", diagnostics), diagnostics: [] };
    diagnostics.push(...body.diagnostics);
    const attributes = justAttributes(body.value);
    diagnostics.push(...attributes.diagnostics);
    for (const { name, expression } of attributes.value.values()) {
      const { value, diagnostics: found } = evaluate(expression);
      diagnostics.push(...found);
      variables.set(name, value);
    }
  }
  if (variables.size + spec.functions.size === 0) return undefined;
  return {
    ...(variables.size > 0 ? { variables } : {}),
    ...(spec.functions.size > 0 ? { functions: spec.functions } : {}),
  };
}

/** The JSON without object properties that are null. Numbers of any length stay as they are. */
function withoutNulls(json: string): string {
  const numbers = JSON as unknown as { rawJSON(text: string): unknown };
  const plain: unknown = JSON.parse(json, (_, value, context?: { source: string }) => {
    if (typeof value === "number" && context) return numbers.rawJSON(context.source);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null));
  });
  return JSON.stringify(plain);
}

function diagnosticsJson(diagnostics: readonly Diagnostic[]): string {
  const rows = diagnostics.map(({ severity, summary, detail, subject }) => ({
    severity,
    summary,
    detail,
    ...(subject ? { subject: rangeJson(subject) } : {}),
  }));
  return `${JSON.stringify({ diagnostics: rows }, undefined, 2)}\n`;
}

function diagnosticsText(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .map(({ severity, summary, detail, subject }) => {
      const kind = severity === "error" ? "Error" : "Warning";
      return `${kind}: ${summary}${subject ? ` (${formatRange(subject)})` : ""}: ${detail}\n`;
    })
    .join("");
}

function rangeJson({ filename, start, end }: SourceRange): unknown {
  return { filename, start, end };
}

function referencesJson(references: readonly ScopeTraversal[], scope: Scope | undefined): string {
  const rows = references.map((reference) => {
    const { root, steps } = reference;
    const value = valueAt(reference, scope);
    return {
      root_name: root.name,
      ...(value ? { value: JSON.parse(encodeJson(value, value.type)) } : {}),
      steps: [
        { kind: "root", name: root.name, range: rangeJson(rangeOf(root)) },
        ...steps.map((step) => {
          const range = rangeJson(rangeOf(step));
          if (step.kind === "attribute") return { kind: "attr", name: step.name, range };
          return { kind: "index", key: JSON.parse(encodeJson(step.key, step.key.type)), range };
        }),
      ],
      range: rangeJson(rangeOf(between(root, steps.at(-1) ?? root))),
    };
  });
  return JSON.stringify(rows, undefined, 2);
}

function valueAt({ root, steps }: ScopeTraversal, scope: Scope | undefined): Value | undefined {
  let value = variableIn(scope, root.name);
  for (const step of steps) {
    if (!value) return undefined;
    const next = step.kind === "attribute" ? attributeOf(value, step.name) : elementAt(value, step.key);
    if (next instanceof Refusal) return undefined;
    value = next;
  }
  return value;
}

if (import.meta.main) {
  const args = argv.slice(2);
  const outcome = hcldec(args, args.some((arg) => !arg.startsWith("-")) || stdin.isTTY ? "" : await readAll(stdin));
  stdout.write(outcome.stdout);
  stderr.write(outcome.stderr);
  exit(outcome.status);
}
