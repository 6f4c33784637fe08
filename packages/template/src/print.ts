import type { PrintfValue } from "@millwright/text/printf-value";
import { sprintf } from "@millwright/text/printf";
import { ExecutionFault } from "./fault.ts";
import type { Operand } from "./operand.ts";
import { elementsOf, isList, kindOf, sortedEntries, typeOf, unbox } from "./operand.ts";
import type { TemplateValue } from "./value.ts";
import { Channel, FunctionValue, SizedInteger, Struct, TypedMap } from "./value.ts";

/** Values with more parts than this are not printed; a map that holds itself would have no end. */
const mostParts = 1_000_000;
const deepest = 200;

/** Go's `fmt.Sprint`: a space between two that are no strings. */
export function sprint(operands: readonly Operand[]): string {
  let text = "";
  let wasString = true;
  for (const [i, operand] of operands.entries()) {
    const isString = kindOf(unbox(operand)) === "string";
    if (i > 0 && !isString && !wasString) text += " ";
    text += format(operand);
    wasString = isString;
  }
  return text;
}

/** Go's `fmt.Sprintln`. */
export function sprintln(operands: readonly Operand[]): string {
  return `${operands.map(format).join(" ")}\n`;
}

/** Go's `fmt.Sprintf`. */
export function formatText(text: string, operands: readonly Operand[]): string {
  return sprintf(
    text,
    operands.map((operand) => printable(operand)),
  );
}

/** What an action prints: a pointer as what it points to, and `<no value>` for none. */
export function display(operand: Operand): string {
  const value = unbox(operand);
  if (value === undefined) return operand === undefined ? "<no value>" : "<nil>";
  return format(pointedTo(value));
}

/** The struct behind a pointer to one; anything else as it is. */
export function pointedTo(value: Exclude<TemplateValue, null>): Exclude<TemplateValue, null> {
  return value instanceof Struct ? withoutPointer(value) : value;
}

function withoutPointer(struct: Struct): Struct {
  return struct.type.startsWith("*") ? new Struct(struct.type.slice(1), struct.fields, struct.methods) : struct;
}

function format(operand: Operand): string {
  const value = unbox(operand);
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  return sprintf("%v", [printable(operand)]);
}

/** An operand for {@link sprintf}. Its parts are counted, so that it comes to an end. */
export function printable(operand: Operand): PrintfValue {
  return new Converter().convert(unbox(operand) ?? null, 0);
}

class Converter {
  #parts = 0;

  convert(value: TemplateValue, depth: number): PrintfValue {
    if (++this.#parts > mostParts) throw new ExecutionFault(`a value of more than ${mostParts} parts is not printed`);
    if (depth > deepest) throw new ExecutionFault(`a value that is nested more than ${deepest} deep is not printed`);
    if (value === null) return { kind: "nil" };
    if (value instanceof SizedInteger) return { kind: "integer", value: value.value, type: value.type };
    switch (typeof value) {
      case "string":
        return { kind: "string", value };
      case "boolean":
        return { kind: "bool", value };
      case "bigint":
        return { kind: "integer", value };
      case "number":
        return { kind: "float", value };
    }
    return this.#composite(value, depth);
  }

  #composite(value: Exclude<TemplateValue, null | string | boolean | bigint | number>, depth: number): PrintfValue {
    if (isList(value)) {
      const elements = elementsOf(value).map((element) => this.convert(element, depth + 1));
      return { kind: "list", elements, type: typeOf(value) };
    }
    if (value instanceof Struct) return this.#struct(value, depth);
    // Go prints an address here, which is another one each time.
    if (value instanceof Channel || value instanceof FunctionValue) return { kind: "string", value: value.type };
    if (value instanceof SizedInteger) return { kind: "integer", value: value.value, type: value.type };
    const entries = sortedEntries(value).map(
      ([key, element]) => [String(key), this.convert(element, depth + 1)] as const,
    );
    const type = value instanceof TypedMap ? value.type : "map[string]interface {}";
    return { kind: "map", entries, type };
  }

  #struct({ type, fields }: Struct, depth: number): PrintfValue {
    const converted = Object.entries(fields).map(([name, value]) => [name, this.convert(value, depth + 1)] as const);
    return { kind: "struct", fields: converted, type, isPointer: type.startsWith("*") };
  }
}
