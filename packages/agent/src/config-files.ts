import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Block, Body } from "@millwright/hcl/ast";
import { evaluateInto } from "@millwright/hcl/evaluate";
import { parseHcl1File } from "@millwright/hcl/hcl1";
import { parseFile } from "@millwright/hcl/parse";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { toPlain } from "@millwright/value/json";
import { isWhollyKnown } from "@millwright/value/value";
import { agentErrors } from "./errors.ts";

/** A configuration file's content: settings by their names. */
export type RawConfig = Readonly<Record<string, unknown>>;

/**
 * Reads configuration files in Consul's and Nomad's form, JSON or HCL, and the `.json` and `.hcl` files of folders in the order of their
 * names. Faults come as diagnostics. Rejects with `badConfiguration` where a file or folder cannot be read.
 */
export async function readConfigFiles(
  files: readonly string[],
  folders: readonly string[],
): Promise<Diagnosed<readonly RawConfig[]>> {
  const inFolders = await Promise.all(folders.map(filesOf));
  const diagnostics: Diagnostic[] = [];
  const configs: RawConfig[] = [];
  for (const path of [...files, ...inFolders.flat()]) {
    const text = await readFile(path, "utf8").catch((error: unknown) => unreadable(path, error));
    const read = path.endsWith(".json") ? readJson(path, text) : readHcl(path, text);
    diagnostics.push(...read.diagnostics);
    configs.push(read.value);
  }
  return { value: configs, diagnostics };
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => unreadable(folder, error));
  return names
    .filter((name) => name.endsWith(".json") || name.endsWith(".hcl"))
    .sort()
    .map((name) => join(folder, name));
}

function unreadable(path: string, error: unknown): never {
  const text = `Cannot read the configuration ${path}: ${messageOf(error)}. Check the path and its permissions.`;
  throw new OperationalError(agentErrors.badConfiguration, text, { cause: error });
}

function readJson(path: string, text: string): Diagnosed<RawConfig> {
  // As a file that somebody is about to fill is.
  if (text.trim() === "") return { value: {}, diagnostics: [] };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { value: value as RawConfig, diagnostics: [] };
    return {
      value: {},
      diagnostics: [errorDiagnostic(`${path} is no JSON object`, 'Write settings as { "name": … }.')],
    };
  } catch (error) {
    return { value: {}, diagnostics: [errorDiagnostic(`${path} is not JSON`, `${messageOf(error)}.`)] };
  }
}

/** HCL 1 is the language of these files; what that cannot read is tried as HCL 2. */
function readHcl(path: string, text: string): Diagnosed<RawConfig> {
  const file = sourceFile(path, text);
  const old = parseHcl1File(file);
  const native = hasErrors(old.diagnostics) ? parseFile(file) : old;
  const { value: body, diagnostics: said } = hasErrors(native.diagnostics) ? old : native;
  const diagnostics = [...said];
  return { value: hasErrors(diagnostics) ? {} : plainBody(body, diagnostics), diagnostics };
}

/** Attributes as their values, blocks as lists of objects, a block's label as an object around it. */
function plainBody(body: Body, diagnostics: Diagnostic[]): RawConfig {
  const plain: Record<string, unknown> = {};
  for (const [name, { expression }] of body.attributes) {
    const value = evaluateInto(expression, undefined, diagnostics);
    if (isWhollyKnown(value)) plain[name] = toPlain(value, value.type);
    else
      diagnostics.push(
        errorDiagnostic(`${name} has no value`, "Write a plain value.", { subject: rangeOf(expression) }),
      );
  }
  for (const [type, blocks] of Map.groupBy(body.blocks, (block) => block.type)) {
    const before = plain[type];
    const list = before === undefined ? [] : Array.isArray(before) ? before : [before];
    plain[type] = [...list, ...blocks.map((block) => plainBlock(block, diagnostics))];
  }
  return plain;
}

function plainBlock({ labels, body }: Block, diagnostics: Diagnostic[]): RawConfig {
  return labels.reduceRight<RawConfig>((inner, label) => ({ [label]: [inner] }), plainBody(body, diagnostics));
}
