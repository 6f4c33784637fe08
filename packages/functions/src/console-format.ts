import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { quote } from "@millwright/text/quote";
import { friendlyName } from "@millwright/value/friendly";
import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  asMap,
  asNumber,
  asString,
  ephemeral,
  hasMark,
  isKnown,
  isNull,
  sensitive,
} from "@millwright/value/value";
import { formatConsoleType } from "./console-type.ts";
import { typeCapsule } from "./type-conversion.ts";

/** What the console answers to an expression: its value, or what `type(…)` found; `type` within anything else is an error. */
export function formatConsoleResult(value: Value): Diagnosed<string> {
  const { type, data } = value;
  if (type === typeCapsule && data !== null && typeof data === "object" && "capsule" in data) {
    return { value: formatConsoleType(data.capsule as Type), diagnostics: [] };
  }
  if (!hasTypeCapsule(type)) return { value: formatConsoleValue(value), diagnostics: [] };
  const detail = 'The console-only "type" function cannot be used as part of an expression.';
  return { value: "", diagnostics: [errorDiagnostic("Invalid use of type function", detail)] };
}

function hasTypeCapsule(type: Type): boolean {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return hasTypeCapsule(type.element);
    case "tuple":
      return type.elements.some(hasTypeCapsule);
    case "object":
      return [...type.attributes.values()].some(hasTypeCapsule);
    default:
      return type === typeCapsule;
  }
}

/**
 * A value as `terraform console` and `terraform output` show it: an expression that gives the value again, over several
 * lines where it has parts; `(sensitive value)`, `(ephemeral value)` and `(known after apply)` where it is not to be shown
 * or not known. `indent` is how far the lines behind the first are indented.
 */
export function formatConsoleValue(value: Value, indent = 0): string {
  const pieces: string[] = [];
  writeValue(value, indent, pieces);
  return pieces.join("");
}

function writeValue(value: Value, indent: number, pieces: string[]): void {
  const hidden = notShown(value);
  if (hidden !== undefined) {
    pieces.push(hidden);
    return;
  }
  switch (value.type.kind) {
    case "string":
      pieces.push(formatString(asString(value), indent));
      return;
    case "number":
      pieces.push(asNumber(value).toText());
      return;
    case "bool":
      pieces.push(String(value.data));
      return;
    case "tuple":
      writeSequence(value, indent, pieces);
      return;
    case "object":
      writeMapping(value, indent, pieces);
      return;
    case "list":
    case "set":
    case "map":
      pieces.push(`to${value.type.kind}(`);
      (value.type.kind === "map" ? writeMapping : writeSequence)(value, indent, pieces);
      pieces.push(")");
      return;
    default:
      pieces.push(`(${friendlyName(value.type)})`);
  }
}

/** What stands for a value that is not to be shown, not known, or null. */
function notShown(value: Value): string | undefined {
  if (!isKnown(value)) return "(known after apply)";
  if (hasMark(value, sensitive)) return "(sensitive value)";
  if (hasMark(value, ephemeral)) return "(ephemeral value)";
  return isNull(value) ? formatNull(value.type) : undefined;
}

function formatNull(type: Type): string {
  switch (type.kind) {
    case "dynamic":
      return "null";
    case "string":
    case "number":
    case "bool":
      return `to${type.kind}(null)`;
    case "list":
    case "set":
    case "map":
      return `to${type.kind}(null) /* of ${friendlyName(type.element)} */`;
    default:
      return `null /* ${friendlyName(type)} */`;
  }
}

/** In quotes, or as a heredoc where it has lines, with a delimiter that is none of them. */
function formatString(text: string, indent: number): string {
  const lines = text.split("\n");
  if (lines.length === 1) return quote(text);
  let delimiter = "EOT";
  while (lines.some((line) => line.trim() === delimiter)) delimiter += "_";
  const operator = indent > 0 ? "<<-" : "<<";
  const margin = " ".repeat(indent);
  return [`${operator}${delimiter}`, ...lines.map((line) => margin + line), margin + delimiter].join("\n");
}

function writeSequence(value: Value, indent: number, pieces: string[]): void {
  const margin = " ".repeat(indent + 2);
  pieces.push("[");
  for (const element of asArray(value)) {
    pieces.push("\n", margin);
    writeValue(element, indent + 2, pieces);
    pieces.push(",");
  }
  if (asArray(value).length > 0) pieces.push("\n", " ".repeat(indent));
  pieces.push("]");
}

function writeMapping(value: Value, indent: number, pieces: string[]): void {
  const margin = " ".repeat(indent + 2);
  pieces.push("{");
  for (const [key, element] of asMap(value)) {
    pieces.push("\n", margin, formatString(key, indent + 2), " = ");
    writeValue(element, indent + 2, pieces);
  }
  if (asMap(value).size > 0) pieces.push("\n", " ".repeat(indent));
  pieces.push("}");
}
