import { hasErrors, type Diagnostic } from "@millwright/core/diagnostics";
import type { Chance, Clock } from "@millwright/core/ports";
import { formatRange } from "@millwright/core/source";
import { justAttributes } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import { readEither } from "@millwright/hcl/read-either";
import { sourceFile } from "@millwright/hcl/source-file";
import { recordToApi, toApi } from "@millwright/jobs/api";
import { canonical } from "@millwright/jobs/canonical";
import { jobShape } from "@millwright/jobs/job";
import { jobFunctions } from "@millwright/jobs/job-functions";
import { readJob } from "@millwright/jobs/read-job";
import type { Value } from "@millwright/value/value";

export interface JobText {
  readonly text: string;
  /** A variables file; empty for none. */
  readonly variables: string;
  /** Whether what the file leaves out is filled in. */
  readonly isWhole: boolean;
}

/** The API's JSON of a job file, as text; or what is wrong with it. */
export type ParsedJob = { readonly json: string } | { readonly faults: string };

/** Reads a job file. Its expressions are somebody else's: how long that takes, and with how much memory, is theirs to say. */
export function parseJob(
  { text, variables, isWhole }: JobText,
  ports: { readonly clock: Clock; readonly chance: Chance },
): ParsedJob {
  const given = variablesIn(variables);
  const read = readJob(sourceFile("input.hcl", text), { variables: given.values, functions: jobFunctions(ports) });
  const found = [...given.diagnostics, ...read.diagnostics];
  if (!read.value || hasErrors(found)) return { faults: faultsIn(found) };
  const draft = { ...read.value.draft, name: read.value.draft.name ?? read.value.draft.id ?? "" };
  return { json: JSON.stringify(isWhole ? toApi(canonical(draft)) : recordToApi(jobShape, draft)) };
}

/** The values of a variables file. */
function variablesIn(text: string): { values: ReadonlyMap<string, Value>; diagnostics: readonly Diagnostic[] } {
  const values = new Map<string, Value>();
  if (text.trim() === "") return { values, diagnostics: [] };
  const { value: body, diagnostics: unread } = readEither(sourceFile("variables.hcl", text));
  if (hasErrors(unread)) return { values, diagnostics: unread };
  const { value: attributes, diagnostics } = justAttributes(body);
  const found = [...unread, ...diagnostics];
  for (const [name, { expression }] of attributes) {
    const { value, diagnostics: faults } = evaluate(expression);
    found.push(...faults);
    values.set(name, value);
  }
  return { values, diagnostics: found };
}

function faultsIn(diagnostics: readonly Diagnostic[]): string {
  const faults = diagnostics.filter(({ severity }) => severity === "error");
  return faults
    .map(({ summary, detail, subject }) => `${subject ? `${formatRange(subject)}: ` : ""}${summary}; ${detail}`)
    .join("\n");
}
