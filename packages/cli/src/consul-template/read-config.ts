import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Body, Node } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import type { BodySchema } from "@millwright/hcl/body-schema";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseHcl1File } from "@millwright/hcl/hcl1";
import { parseHcl1JsonFile } from "@millwright/hcl/hcl1-json";
import { rangeOf, type SourceFile } from "@millwright/hcl/source-file";
import type { Value } from "@millwright/value/value";
import { plainOf, readSetting, type Shorthand, shorthands } from "./setting-values.ts";
import { type SettingFields, type SettingKind, type Settings, mergeSettings, settingFields } from "./settings.ts";

/**
 * Reads a configuration file, in HCL 1 or JSON. Every name that is not known, and every value that does not fit, is an
 * error with its place; nothing is read halfway.
 */
export function readConfig(file: SourceFile): Diagnosed<Settings> {
  const { value: body, diagnostics } = /^\s*\{/.test(file.text) ? parseHcl1JsonFile(file) : parseHcl1File(file);
  const found = [...diagnostics];
  return { value: readBody(body, settingFields, found) as Settings, diagnostics: found };
}

type Table = Readonly<Record<string, unknown>>;

function readBody(body: Body, fields: SettingFields, diagnostics: Diagnostic[]): Table {
  const content = contentOf(body, schemaOf(fields));
  diagnostics.push(...content.diagnostics);
  const settings: Record<string, unknown> = {};
  for (const [name, attribute] of content.value.attributes) {
    const value = readAttribute(attribute, fields[name]!, diagnostics);
    if (value !== undefined) settings[name] = value;
  }
  for (const block of content.value.blocks) {
    const field = fields[block.type]!;
    if (typeof field === "string") continue;
    const isList = Array.isArray(field);
    const value = readBody(block.body, isList ? field[0] : field, diagnostics);
    settings[block.type] = isList
      ? [...((settings[block.type] as readonly Table[] | undefined) ?? []), value]
      : mergeSettings((settings[block.type] ?? {}) as Settings, value as Settings);
  }
  return settings;
}

// A block with a short form is known in both: `wait = "5s:10s"` beside `wait { … }`.
function schemaOf(fields: SettingFields): BodySchema {
  const entries = Object.entries(fields);
  const isBlock = (field: SettingFields[string]) => typeof field !== "string";
  return {
    attributes: entries
      .filter(([name, field]) => !isBlock(field) || shorthands.has(name))
      .map(([name]) => ({ name, required: false })),
    blocks: entries.filter(([, field]) => isBlock(field)).map(([type]) => ({ type, labelNames: [] })),
  };
}

function readAttribute(attribute: Attribute, field: SettingFields[string], diagnostics: Diagnostic[]): unknown {
  const { name, expression, nameNode } = attribute;
  if (field === "ignored") {
    diagnostics.push(ignored(name, nameNode));
    return undefined;
  }
  const { value, diagnostics: faults } = evaluate(expression);
  diagnostics.push(...faults);
  if (faults.length > 0) return undefined;
  const result = typeof field === "string" ? readSetting(field, plainOf(value)) : readShort(name, value, field);
  if (result.ok) return result.value;
  const subject = rangeOf(expression);
  const detail = `${JSON.stringify(name)} is ${result.expected}.`;
  diagnostics.push(errorDiagnostic("Unsuitable value", detail, { code: "config-value", subject }));
  return undefined;
}

type Short = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly expected: string };

function readShort(name: string, value: Value, field: SettingFields | readonly [SettingFields]): Short {
  const plain = plainOf(value);
  const short: Shorthand = shorthands.get(name)!;
  if (typeof plain === "string") {
    const table = short.read(plain);
    return table ? { ok: true, value: table } : { ok: false, expected: short.expected };
  }
  if (typeof plain !== "object" || plain === null || Array.isArray(field))
    return { ok: false, expected: short.expected };
  const table: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(plain)) {
    const kind = (field as SettingFields)[key];
    if (typeof kind !== "string") return { ok: false, expected: short.expected };
    const read = readSetting(kind as Exclude<SettingKind, "ignored">, part);
    if (!read.ok) return { ok: false, expected: `a table, in which ${JSON.stringify(key)} is ${read.expected}` };
    table[key] = read.value;
  }
  return { ok: true, value: table };
}

function ignored(name: string, node: Node): Diagnostic {
  const detail = `${JSON.stringify(name)} has no effect here, and can be removed.`;
  return warningDiagnostic("Setting without effect", detail, { code: "config-ignored", subject: rangeOf(node) });
}
