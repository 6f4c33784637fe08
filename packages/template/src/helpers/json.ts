import type { FunctionTable } from "../function.ts";
import { answer, defineFunction, failure } from "../function.ts";
import { ExecutionFault } from "../fault.ts";
import { elementsOf, isList, sortedEntries } from "../operand.ts";
import type { TemplateValue } from "../value.ts";
import { Channel, FunctionValue, SizedInteger, Struct } from "../value.ts";

/** Escaping `<`, `>` and `&` keeps JSON whole inside HTML; it is what Go does unless told otherwise. */
const forms = [
  { name: "toJSON", isPretty: false, isEscaped: true },
  { name: "toJSONPretty", isPretty: true, isEscaped: true },
  { name: "toUnescapedJSON", isPretty: false, isEscaped: false },
  { name: "toUnescapedJSONPretty", isPretty: true, isEscaped: false },
] as const;

export const jsonFunctions: FunctionTable = new Map(
  forms.map(({ name, isPretty, isEscaped }) => [
    name,
    defineFunction({
      parameters: ["any"],
      call: ([value]) => {
        try {
          return answer(new JsonWriter({ isPretty, isEscaped }).write(value!, 0));
        } catch (error) {
          if (error instanceof ExecutionFault) return failure(`${name}: ${error.message}`);
          throw error;
        }
      },
    }),
  ]),
);

const deepest = 500;
const mostParts = 1_000_000;

class JsonWriter {
  readonly #isPretty: boolean;
  readonly #isEscaped: boolean;
  #parts = 0;

  constructor({ isPretty, isEscaped }: { readonly isPretty: boolean; readonly isEscaped: boolean }) {
    this.#isPretty = isPretty;
    this.#isEscaped = isEscaped;
  }

  write(value: TemplateValue, depth: number): string {
    if (depth > deepest || ++this.#parts > mostParts) throw new ExecutionFault("the value is too large or too deep");
    if (value === null) return "null";
    if (value instanceof SizedInteger) return value.value.toString();
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "number":
        return numberText(value);
      case "bigint":
      case "boolean":
        return String(value);
    }
    if (isList(value)) {
      const items = elementsOf(value).map((element) => this.write(element, depth + 1));
      return this.#wrapped("[", items, "]", depth);
    }
    if (value instanceof Channel || value instanceof FunctionValue) {
      throw new ExecutionFault(`json: unsupported type: ${value.type}`);
    }
    const entries = value instanceof Struct ? Object.entries(value.fields) : sortedEntries(value);
    const colon = this.#isPretty ? ": " : ":";
    const items = entries.map(([key, element]) => this.#text(String(key)) + colon + this.write(element, depth + 1));
    return this.#wrapped("{", items, "}", depth);
  }

  #wrapped(open: string, items: readonly string[], close: string, depth: number): string {
    if (!this.#isPretty || items.length === 0) return open + items.join(",") + close;
    const indent = "  ".repeat(depth + 1);
    return `${open}\n${items.map((item) => indent + item).join(",\n")}\n${"  ".repeat(depth)}${close}`;
  }

  #text(text: string): string {
    const plain = JSON.stringify(text.toWellFormed()).replace(/[\u2028\u2029]/g, escapeByCode);
    return this.#isEscaped ? plain.replace(/[<>&]/g, escapeByCode) : plain;
  }
}

function escapeByCode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function numberText(number: number): string {
  if (!Number.isFinite(number)) {
    const name = Number.isNaN(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf";
    throw new ExecutionFault(`json: unsupported value: ${name}`);
  }
  return Object.is(number, -0) ? "-0" : String(number);
}
