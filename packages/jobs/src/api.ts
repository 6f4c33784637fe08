import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { parseDuration } from "@millwright/text/duration";
import { canonical } from "./canonical.ts";
import type { Job, JobDraft } from "./job.ts";
import { jobShape } from "./job.ts";
import type { AnyRecord, Field, Shape } from "./shape.ts";
import { apiName, fieldsOf } from "./shape.ts";

/**
 * A job as the HTTP API's JSON has it: names in CamelCase, durations in nanoseconds, null for what is empty. What the server
 * adds to a job (`Status`, `Version`, `ModifyIndex` …) is not in here.
 */
export function toApi(job: Job): AnyRecord {
  return recordToApi(jobShape, job);
}

/** One part of a job in the API's JSON, such as a single group or task. */
export function recordToApi(shape: Shape, record: AnyRecord): AnyRecord {
  const written = fieldsOf(shape).filter(([property, { options }]) => !options.isOwn || record[property]);
  return Object.fromEntries(
    written.map(([property, field]) => [apiName(property, field), fieldToApi(field, record[property])]),
  );
}

function fieldToApi(field: Field, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (field.kind) {
    case "text":
    case "whole":
    case "number":
    case "flag":
    case "duration":
      return value;
    case "texts":
      return (value as readonly unknown[]).length === 0 ? null : value;
    case "map":
    case "lists":
    case "free":
      return Object.keys(value).length === 0 ? null : value;
    case "object":
      return recordToApi(field.shape, value as AnyRecord);
    case "objects": {
      const records = value as readonly AnyRecord[];
      if (records.length === 0) return null;
      const written = records.map((one) => recordToApi(field.shape, one));
      if (!field.keyed) return written;
      return Object.fromEntries(records.map((one, i) => [String(one[field.shape.label ?? "name"]), written[i]]));
    }
  }
}

/**
 * Reads a job of the API's JSON, as parsed. Names may be in any case, durations numbers of nanoseconds or texts as `30s`;
 * null is as absent, and a field that is not known is passed over. What has another type than it should is an error, and
 * absent from the value.
 */
export function fromApi(json: unknown): Diagnosed<JobDraft> {
  const diagnostics: Diagnostic[] = [];
  const value = recordFromApi(jobShape, json, "Job", { diagnostics, isOwn: false }) ?? {};
  return { value: value as JobDraft, diagnostics };
}

/** As {@link fromApi}, with all that it leaves open filled in. */
export function jobFromApi(json: unknown): Diagnosed<Job> {
  const { value, diagnostics } = fromApi(json);
  return { value: canonical(value), diagnostics };
}

interface Reading {
  readonly diagnostics: Diagnostic[];
  /** Nobody else writes what is read: a name that is not known is a mistake. */
  readonly isOwn: boolean;
}

function recordFromApi(shape: Shape, json: unknown, where: string, reading: Reading): AnyRecord | undefined {
  const { diagnostics } = reading;
  const given = objectIn(json);
  if (!given) {
    diagnostics.push(mistake(where, "an object", json));
    return undefined;
  }
  const byName = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
  if (reading.isOwn) diagnostics.push(...unknownNames(shape, Object.keys(given), where));
  const record: Record<string, unknown> = {};
  for (const [property, field] of fieldsOf(shape)) {
    const name = apiName(property, field);
    const value = byName.get(name.toLowerCase());
    if (value === undefined || value === null) continue;
    const read = fieldFromApi(field, value, `${where}.${name}`, {
      diagnostics,
      isOwn: reading.isOwn || (field.options.isOwn ?? false),
    });
    if (read !== undefined) record[property] = read;
  }
  return record;
}

function unknownNames(shape: Shape, given: readonly string[], where: string): readonly Diagnostic[] {
  const names = fieldsOf(shape).map(([property, field]) => apiName(property, field));
  const known = new Set(names.map((name) => name.toLowerCase()));
  return given
    .filter((name) => !known.has(name.toLowerCase()))
    .map((name) => {
      const near = similar(name, names);
      const advice = near ? `Did you mean ${near}?` : `Its names are ${names.join(", ")}.`;
      return errorDiagnostic("Invalid job", `${where} has no ${name}. ${advice}`);
    });
}

function fieldFromApi(field: Field, json: unknown, where: string, reading: Reading): unknown {
  const { diagnostics } = reading;
  const expect = (holds: boolean, expected: string): unknown => {
    if (holds) return json;
    diagnostics.push(mistake(where, expected, json));
    return undefined;
  };
  switch (field.kind) {
    case "text":
      return expect(typeof json === "string", "a text");
    case "whole":
      return expect(Number.isSafeInteger(json), "a whole number");
    case "number":
      return expect(typeof json === "number", "a number");
    case "flag":
      return expect(typeof json === "boolean", "true or false");
    case "duration":
      if (typeof json === "string") return durationFromApi(json, where, diagnostics);
      return expect(Number.isInteger(json), 'a number of nanoseconds or a text as "30s"');
    case "texts":
      return expect(areTexts(json), "a list of texts");
    case "map":
      return expect(Object.values(objectIn(json) ?? { json }).every(isText), "a map of texts");
    case "lists":
      return expect(Object.values(objectIn(json) ?? { json }).every(areTexts), "a map of lists of texts");
    case "free":
      return expect(objectIn(json) !== undefined, "an object");
    case "object":
      return recordFromApi(field.shape, json, where, reading);
    case "objects":
      return recordsFromApi(field.shape, field.keyed, json, where, reading);
  }
}

function recordsFromApi(
  shape: Shape,
  keyed: boolean,
  json: unknown,
  where: string,
  reading: Reading,
): readonly AnyRecord[] | undefined {
  const elements = keyed ? Object.entries(objectIn(json) ?? {}) : Array.isArray(json) ? [...json.entries()] : undefined;
  if (!elements || (keyed && !objectIn(json))) {
    reading.diagnostics.push(mistake(where, keyed ? "a map" : "a list", json));
    return undefined;
  }
  return elements.flatMap(([key, element]) => {
    const record = recordFromApi(shape, element, `${where}[${key}]`, reading);
    if (!record) return [];
    return keyed ? [{ [shape.label ?? "name"]: key, ...record }] : [record];
  });
}

function durationFromApi(given: string, where: string, diagnostics: Diagnostic[]): number | undefined {
  const parsed = parseDuration(given);
  if (parsed.ok) return Number(parsed.duration);
  diagnostics.push(errorDiagnostic("Invalid duration", `${where}: ${parsed.error}.`));
  return undefined;
}

function mistake(where: string, expected: string, json: unknown): Diagnostic {
  const given = json === null ? "null" : Array.isArray(json) ? "a list" : `${articleOf(json)} ${wordFor(json)}`;
  return errorDiagnostic("Invalid job", `${where} must be ${expected}, and is ${given}.`);
}

function articleOf(json: unknown): string {
  return typeof json === "object" ? "an" : "a";
}

function wordFor(json: unknown): string {
  return typeof json === "string" ? "text" : typeof json;
}

function objectIn(json: unknown): AnyRecord | undefined {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as AnyRecord) : undefined;
}

function isText(json: unknown): boolean {
  return typeof json === "string";
}

function areTexts(json: unknown): boolean {
  return Array.isArray(json) && json.every(isText);
}
