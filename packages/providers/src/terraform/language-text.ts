import { formatText } from "@millwright/hcl/format-file";
import { isIdentifier } from "@millwright/hcl/identifier";
import { quoteHcl } from "@millwright/text/quote";
import type { Value } from "@millwright/value/value";
import { asArray, asBool, asMap, asNumber, asString, isNull } from "@millwright/value/value";

/** A known value as an expression of the language, laid out as `fmt` lays it out. */
export function expressionText(value: Value): string {
  const name = "x = ";
  return formatted(`${name}${unformatted(value)}\n`).slice(name.length, -1);
}

/** Values by name as the arguments of a `.tfvars` file. */
export function argumentsText(values: ReadonlyMap<string, Value>): string {
  return formatted([...values].map(([name, value]) => `${name} = ${unformatted(value)}\n`).join(""));
}

function formatted(text: string): string {
  return formatText("generated", text).value;
}

function unformatted(value: Value): string {
  if (isNull(value)) return "null";
  switch (value.type.kind) {
    case "string":
      return quoteHcl(asString(value));
    case "number":
      return asNumber(value).toText();
    case "bool":
      return String(asBool(value));
    case "list":
    case "set":
    case "tuple":
      return `[${asArray(value).map(unformatted).join(", ")}]`;
    default: {
      const entries = [...asMap(value)].map(
        ([key, v]) => `${isIdentifier(key) ? key : quoteHcl(key)} = ${unformatted(v)}\n`,
      );
      return entries.length === 0 ? "{}" : `{\n${entries.join("")}}`;
    }
  }
}
