import { formatFloat } from "@millwright/text/float";
import { messageOf } from "@millwright/core/errors";
import { ExecutionFault } from "../fault.ts";
import type { FunctionTable } from "../function.ts";
import { answer, defineFunction, failure } from "../function.ts";
import { elementsOf, isList, isMap, sortedEntries, typeOf } from "../operand.ts";
import type { MapKey, TemplateValue } from "../value.ts";
import { SizedInteger, Struct } from "../value.ts";
import { escapeCharacter, styleOf } from "./yaml-scalar.ts";

export const yamlFunctions: FunctionTable = new Map([
  [
    "toYAML",
    defineFunction({
      parameters: ["any"],
      call: ([value]) => {
        try {
          return answer(toYaml(value!));
        } catch (error) {
          if (error instanceof ExecutionFault) return failure(`toYAML: ${messageOf(error)}`);
          throw error;
        }
      },
    }),
  ],
]);

/** A value as YAML in block style, as Go's yaml.v2 writes it: an indent of two, lines of about 80 columns, sorted keys. */
function toYaml(value: TemplateValue): string {
  const writer = new YamlWriter();
  writer.node(value, { indent: 0, isInline: false, depth: 0 });
  return writer.text.trim();
}

const deepest = 500;
const mostParts = 1_000_000;
const width = 80;
const longestSimpleKey = 128;

interface Place {
  /** The column at which a mapping or list begins here. */
  readonly indent: number;
  /** Whether its first entry goes on in the present line, behind a `- `. */
  readonly isInline: boolean;
  readonly depth: number;
}

class YamlWriter {
  text = "";
  #column = 0;
  #parts = 0;

  node(value: TemplateValue, place: Place): void {
    if (place.depth > deepest || ++this.#parts > mostParts)
      throw new ExecutionFault("the value is too large or too deep");
    const entries = entriesOf(value);
    if (entries) return entries.length === 0 ? this.#write("{}") : this.#mapping(entries, place);
    if (value !== null && isList(value)) {
      const elements = elementsOf(value);
      return elements.length === 0 ? this.#write("[]") : this.#list(elements, place);
    }
    if (typeof value === "string") this.#string(value, Math.max(place.indent, 2), false);
    else this.#write(scalarText(value));
  }

  #mapping(entries: readonly (readonly [MapKey, TemplateValue])[], { indent, isInline, depth }: Place): void {
    for (const [i, [key, value]] of entries.entries()) {
      if (i > 0 || !isInline) this.#line(indent);
      if (!isSimpleKey(key)) {
        this.#complexEntry(key, value, indent, depth);
        continue;
      }
      if (typeof key === "string") this.#string(key, indent, true);
      else this.#write(scalarText(key));
      this.#write(":");
      this.#value(value, indent, depth);
    }
  }

  /** An entry whose key is too long, or has several lines. */
  #complexEntry(key: MapKey, value: TemplateValue, indent: number, depth: number): void {
    this.#write("? ");
    this.node(key, { indent: indent + 2, isInline: true, depth: depth + 1 });
    this.#line(indent);
    this.#write(": ");
    this.node(value, { indent: indent + 2, isInline: true, depth: depth + 1 });
  }

  #value(value: TemplateValue, indent: number, depth: number): void {
    const isBlock = isCollection(value);
    if (!isBlock) this.#write(" ");
    // A list is not indented under its key, a mapping and a text are.
    const isListValue = value !== null && isList(value);
    this.node(value, { indent: isBlock && isListValue ? indent : indent + 2, isInline: false, depth: depth + 1 });
  }

  #list(elements: readonly TemplateValue[], { indent, isInline, depth }: Place): void {
    for (const [i, element] of elements.entries()) {
      if (i > 0 || !isInline) this.#line(indent);
      this.#write("- ");
      this.node(element, { indent: indent + 2, isInline: true, depth: depth + 1 });
    }
  }

  #string(text: string, indent: number, isKey: boolean): void {
    switch (styleOf(text, isKey)) {
      case "plain":
        return this.#folded(text, isKey ? undefined : indent);
      case "single":
        this.#write("'");
        this.#folded(text.replaceAll("'", "''"), isKey ? undefined : indent);
        return this.#write("'");
      case "double":
        return this.#double(text, isKey ? undefined : indent);
      case "literal":
        return this.#literal(text, indent);
    }
  }

  /** A text that goes on in the next line at a single space, once the line is full; never where `indent` is not given. */
  #folded(text: string, indent: number | undefined): void {
    const characters = Array.from(text);
    for (const [i, character] of characters.entries()) {
      const isLoneSpace = character === " " && characters[i - 1] !== " " && characters[i + 1] !== " ";
      const isInside = i > 0 && i < characters.length - 1;
      if (indent !== undefined && isLoneSpace && isInside && this.#column > width) this.#line(indent);
      else this.#write(character);
    }
  }

  #double(text: string, indent: number | undefined): void {
    this.#write('"');
    const characters = Array.from(text);
    let hasBroken = false;
    for (const [i, character] of characters.entries()) {
      const isInside = i > 0 && i < characters.length - 1;
      if (indent !== undefined && character === " " && !hasBroken && isInside && this.#column > width) {
        this.#line(indent);
        // A space at the beginning of a line would be lost.
        if (characters[i + 1] === " ") this.#write("\\");
        hasBroken = true;
        continue;
      }
      this.#write(escapeCharacter(character));
      hasBroken = character === " " && hasBroken;
    }
    this.#write('"');
  }

  #literal(text: string, indent: number): void {
    const hint = /^[ \n]/.test(text) ? "2" : "";
    const chomping = !text.endsWith("\n") ? "-" : text === "\n" || text.endsWith("\n\n") ? "+" : "";
    this.#write(`|${hint}${chomping}`);
    for (const line of text.replace(/\n$/, "").split("\n")) {
      if (line === "") this.#newLine();
      else {
        this.#line(Math.max(indent, 2));
        this.#write(line);
      }
    }
  }

  #newLine(): void {
    this.text += "\n";
    this.#column = 0;
  }

  #line(indent: number): void {
    if (this.text !== "") this.#newLine();
    this.#write(" ".repeat(indent));
  }

  #write(text: string): void {
    this.text += text;
    this.#column += text.length;
  }
}

