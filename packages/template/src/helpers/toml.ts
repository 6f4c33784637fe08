import { formatFloat } from "@millwright/text/float";
import { ExecutionFault } from "../fault.ts";
import type { FunctionTable } from "../function.ts";
import { answer, defineFunction, failure } from "../function.ts";
import { elementsOf, isList, isMap, sortedEntries, typeOf } from "../operand.ts";
import type { TemplateValue } from "../value.ts";
import { SizedInteger, Struct } from "../value.ts";

export const tomlFunctions: FunctionTable = new Map([
  [
    "toTOML",
    defineFunction({
      parameters: ["any"],
      call: ([value]) => {
        try {
          return answer(new TomlWriter().write(value!));
        } catch (error) {
          if (error instanceof ExecutionFault) return failure(`toTOML: ${error.message}`);
          throw error;
        }
      },
    }),
  ],
]);

const deepest = 500;
const mostParts = 1_000_000;

type Entry = readonly [string, TemplateValue];

/** Writes TOML 1.0: the plain keys of a table in their order, then the tables in it, two spaces deeper. */
class TomlWriter {
  readonly #lines: string[] = [];
  #parts = 0;

  write(value: TemplateValue): string {
    const entries = entriesOf(value);
    if (!entries) return this.#inline(value, 0);
    this.#table(entries, []);
    return this.#lines.join("\n").trim();
  }

  #table(entries: readonly Entry[], path: readonly string[]): void {
    if (path.length > deepest) throw new ExecutionFault("the value is too deep");
    const indent = "  ".repeat(path.length);
    const present = entries.filter(([, value]) => value !== null);
    for (const [key, value] of present) {
      if (!isTable(value) && !isTableList(value))
        this.#lines.push(`${indent}${keyText(key)} = ${this.#inline(value, 0)}`);
    }
    for (const [key, value] of present) {
      const inner = [...path, key];
      if (isTableList(value)) for (const element of elementsOf(value)) this.#headed("[[", inner, "]]", element);
      else if (isTable(value)) this.#headed("[", inner, "]", value);
    }
  }

  #headed(open: string, path: readonly string[], close: string, value: TemplateValue): void {
    // What stands at the top has an empty line before it, and so has each table of a list.
    if ((path.length === 1 || open === "[[") && this.#lines.length > 0) this.#lines.push("");
    this.#lines.push(`${"  ".repeat(path.length - 1)}${open}${path.map(keyText).join(".")}${close}`);
    this.#table(entriesOf(value) ?? [], path);
  }

  #inline(value: TemplateValue, depth: number): string {
    if (depth > deepest || ++this.#parts > mostParts) throw new ExecutionFault("the value is too large or too deep");
    if (value === null) throw new ExecutionFault("toml: cannot encode array with nil element");
    if (value instanceof SizedInteger) return value.value.toString();
    switch (typeof value) {
      case "string":
        return stringText(value);
      case "number":
        return floatText(value);
      case "bigint":
      case "boolean":
        return String(value);
    }
    if (isList(value))
      return `[${elementsOf(value)
        .map((element) => this.#inline(element, depth + 1))
        .join(", ")}]`;
    const entries = entriesOf(value);
    if (!entries) throw new ExecutionFault(`toml: cannot encode type ${nameOf(value)}`);
    const items = entries.filter(([, element]) => element !== null);
    return `{${items.map(([key, element]) => `${keyText(key)} = ${this.#inline(element, depth + 1)}`).join(", ")}}`;
  }
}

function entriesOf(value: TemplateValue): readonly Entry[] | undefined {
  if (value instanceof Struct) return Object.entries(value.fields);
  if (value === null || !isMap(value)) return undefined;
  return sortedEntries(value).map(([key, element]) => [String(key), element]);
}

function isTable(value: TemplateValue): boolean {
  return entriesOf(value) !== undefined;
}

function isTableList(value: TemplateValue): value is readonly TemplateValue[] {
  if (value === null || !isList(value)) return false;
  const elements = elementsOf(value);
  return elements.length > 0 && elements.every(isTable);
}

function nameOf(value: TemplateValue): string {
  return value === null ? "nil" : typeOf(value);
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : stringText(key);
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ['"', '\\"'],
  ["\\", "\\\\"],
]);

function stringText(text: string): string {
  const escaped = text.toWellFormed().replace(/[\0-\x1f"\\\x7f]/g, (character) => {
    return escapes.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}

function floatText(number: number): string {
  if (Number.isNaN(number)) return "nan";
  if (!Number.isFinite(number)) return number > 0 ? "inf" : "-inf";
  const text = formatFloat(number, "f");
  return text.includes(".") ? text : `${text}.0`;
}
