import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { sourceFile } from "@millwright/hcl/source-file";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { FlagOccurrence } from "../flags.ts";
import { settingFlags, type templateFlags } from "./flags.ts";
import { readConfig } from "./read-config.ts";
import { readAuth, readSetting, readWait } from "./setting-values.ts";
import { mergeSettings, type SettingFields, settingFields, type Settings, type TemplateSettings } from "./settings.ts";

/** The settings of files and folders, in their order: of two, the later holds. */
export function loadFiles(paths: readonly string[], cwd: string): Diagnosed<Settings> {
  const diagnostics: Diagnostic[] = [];
  let settings: Settings = {};
  for (const path of paths.flatMap((given) => filesUnder(given, cwd, diagnostics))) {
    const found = loadFile(path, cwd, diagnostics);
    settings = mergeSettings(settings, found);
  }
  return { value: settings, diagnostics };
}

/** The settings of flags. */
export function settingsOfFlags(occurrences: readonly FlagOccurrence<typeof templateFlags>[]): Diagnosed<Settings> {
  const diagnostics: Diagnostic[] = [];
  let settings: Settings = {};
  for (const { name, text } of occurrences) {
    const all = occurrences.filter((other) => other.name === name).map((other) => other.text);
    const found = settingOfFlag(name, text, all);
    if ("expected" in found) {
      const detail = `Expected is ${found.expected}.`;
      diagnostics.push(errorDiagnostic(`invalid value ${JSON.stringify(text)} for flag -${name}`, detail));
    } else settings = mergeSettings(settings, found.settings);
  }
  return { value: settings, diagnostics };
}

/** `all` are the texts of that flag, for one that makes a list. */
function settingOfFlag(
  name: string,
  text: string,
  all: readonly string[],
): { readonly settings: Settings } | { readonly expected: string } {
  if (name === "template") {
    const template = parseTemplateFlag(text);
    return template ? { settings: { template: [template] } } : { expected: "IN:OUT or IN:OUT:COMMAND" };
  }
  const path = settingFlags[name];
  if (!path) return { settings: {} };
  const value = valueAt(path, text, all);
  if ("expected" in value) return value;
  return { settings: path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value.value) as Settings };
}

/** `IN:OUT:COMMAND`; a command may hold colons itself. Undefined for nothing. */
export function parseTemplateFlag(text: string): TemplateSettings | undefined {
  const [source, destination, ...command] = text.split(":");
  if (!source) return undefined;
  return {
    source,
    ...(destination ? { destination } : {}),
    ...(command.length > 0 ? { command: command.join(":") } : {}),
  };
}

function valueAt(
  path: readonly string[],
  text: string,
  all: readonly string[],
): { readonly value: unknown } | { readonly expected: string } {
  let field: SettingFields[string] = settingFields;
  for (const part of path) field = (field as SettingFields)[part]!;
  if (typeof field === "string" && field !== "ignored") {
    const read = readSetting(field, field === "texts" ? all : text);
    return read.ok ? read : { expected: read.expected };
  }
  const value = path.at(-1) === "auth" ? readAuth(text) : readWait(text);
  if (value) return { value };
  return { expected: path.at(-1) === "auth" ? "USER:PASSWORD" : 'a duration, or two: "5s:10s"' };
}

function filesUnder(given: string, cwd: string, diagnostics: Diagnostic[]): string[] {
  const path = resolve(cwd, given);
  try {
    if (!statSync(path).isDirectory()) return [given];
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    diagnostics.push(unreadable(given, error));
    return [];
  }
}

function loadFile(path: string, cwd: string, diagnostics: Diagnostic[]): Settings {
  try {
    const { value, diagnostics: found } = readConfig(sourceFile(path, readFileSync(resolve(cwd, path))));
    diagnostics.push(...found);
    return value;
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    diagnostics.push(unreadable(path, error));
    return {};
  }
}

function unreadable(path: string, error: unknown): Diagnostic {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === "ENOENT" ? "there is no such file or folder" : `it cannot be read (${code})`;
  return errorDiagnostic("Configuration cannot be read", `${path}: ${why}. Correct the path given with -config.`, {
    code: "config-unreadable",
  });
}