function isSimpleKey(key: MapKey): boolean {
  return typeof key !== "string" || (!/[\n\r\x85\u2028\u2029]/.test(key) && Buffer.byteLength(key) <= longestSimpleKey);
}

function isCollection(value: TemplateValue): boolean {
  if (value === null) return false;
  if (isList(value)) return elementsOf(value).length > 0;
  return (entriesOf(value)?.length ?? 0) > 0;
}

/** The entries of a map or struct in the order of yaml.v2, which reads numbers inside keys as numbers. */
function entriesOf(value: TemplateValue): readonly (readonly [MapKey, TemplateValue])[] | undefined {
  if (value instanceof Struct) return Object.entries(value.fields).map(([name, field]) => [name.toLowerCase(), field]);
  if (value === null || !isMap(value)) return undefined;
  return sortedEntries(value).sort(([a], [b]) => compareKeys(a, b));
}

function compareKeys(a: MapKey, b: MapKey): number {
  if (typeof a !== "string" || typeof b !== "string") return 0;
  const [left, right] = [Array.from(a), Array.from(b)];
  const length = Math.min(left.length, right.length);
  let i = 0;
  while (i < length && left[i] === right[i]) i++;
  if (i === length) return left.length - right.length;
  const isLetter = [left[i]!, right[i]!].map((character) => /^\p{L}$/u.test(character));
  if (isLetter[0] && isLetter[1]) return left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
  if (isLetter[0] || isLetter[1]) return isLetter[1] ? -1 : 1;
  return compareNumbers(left, right, i) || left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
}

/** Compares the digits that begin where the keys first differ. */
function compareNumbers(left: readonly string[], right: readonly string[], at: number): number {
  let before = at;
  while (before > 0 && /^[0-9]$/.test(left[before - 1]!)) before--;
  // A zero counts only behind another digit than zero.
  const isBehindDigit =
    (left[at] === "0" || right[at] === "0") && left.slice(before, at).some((digit) => digit !== "0");
  const first = digitsAt(left, at);
  const second = digitsAt(right, at);
  const prefix = isBehindDigit ? "1" : "0";
  const difference = BigInt(prefix + first) - BigInt(prefix + second);
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return first.length - second.length;
}

function digitsAt(characters: readonly string[], at: number): string {
  let end = at;
  while (end < characters.length && /^\p{Nd}$/u.test(characters[end]!)) end++;
  return characters
    .slice(at, end)
    .join("")
    .replace(/[^0-9]/g, "0");
}

function scalarText(value: TemplateValue): string {
  if (value === null) return "null";
  if (value instanceof SizedInteger) return value.value.toString();
  if (typeof value === "number") return floatText(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  throw new ExecutionFault(`cannot marshal type: ${typeOf(value)}`);
}

function floatText(number: number): string {
  if (Number.isNaN(number)) return ".nan";
  if (!Number.isFinite(number)) return number > 0 ? ".inf" : "-.inf";
  return formatFloat(number, "g");
}
