import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import { systemChance, systemClock } from "@millwright/core/ports";
import { nodeFiles } from "@millwright/functions/node-files";
import { justAttributes } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import { readEither } from "@millwright/hcl/read-either";
import { type SourceFile, sourceFile } from "@millwright/hcl/source-file";
import { toApi } from "@millwright/jobs/api";
import { canonical } from "@millwright/jobs/canonical";
import { jobGatesOf } from "@millwright/jobs/gates";
import type { Job } from "@millwright/jobs/job";
import { jobFunctions } from "@millwright/jobs/job-functions";
import { readJob } from "@millwright/jobs/read-job";
import { validate } from "@millwright/jobs/validate";
import type { Value } from "@millwright/value/value";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { renderDiagnostics } from "../views/diagnostics.ts";
import type { GivenFlag } from "./command.ts";
import { readJobGates } from "./job-gates.ts";

/** What commands that read a job file take. */
export const jobFileFlags = {
  var: {
    kind: "strings",
    value: "NAME=VALUE",
    help: "The value of a variable of the file; may be given several times.",
  },
  "var-file": {
    kind: "strings",
    value: "FILE",
    help: "A file of values of variables; may be given several times. Also NOMAD_VAR_NAME for each.",
  },
  gates: {
    kind: "string",
    value: "FILE",
    alone: "waves.hcl",
    help: "Have the job take along the gates of this file (waves.hcl): the server asks them before each further batch of a deployment, before canaries take over, and at its end.",
  },
  json: { kind: "bool", help: "The file is JSON of the API. It is recognized without this flag, too." },
  hcl1: { kind: "bool", help: "The file is HCL 1. It is recognized without this flag, too." },
  "hcl2-strict": { kind: "bool", help: "Refuse values for variables that the file does not declare; always done." },
} as const satisfies FlagTable;

export type JobFileValues = FlagValues<typeof jobFileFlags>;

/** A job file that can be sent to a server. */
export interface JobFile {
  readonly job: Job;
  /** The job in the API's JSON, without a region and namespace that the file does not name. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly source: string;
  /** Where the file names them. */
  readonly place: { readonly region?: string; readonly namespace?: string };
}

export interface JobFileRequest {
  readonly path: string;
  /** The file with the gates that the job takes along; undefined for those that it has itself, if any. */
  readonly gates: string | undefined;
  readonly occurrences: readonly GivenFlag[];
  readonly io: CommandIo;
}

/**
 * Reads a job file (`-` is standard input) and checks it. What is wrong with it is told on standard error with its place;
 * undefined then.
 */
export async function readJobFile(request: JobFileRequest): Promise<JobFile | undefined> {
  const { path, occurrences, io } = request;
  const name = path === "-" ? "<stdin>" : path;
  const bytes = await contentOf(path, io);
  if (typeof bytes === "string") {
    const detail = `${path} cannot be read: ${bytes}. Check its name and the folder you are in; - reads standard input.`;
    return tell([errorDiagnostic("Job file not read", detail)], io, new Map());
  }
  const file = sourceFile(name, bytes);
  const sources = new Map([[name, file.text]]);
  const given = await variablesOf(occurrences, io, sources);
  if (hasErrors(given.diagnostics)) return tell(given.diagnostics, io, sources);
  const ports = { clock: systemClock, chance: systemChance };
  const files = { port: nodeFiles(io.cwd), baseDir: "." };
  const read = readJob(file, { ...given, functions: jobFunctions({ ...ports, files }) });
  const found = [...given.diagnostics, ...read.diagnostics];
  if (!read.value || hasErrors(found)) return tell(found, io, sources);
  const { draft, places } = read.value;
  const gates = request.gates === undefined ? undefined : await readJobGates(request.gates, io);
  if (request.gates !== undefined && !gates) return undefined;
  const job = canonical(gates ? { ...draft, gates: jobGatesOf(gates) } : draft);
  const all = [...found, ...validate(job, places)];
  tell(all, io, sources);
  if (hasErrors(all)) return undefined;
  const { region, namespace } = draft;
  const { Region, Namespace, ...rest } = toApi(job);
  return {
    job,
    json: { ...rest, ...(region ? { Region } : {}), ...(namespace ? { Namespace } : {}) },
    source: file.text,
    place: { ...(region ? { region } : {}), ...(namespace ? { namespace } : {}) },
  };
}

async function contentOf(path: string, io: CommandIo): Promise<Uint8Array | string> {
  if (path === "-") {
    const pieces: Uint8Array[] = [];
    for await (const piece of io.stdin) pieces.push(Buffer.from(piece as Uint8Array));
    return Buffer.concat(pieces);
  }
  try {
    return await readFile(resolve(io.cwd, path));
  } catch (error) {
    return messageOf(error).replace(/^(\w+: [^,]+),.*$/, "$1");
  }
}

function tell(diagnostics: readonly Diagnostic[], io: CommandIo, sources: ReadonlyMap<string, string>): undefined {
  if (diagnostics.length === 0) return;
  void io.stderr(renderDiagnostics(diagnostics, io.view, (name) => sources.get(name), false));
}

interface GivenVariables {
  readonly variables: ReadonlyMap<string, string | Value>;
  /** By the environment: for those that the file declares. */
  readonly ambient: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

async function variablesOf(
  occurrences: readonly GivenFlag[],
  io: CommandIo,
  sources: Map<string, string>,
): Promise<GivenVariables> {
  const variables = new Map<string, string | Value>();
  const diagnostics: Diagnostic[] = [];
  for (const { name, text } of occurrences) {
    if (name === "var-file") {
      const bytes = await contentOf(text, io);
      if (typeof bytes === "string") diagnostics.push(unreadVariables(text, bytes));
      else {
        const file = sourceFile(text, bytes);
        sources.set(text, file.text);
        for (const [variable, value] of valuesIn(file, diagnostics)) variables.set(variable, value);
      }
    }
    if (name !== "var") continue;
    const at = text.indexOf("=");
    if (at > 0) variables.set(text.slice(0, at), text.slice(at + 1));
    else diagnostics.push(badVariable(text));
  }
  const ambient = Object.entries(io.env).flatMap(([name, text]) =>
    name.startsWith(environmentPrefix) && text !== undefined
      ? [[name.slice(environmentPrefix.length), text] as const]
      : [],
  );
  return { variables, ambient: new Map(ambient), diagnostics };
}

const environmentPrefix = "NOMAD_VAR_";

function valuesIn(file: SourceFile, diagnostics: Diagnostic[]): ReadonlyMap<string, Value> {
  const { value: body, diagnostics: unread } = readEither(file);
  const { value: attributes, diagnostics: found } = justAttributes(body);
  diagnostics.push(...unread, ...(hasErrors(unread) ? [] : found));
  const values = new Map<string, Value>();
  for (const [name, { expression }] of attributes) {
    const { value, diagnostics: faults } = evaluate(expression);
    diagnostics.push(...faults);
    values.set(name, value);
  }
  return values;
}

function unreadVariables(path: string, why: string): Diagnostic {
  return errorDiagnostic(
    "Variables file not read",
    `${path} cannot be read: ${why}. Check its name and the folder you are in.`,
  );
}

function badVariable(text: string): Diagnostic {
  return errorDiagnostic("Invalid -var", `-var=${text} names no value. Write -var='name=value'.`);
}
