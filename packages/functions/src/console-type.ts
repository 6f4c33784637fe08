import type { Type } from "@millwright/value/types";

/** A type as `type(…)` shows it in the console; `indent` is how far the lines behind the first are indented. */
export function formatConsoleType(type: Type, indent = 0): string {
  const margin = " ".repeat(indent + 4);
  const inLines = (open: string, lines: readonly string[], close: string) => {
    if (lines.length === 0) return open + close;
    return `${open}\n${lines.map((line) => `${margin}${line},\n`).join("")}${" ".repeat(indent)}${close}`;
  };
  switch (type.kind) {
    case "object": {
      const lines = [...type.attributes].map(
        ([name, attribute]) => `${name}: ${formatConsoleType(attribute, indent + 4)}`,
      );
      return inLines("object({", lines, "})");
    }
    case "tuple":
      return inLines(
        "tuple([",
        type.elements.map((element) => formatConsoleType(element, indent + 4)),
        "])",
      );
    case "list":
    case "set":
    case "map": {
      const { kind } = type.element;
      const isCompound = kind !== "string" && kind !== "number" && kind !== "bool" && kind !== "dynamic";
      if (!isCompound) return `${type.kind}(${kind})`;
      return inLines(`${type.kind}(`, [formatConsoleType(type.element, indent + 4)], ")");
    }
    case "capsule":
      return type.name;
    default:
      return type.kind;
  }
}
