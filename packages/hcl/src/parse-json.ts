import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Body, JsonArrayNode, JsonNode, JsonObjectNode, Node } from "./ast.ts";
import { JsonReader } from "./json-reader.ts";
import type { SourceFile } from "./source-file.ts";
import { rangeOf } from "./source-file.ts";

/**
 * Reads a configuration in JSON (RFC 8259, and the reference's "HCL JSON Syntax Specification"): an object, or an array of
 * objects that are one body together. What its properties are is decided by the schema it is read with; strings become
 * templates when they are used as expressions. Never throws; what is wrong gets diagnostics with byte-exact ranges, and
 * the properties before it stay.
 */
export function parseJsonFile(file: SourceFile): Diagnosed<Body> {
  const { value: root, diagnostics } = parseJsonValue(file);
  if (root.kind === "jsonObject" || root.kind === "jsonArray") return { value: bodyOf(root), diagnostics };
  const wrong = hasErrors(diagnostics) ? [] : [notAnObject({ file, start: root.start, end: root.end })];
  return { value: bodyOf(emptyObject(file)), diagnostics: [...diagnostics, ...wrong] };
}

/** Reads a text that is one JSON value; null where it is none. */
export function parseJsonValue(file: SourceFile): Diagnosed<JsonNode> {
  const diagnostics: Diagnostic[] = [];
  const value = new JsonReader(file, diagnostics).document();
  return { value: value ?? { kind: "jsonNull", file, start: 0, end: 0 }, diagnostics };
}

function bodyOf(root: JsonObjectNode | JsonArrayNode): Body {
  const missingItem = root.kind === "jsonObject" ? root.close : root.open;
  const { file, start, end } = root;
  return { file, start, end, attributes: new Map(), blocks: [], missingItem, json: root };
}

function emptyObject(file: SourceFile): JsonObjectNode {
  const place: Node = { file, start: 0, end: 0 };
  return { kind: "jsonObject", ...place, properties: [], open: place, close: place };
}

function notAnObject(subject: Node): Diagnostic {
  const detail =
    "A configuration in JSON is an object, { … }, or an array of objects whose properties are taken together.";
  return errorDiagnostic("Root value must be object", detail, { subject: rangeOf(subject) });
}
