import type { Chance, Clock } from "@millwright/core/ports";
import { functionsFor } from "@millwright/functions/library";
import type { FilePort } from "@millwright/functions/file-port";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { FunctionError } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import { compileRegexp } from "@millwright/text/regexp";
import { stringType } from "@millwright/value/types";
import { asString, stringValue } from "@millwright/value/value";

/** What the functions of a job file may use of the world. */
export interface JobFunctionPorts {
  readonly clock: Pick<Clock, "now">;
  readonly chance: Pick<Chance, "bytes" | "uuid">;
  /** The files that a job file may read, and the folder where relative paths start; without them it reads none. */
  readonly files?: { readonly port: FilePort; readonly baseDir: string };
}

/**
 * The functions of job files: the standard ones, and those that Nomad calls by names of its own (`regex_replace`, `strlen`,
 * `uuidv4`). Without files, those that read some are refused, as on a server.
 */
export function jobFunctions({ clock, chance, files }: JobFunctionPorts): Lookup<FunctionSpec> {
  const standard = functionsFor({
    dialect: "terraform",
    files: files?.port ?? noFiles,
    baseDir: files?.baseDir ?? ".",
    clock,
    chance,
    impure: "now",
    use: "configuration",
  });
  const further = new Map<string, FunctionSpec>([
    ["regex_replace", regexReplace],
    ...alias(standard, "length", "strlen"),
    ...alias(standard, "uuid", "uuidv4"),
  ]);
  return {
    get: (name) =>
      !files && ofFiles.has(name) ? refused(name, standard.get(name)) : (further.get(name) ?? standard.get(name)),
    keys: () => [...standard.keys(), ...further.keys()],
  };
}

const ofFiles: ReadonlySet<string> = new Set([
  "abspath",
  "file",
  "filebase64",
  "filebase64sha256",
  "filebase64sha512",
  "fileexists",
  "filemd5",
  "fileset",
  "filesha1",
  "filesha256",
  "filesha512",
  "pathexpand",
  "templatefile",
]);

/** The same function, but that it refuses every call. */
function refused(name: string, spec: FunctionSpec | undefined): FunctionSpec | undefined {
  if (!spec) return undefined;
  const refuse = (): never => {
    throw new FunctionError(`filesystem function disabled: ${name} works where the job file lies, not on a server`);
  };
  return { ...spec, returnType: refuse, call: refuse };
}

const noFiles: FilePort = {
  kind: () => ({ fault: "missing", message: "no such file or directory", step: "stat" }),
  read: () => ({ fault: "missing", message: "no such file or directory", step: "open" }),
  list: () => ({ fault: "missing", message: "no such file or directory", step: "open" }),
  workingFolder: () => "/",
  homeFolder: () => undefined,
};

function alias(from: Lookup<FunctionSpec>, name: string, as: string): readonly (readonly [string, FunctionSpec])[] {
  const spec = from.get(name);
  return spec ? [[as, { ...spec, name: as }]] : [];
}

const regexReplace: FunctionSpec = {
  name: "regex_replace",
  description: "The text with each match of a regular expression replaced; $1 and ${name} stand for its groups.",
  parameters: ["str", "pattern", "replacement"].map((name) => ({ name, type: stringType })),
  returnType: stringType,
  refineResult: { notNull: true },
  call: ([str, pattern, replacement]) => {
    const compiled = compileRegexp(asString(pattern!));
    if (!compiled.ok) throw new FunctionError(`invalid regular expression: ${compiled.error}`, 1);
    return stringValue(compiled.regexp.replaceAll(asString(str!), asString(replacement!)));
  },
};
