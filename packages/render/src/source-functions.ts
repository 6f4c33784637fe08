import { readlinkSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { answer, answerFrom, defineFunction, failure, notYet, type FunctionTable } from "@millwright/template/function";
import { Struct, TypedList } from "@millwright/template/value";
import type { CallResult, TemplateValue } from "@millwright/template/value";
import {
  datacentersSource,
  fileSource,
  type ParsedSource,
  parseKeySource,
  parseNamesSource,
  parseNodeSource,
  parseNodesSource,
  parseSecretSource,
  parseServiceSource,
  parseServicesSource,
  parseTreeSource,
  type Source,
} from "./source.ts";

/** What is known so far of the sources: values by their ids. Null stands for what is not there. */
export type KnownValues = ReadonlyMap<string, TemplateValue>;

export interface SourceFunctionOptions {
  readonly known: KnownValues;
  /** Told of each source that is asked for. */
  readonly asked: (source: Source) => void;
  /** The folder that relative files are read from. */
  readonly folder: string;
  /** The only folder whose files may be read. */
  readonly sandbox?: string;
}

/**
 * consul-template's functions that read from servers and files. Nothing is read here: a function answers from what is
 * known, and says what it waits for else.
 */
export function sourceFunctions(options: SourceFunctionOptions): FunctionTable {
  const ask = (parsed: ParsedSource, placeholder: TemplateValue, use: Use = asItIs): CallResult => {
    if (!parsed.ok) return failure(parsed.error);
    const { source } = parsed;
    options.asked(source);
    const value = options.known.get(source.id);
    if (value === undefined) return notYet(source, placeholder);
    const used = use(value);
    return used === undefined ? notYet(source, placeholder) : answerFrom(source, used);
  };
  return new Map([
    ...keyFunctions(ask),
    ...catalogFunctions(ask),
    ...secretFunctions(ask),
    ["file", fileFunction(ask, options)],
    ...absent,
  ]);
}

type Use = (value: TemplateValue) => TemplateValue | undefined;
type Ask = (parsed: ParsedSource, placeholder: TemplateValue, use?: Use) => CallResult;

const asItIs: Use = (value) => value;

function keyFunctions(ask: Ask): FunctionTable {
  const pairs = (name: string, isTree: boolean, mustHave: boolean) => {
    const call = ([prefix]: readonly TemplateValue[]) => {
      if (prefix === "") return answer(noPairs);
      return ask(parseTreeSource(text(prefix)), noPairs, (value) => {
        const found = elementsOf(value).filter((pair) => isShown(pair, isTree));
        // What empties a safe one may be a mistake on the server: the file stays as it is until there is something again.
        return mustHave && found.length === 0 ? undefined : new TypedList(found, noPairs.type);
      });
    };
    return [name, defineFunction({ parameters: ["string"], call })] as const;
  };
  return new Map([
    [
      "key",
      ofText(([key]) => (key === "" ? answer("") : ask(parseKeySource(key!), "", (value) => value ?? undefined))),
    ],
    [
      "keyExists",
      ofText(([key]) => (key === "" ? answer(false) : ask(parseKeySource(key!), false, (value) => value !== null))),
    ],
    [
      "keyOrDefault",
      defineFunction({
        parameters: ["string", "string"],
        call: ([key, otherwise]) => {
          if (key === "") return answer(otherwise!);
          return ask(parseKeySource(text(key)), otherwise!, (value) => value || otherwise!);
        },
      }),
    ],
    pairs("ls", false, false),
    pairs("safeLs", false, true),
    pairs("tree", true, false),
    pairs("safeTree", true, true),
  ]);
}

const noPairs = new TypedList([], "[]*dependency.KeyPair");

/** `ls` shows what lies directly under the prefix, `tree` everything; neither shows a folder. */
function isShown(pair: TemplateValue, isTree: boolean): boolean {
  const key = pair instanceof Struct ? pair.fields.Key : "";
  if (typeof key !== "string" || key === "") return false;
  return isTree ? !key.endsWith("/") : !key.includes("/");
}

function catalogFunctions(ask: Ask): FunctionTable {
  const none = (type: string) => new TypedList([], type);
  const services = none("[]*dependency.HealthService");
  return new Map([
    [
      "service",
      ofTexts((names) =>
        names.length === 0 || names[0] === "" ? answer(services) : ask(parseServiceSource(names.join("|")), services),
      ),
    ],
    ["services", ofTexts((names) => ask(parseServicesSource(names.join("")), none("[]*dependency.CatalogSnippet")))],
    ["node", ofTexts((names) => ask(parseNodeSource(names.join("")), null))],
    ["nodes", ofTexts((names) => ask(parseNodesSource(names.join("")), none("[]*dependency.Node")))],
    [
      "datacenters",
      defineFunction({
        parameters: [],
        variadic: "bool",
        call: () => ask({ ok: true, source: datacentersSource }, none("[]string")),
      }),
    ],
  ]);
}

function secretFunctions(ask: Ask): FunctionTable {
  return new Map([
    [
      "secret",
      ofTexts(([path = "", ...rest]) => {
        if (path === "") return answer(null);
        const data: Record<string, string> = {};
        for (const pair of rest) {
          if (pair === "") continue;
          const equals = pair.indexOf("=");
          // The text is not shown: it may hold a secret.
          if (equals < 0) return failure(`secret ${JSON.stringify(path)}: what is written comes as "name=value" each`);
          data[pair.slice(0, equals)] = pair.slice(equals + 1);
        }
        return ask(parseSecretSource(path, Object.keys(data).length > 0 ? data : undefined), null);
      }),
    ],
    ["secrets", ofText(([path]) => (path === "" ? answer(noNames) : ask(parseNamesSource(path!), noNames)))],
  ]);
}

const noNames = new TypedList([], "[]string");

function fileFunction(ask: Ask, { folder, sandbox }: SourceFunctionOptions) {
  return ofText(([path]) => {
    const trimmed = path!.trim();
    if (trimmed === "") return answer("");
    const full = isAbsolute(trimmed) ? trimmed : join(folder, trimmed);
    if (sandbox !== undefined && !isInside(sandbox, full)) return failure(`'${trimmed}' is outside of sandbox`);
    return ask({ ok: true, source: fileSource(full) }, "");
  });
}

// Links are followed first: one inside may lead outside. What does not exist yet is judged by its name.
function isInside(sandbox: string, path: string): boolean {
  const way = relative(realPath(sandbox), realPath(path));
  return way !== ".." && !way.startsWith("../") && !isAbsolute(way);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return isLink(path) ? "/" : join(path);
  }
}

