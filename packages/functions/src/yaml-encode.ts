import { Bug } from "@millwright/core/errors";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, asNumber, asString, stringValue } from "@millwright/value/value";
import { doubleQuoted, literalBlock } from "./yaml-text.ts";

/**
 * A wholly known value, without marks, as YAML in block style, byte for byte as the reference writes it (libyaml's emitter
 * with an indent of two and lines of about 80): strings in double quotes, or as literal blocks where they have several
 * lines. A capsule is a Bug.
 */
export function encodeYaml(value: Value): string {
  const writer = new YamlWriter();
  writer.node(value, { indent: -2, place: "root" });
  // A plain scalar alone could go on with what is added to the file.
  return writer.text + (isPlain(value) ? "\n...\n" : "\n");
}

/** Where a node stands: alone, as an element, as a mapping's value, or behind the `:` of a key that has lines of its own. */
interface Context {
  /** The indent of the collection around it; -2 around the root. */
  readonly indent: number;
  readonly place: "root" | "element" | "value" | "complexValue";
}

/** Keys of more bytes than this are written with a `?`. */
const longestSimpleKey = 128;

class YamlWriter {
  text = "";
  #column = 0;

  node(value: Value, context: Context): void {
    const { type, data } = value;
    if (data === null) return this.#write("null");
    switch (type.kind) {
      case "string":
        return this.#string(asString(value), Math.max(2, context.indent + 2));
      case "number":
        return this.#write(asNumber(value).toText());
      case "bool":
        return this.#write(String(data));
      case "list":
      case "set":
      case "tuple":
        return this.#sequence(asArray(value), context);
      case "map":
      case "object":
        return this.#mapping(asMap(value), context);
      default:
        throw new Bug(`a ${type.kind} is not written as YAML`);
    }
  }

  #sequence(elements: readonly Value[], context: Context): void {
    if (elements.length === 0) return this.#write("[]");
    // A sequence that is the value of a simple key is not indented further.
    const indent = context.place === "value" ? context.indent : context.indent + 2;
    for (const [i, element] of elements.entries()) {
      if (i > 0 || context.place === "value") this.#newLine(indent);
      this.#write("- ");
      this.node(element, { indent, place: "element" });
    }
  }

  #mapping(entries: ReadonlyMap<string, Value>, context: Context): void {
    if (entries.size === 0) return this.#write("{}");
    const indent = context.indent + 2;
    let isFirst = context.place !== "value";
    for (const [key, value] of entries) {
      if (!isFirst) this.#newLine(indent);
      isFirst = false;
      if (key.includes("\n") || Buffer.byteLength(key, "utf8") > longestSimpleKey)
        this.#complexEntry(key, value, indent);
      else this.#simpleEntry(key, value, indent);
    }
  }

  #simpleEntry(key: string, value: Value, indent: number): void {
    this.#write(`${doubleQuoted(key, { column: this.#column, indent, width: Number.POSITIVE_INFINITY })}:`);
    if (!isBlock(value)) this.#write(" ");
    this.node(value, { indent, place: "value" });
  }

  #complexEntry(key: string, value: Value, indent: number): void {
    this.#write("? ");
    this.node(stringValue(key), { indent, place: "element" });
    this.#newLine(indent);
    this.#write(": ");
    this.node(value, { indent, place: "complexValue" });
  }

  #string(text: string, indent: number): void {
    const block = text.includes("\n") ? literalBlock(text, indent) : undefined;
    this.#write(block ?? doubleQuoted(text, { column: this.#column, indent, width: 80 }));
  }

  #newLine(indent: number): void {
    this.text += `\n${" ".repeat(indent)}`;
    this.#column = indent;
  }

  #write(text: string): void {
    this.text += text;
    const lastBreak = text.lastIndexOf("\n");
    this.#column = lastBreak < 0 ? this.#column + [...text].length : [...text.slice(lastBreak + 1)].length;
  }
}

/** Whether a value takes lines of its own, below its key. */
function isBlock({ data }: Value): boolean {
  return (Array.isArray(data) && data.length > 0) || (data instanceof Map && data.size > 0);
}

function isPlain({ type, data }: Value): boolean {
  return data === null || type.kind === "number" || type.kind === "bool";
}
