import type { Diagnosed } from "@millwright/core/diagnostics";
import { stringValue } from "@millwright/value/value";
import type { Body, Expression, JsonNode, Node } from "./ast.ts";
import { parseJsonFile } from "./parse-json.ts";
import type { SourceFile } from "./source-file.ts";

/**
 * Reads the JSON form of HCL 1: as the JSON of HCL 2 (what a property is, the schema says), but neither strings nor names are
 * templates: `${…}` and `%{…}` stay as text. Never throws.
 */
export function parseHcl1JsonFile(file: SourceFile): Diagnosed<Body> {
  const { value, diagnostics } = parseJsonFile(file);
  return { value: value.json ? { ...value, json: withPlainStrings(value.json) } : value, diagnostics };
}

function withPlainStrings(json: JsonNode): JsonNode {
  switch (json.kind) {
    case "jsonString":
      return { ...json, template: () => literal(json, json.text) };
    case "jsonArray":
      return { ...json, elements: json.elements.map(withPlainStrings) };
    case "jsonObject":
      return {
        ...json,
        properties: json.properties.map((property) => ({
          ...property,
          nameTemplate: () => literal(property.nameNode, property.name),
          value: withPlainStrings(property.value),
        })),
      };
    default:
      return json;
  }
}

function literal({ file, start, end }: Node, text: string): Expression {
  return { kind: "literal", file, start, end, value: stringValue(text) };
}