// A link that leads nowhere now may lead anywhere later.
function isLink(path: string): boolean {
  try {
    readlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

const absentReasons: Readonly<Record<string, string>> = {
  connect: "there is no service mesh here; use service",
  caRoots: "there is no service mesh here, and so no certificates of it",
  caLeaf: "there is no service mesh here, and so no certificates of it",
  pkiCert: 'write it as secret "pki/issue/ROLE" "common_name=NAME"',
  exportedServices: "there are no partitions here",
  importedServices: "there are no partitions here",
  partitions: "there are no partitions here",
  peerings: "there are no peerings here",
  nomadServices: "services of jobs are in the catalog: use services",
  nomadService: "services of jobs are in the catalog: use service",
  nomadVarList: "use keys or secrets",
  nomadVarListSafe: "use keys or secrets",
  nomadVar: "use keys or secrets",
  nomadVarExists: "use keys or secrets",
};

/** Functions that are known and refused, each with what to do in its place. */
export const absentSourceFunctions: readonly string[] = Object.keys(absentReasons);

const absent: FunctionTable = new Map(
  Object.entries(absentReasons).map(([name, why]) => [
    name,
    defineFunction({ parameters: [], variadic: "any", call: () => failure(`${name} is not there: ${why}`) }),
  ]),
);

function ofText(call: (texts: readonly string[]) => CallResult) {
  return defineFunction({ parameters: ["string"], call: (args) => call(args.map(text)) });
}

function ofTexts(call: (texts: readonly string[]) => CallResult) {
  return defineFunction({ parameters: [], variadic: "string", call: (args) => call(args.map(text)) });
}

function text(value: TemplateValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function elementsOf(value: TemplateValue): readonly TemplateValue[] {
  return value instanceof TypedList ? value.elements : [];
}
