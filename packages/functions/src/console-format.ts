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
  stringValue,
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
  if (!isKnown(value)) return "(known after apply)";
  if (hasMark(value, sensitive)) return "(sensitive value)";
  if (hasMark(value, ephemeral)) return "(ephemeral value)";
  if (isNull(value)) return formatNull(value.type);
  switch (value.type.kind) {
    case "string":
      return formatString(asString(value), indent);
    case "number":
      return asNumber(value).toText();
    case "bool":
      return String(value.data);
    case "tuple":
      return formatSequence(value, indent);
    case "list":
    case "set":
      return `to${value.type.kind}(${formatSequence(value, indent)})`;
    case "object":
      return formatMapping(value, indent);
    case "map":
      return `tomap(${formatMapping(value, indent)})`;
    default:
      return `(${friendlyName(value.type)})`;
  }
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

function formatSequence(value: Value, indent: number): string {
  const elements = asArray(value).map((element) => `${formatConsoleValue(element, indent + 2)},`);
  return inBrackets("[", elements, "]", indent);
}

function formatMapping(value: Value, indent: number): string {
  const entries = [...asMap(value)].map(([key, element]) => {
    return `${formatConsoleValue(stringValue(key), indent + 2)} = ${formatConsoleValue(element, indent + 2)}`;
  });
  return inBrackets("{", entries, "}", indent);
}

function inBrackets(open: string, lines: readonly string[], close: string, indent: number): string {
  if (lines.length === 0) return open + close;
  const margin = " ".repeat(indent);
  return [open, ...lines.map((line) => `${margin}  ${line}`), margin + close].join("\n");
}
