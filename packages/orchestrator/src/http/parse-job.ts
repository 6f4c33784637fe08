import { hasErrors, type Diagnostic } from "@millwright/core/diagnostics";
import type { HttpReply } from "@millwright/core/http";
import { jsonReply } from "@millwright/core/http-reply";
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
import type { HttpContext } from "./context.ts";
import { badRequest, readFields, readJsonBody } from "./json-body.ts";
import { isPretty } from "./reading.ts";
import type { Call } from "./route.ts";

/** Answers with a job file's job as the API's JSON. */
export async function parseJob(context: HttpContext, call: Call): Promise<HttpReply> {
  const asked = readFields(await readJsonBody(call.request), "the request", (fields) => ({
    text: fields.text("JobHCL"),
    variables: fields.text("Variables"),
    isWhole: fields.flag("Canonicalize"),
  }));
  if (asked.text === "") throw badRequest("Job spec is empty");
  const { clock, chance } = context;
  const given = variablesIn(asked.variables);
  const read = readJob(sourceFile("input.hcl", asked.text), {
    variables: given.values,
    functions: jobFunctions({ clock, chance }),
  });
  const found = [...given.diagnostics, ...read.diagnostics];
  if (!read.value || hasErrors(found)) throw badRequest(`Failed to parse job: ${faultsIn(found)}`);
  const draft = { ...read.value.draft, name: read.value.draft.name ?? read.value.draft.id ?? "" };
  return jsonReply(asked.isWhole ? toApi(canonical(draft)) : recordToApi(jobShape, draft), isPretty(context, call));
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
