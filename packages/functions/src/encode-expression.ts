import { Bug } from "@millwright/core/errors";
import { isIdentifier } from "@millwright/hcl/identifier";
import { quoteHcl } from "@millwright/text/quote";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, asNumber, asString } from "@millwright/value/value";

/**
 * A wholly known value, without marks, as an HCL expression in the canonical style: sequences on one line, objects with a
 * line for each attribute and the equals signs of neighbouring ones in one column. A capsule is a Bug.
 */
export function encodeExpression(value: Value, indent = 0): string {
  const { type, data } = value;
  if (data === null) return "null";
  switch (type.kind) {
    case "string":
      return quoteHcl(asString(value));
    case "number":
      return asNumber(value).toText();
    case "bool":
      return String(data);
    case "list":
    case "set":
    case "tuple":
      return `[${asArray(value)
        .map((element) => encodeExpression(element, indent))
        .join(", ")}]`;
    case "map":
    case "object": {
      const attributes = asMap(value);
      if (attributes.size === 0) return "{}";
      return `{\n${encodeLines(attributes, indent + 2)}${" ".repeat(indent)}}`;
    }
    default:
      throw new Bug(`a ${type.kind} is not written as an expression`);
  }
}

/** The attributes of a body: `name = value`, a line or more each. */
export function encodeAttributes(attributes: ReadonlyMap<string, Value>): string {
  return encodeLines(attributes, 0);
}

function encodeLines(attributes: ReadonlyMap<string, Value>, indent: number): string {
  const lines = [...attributes].map(([name, value]) => {
    return { name: isIdentifier(name) ? name : quoteHcl(name), value: encodeExpression(value, indent) };
  });
  let result = "";
  for (const [i, { name, value }] of lines.entries()) {
    result += `${" ".repeat(indent)}${name.padEnd(columnAt(lines, i))} = ${value}\n`;
  }
  return result;
}

interface Line {
  readonly name: string;
  readonly value: string;
}

/** The width of the longest name among the neighbours that are on one line each, as `name` itself is. */
function columnAt(lines: readonly Line[], at: number): number {
  const isSingle = (line: Line | undefined): line is Line => line !== undefined && !line.value.includes("\n");
  if (!isSingle(lines[at])) return 0;
  let [start, end] = [at, at];
  while (isSingle(lines[start - 1])) start--;
  while (isSingle(lines[end + 1])) end++;
  return Math.max(...lines.slice(start, end + 1).map((line) => [...line.name].length));
}
