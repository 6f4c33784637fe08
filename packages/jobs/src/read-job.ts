import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import { formatRange, wholeFile } from "@millwright/core/source";
import type { Block, Body } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { asWritten } from "@millwright/hcl/decode-content";
import { dynamicBlocks } from "@millwright/hcl/dynamic";
import { readEither } from "@millwright/hcl/read-either";
import type { Scope } from "@millwright/hcl/scope";
import type { SourceFile } from "@millwright/hcl/source-file";
import { rangeOf } from "@millwright/hcl/source-file";
import { noMarks } from "@millwright/value/value";
import { fromApi } from "./api.ts";
import { decodeBlock } from "./decode-block.ts";
import { languageForms, unusedTokens } from "./forms.ts";
import type { JobInputs } from "./inputs.ts";
import { scopeOf } from "./inputs.ts";
import { partKey } from "./job-part.ts";
import type { JobDraft } from "./job.ts";
import { jobShape } from "./job.ts";

/** What a job file says, before what it leaves open is filled in, and where it says it. */
export interface JobSource {
  readonly draft: JobDraft;
  /** Where the job, its groups and their tasks are declared, by `partKey`. */
  readonly places: ReadonlyMap<string, SourceRange>;
}

/**
 * Reads a job file: HCL 2 with variables, locals and functions; else HCL 1, with a warning; or JSON, of the language or of
 * the API (`{"Job": …}`). References that only a node can answer stay as text.
 *
 * Undefined where there is no job to speak of; each fault is a diagnostic with its place.
 */
export function readJob(file: SourceFile, inputs: JobInputs = {}): Diagnosed<JobSource | undefined> {
  const api = apiJobIn(file);
  if (api !== undefined) {
    const { value: draft, diagnostics } = fromApi(api);
    return { value: { draft, places: new Map([[partKey([]), wholeFile(file.name)]]) }, diagnostics };
  }
  const { value: body, diagnostics: found } = readEither(file);
  const diagnostics = [...found];
  // What cannot be read is told; what was read of it would be told to lack what stands in the rest.
  if (hasErrors(found)) return { value: undefined, diagnostics };
  const { value: content, diagnostics: unread } = contentOf(body, fileSchema);
  diagnostics.push(...unread);
  const ofType = (type: string): readonly Block[] => content.blocks.filter((block) => block.type === type);
  const [job, second] = ofType("job");
  if (second) diagnostics.push(secondJob(job!, second));
  if (!job) return { value: undefined, diagnostics: [...diagnostics, noJob(file)] };
  const blocks = { variable: ofType("variable"), variables: ofType("variables"), locals: ofType("locals") };
  const scope = scopeOf(blocks, inputs, diagnostics);
  const draft = draftOf(job, scope, diagnostics);
  diagnostics.push(...unused(job));
  return { value: { draft, places: placesIn(job) }, diagnostics };
}

const fileSchema = {
  attributes: [],
  blocks: [
    { type: "job", labelNames: ["name"] },
    { type: "variable", labelNames: ["name"] },
    { type: "variables", labelNames: [] },
    { type: "locals", labelNames: [] },
  ],
};

function draftOf(job: Block, scope: Scope, diagnostics: Diagnostic[]): JobDraft {
  const inside = { body: job.body, scope, marks: noMarks, unknown: false };
  const content = job.body.interchangeable ? asWritten : dynamicBlocks();
  return decodeBlock(jobShape, { block: job, inside }, { diagnostics, content, forms: languageForms }) as JobDraft;
}

function unused({ body }: Block): readonly Diagnostic[] {
  return unusedTokens.flatMap((name) => {
    const attribute = body.attributes.get(name);
    if (!attribute) return [];
    const detail = `A job's tasks get their tokens by their own identity, so ${name} is not used. Remove it, and treat the token as known to others.`;
    return [warningDiagnostic(`Unused ${name}`, detail, { subject: rangeOf(attribute.nameNode) })];
  });
}

/** The job of a file in the API's JSON; undefined where it is something else. */
function apiJobIn({ text }: SourceFile): unknown {
  if (!/^\s*\{/.test(text)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // What is wrong with it is told by the reader that gives places.
    return undefined;
  }
  return (json as { readonly Job?: unknown }).Job;
}

function placesIn(job: Block): ReadonlyMap<string, SourceRange> {
  const places = new Map([[partKey([]), rangeOf(job.header)]]);
  for (const block of labelled(job.body)) {
    const [name = ""] = block.labels;
    places.set(partKey([name]), rangeOf(block.header));
    if (block.type === "task") places.set(partKey([name, name]), rangeOf(block.header));
    if (block.type !== "group") continue;
    for (const task of labelled(block.body)) places.set(partKey([name, task.labels[0]!]), rangeOf(task.header));
  }
  return places;
}

function labelled({ blocks }: Body): readonly Block[] {
  return blocks.filter(({ type, labels }) => (type === "group" || type === "task") && labels.length === 1);
}

function secondJob(first: Block, second: Block): Diagnostic {
  const detail = `A job file holds one job, and ${JSON.stringify(first.labels[0])} is declared at ${formatRange(rangeOf(first.header))}. Move this one to a file of its own.`;
  return errorDiagnostic("Duplicate job block", detail, { subject: rangeOf(second.header) });
}

function noJob({ name }: SourceFile): Diagnostic {
  const detail = `A job file declares one job: job "name" { … }. ${name} has no such block.`;
  return errorDiagnostic("Missing job block", detail, { subject: wholeFile(name) });
}
