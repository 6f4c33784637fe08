import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { wholeFile } from "@millwright/core/source";
import type { Execution } from "@millwright/template/execute";
import { execute } from "@millwright/template/execute";
import type { FunctionTable } from "@millwright/template/function";
import { defineFunction, failure } from "@millwright/template/function";
import { helperFunctions } from "@millwright/template/helpers";
import { parseTemplate } from "@millwright/template/parse";
import type { Template } from "@millwright/template/template";
import type { FunctionValue } from "@millwright/template/value";
import { basename } from "node:path";
import type { TemplateSpec } from "./config.ts";
import { matchesAny } from "./name-pattern.ts";
import type { Source } from "./source.ts";
import { type KnownValues, sourceFunctions } from "./source-functions.ts";

/** A template that can be evaluated. */
export interface PreparedTemplate {
  readonly spec: TemplateSpec;
  readonly template: Template;
}

export interface EvaluationOptions {
  readonly known: KnownValues;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** Milliseconds since 1970, for `timestamp`. */
  readonly now: number;
}

export interface Evaluation {
  readonly execution: Execution;
  /** All that it asked for, in the order of the first use. */
  readonly asked: ReadonlyMap<string, Source>;
}

/** Parses every template; with the faults of all of them. */
export function prepareTemplates(
  specs: readonly TemplateSpec[],
  isDry: boolean,
): Diagnosed<readonly PreparedTemplate[]> {
  const diagnostics: Diagnostic[] = [];
  const prepared: PreparedTemplate[] = [];
  const names = [...functionsFor(noEvaluation, undefined, () => undefined).keys()];
  for (const spec of specs) {
    if (spec.destination === undefined && !isDry) diagnostics.push(noDestination(spec));
    const parsed = parseTemplate(spec.text, {
      name: basename(spec.name),
      filename: spec.name,
      functions: names,
      ...(spec.delimiters ? { delimiters: spec.delimiters } : {}),
    });
    if (parsed.ok) prepared.push({ spec, template: parsed.template });
    else diagnostics.push(...parsed.diagnostics);
  }
  return { value: prepared, diagnostics };
}

/** The template's text with what is known, or what it waits for. Reads nothing. */
export function evaluateTemplate({ spec, template }: PreparedTemplate, options: EvaluationOptions): Evaluation {
  const asked = new Map<string, Source>();
  const functions = functionsFor(options, spec.sandbox, (source) => asked.set(source.id, source));
  const execution = execute(template, {
    functions: withoutDenied(functions, spec.deniedFunctions),
    missingKey: spec.missingKey,
  });
  return { execution, asked };
}

const noEvaluation: EvaluationOptions = { known: new Map(), environment: {}, folder: "/", now: 0 };

function functionsFor(
  { known, environment, folder, now }: EvaluationOptions,
  sandbox: string | undefined,
  asked: (source: Source) => void,
): FunctionTable {
  return new Map<string, FunctionValue>([
    ...helperFunctions({ environment: (name) => environment[name], clock: { now: () => now } }),
    ...sourceFunctions({ known, asked, folder, ...(sandbox === undefined ? {} : { sandbox }) }),
  ]);
}

function withoutDenied(functions: FunctionTable, denied: readonly string[]): FunctionTable {
  if (denied.length === 0) return functions;
  const refuse = defineFunction({ parameters: [], variadic: "any", call: () => failure("function is disabled") });
  return new Map([...functions].map(([name, call]) => [name, matchesAny(name, denied) ? refuse : call]));
}

function noDestination({ name }: TemplateSpec): Diagnostic {
  return errorDiagnostic(
    "Template without a destination",
    'Say where its text goes: "-template IN:OUT", or "destination" in the file. Only -dry prints it.',
    { code: "template-destination", subject: wholeFile(name) },
  );
}
