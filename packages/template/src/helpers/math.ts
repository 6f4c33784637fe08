import type { FunctionTable } from "../function.ts";
import { answer, defineFunction, failure } from "../function.ts";
import { kindOf, typeOf, valueOf } from "../operand.ts";
import { integerOf, operandOf } from "../operand.ts";
import { formatText } from "../print.ts";
import type { CallResult, TemplateValue } from "../value.ts";
import { SizedInteger } from "../value.ts";

/** A number of one of the three kinds that Go's arithmetic has; the wide type of each is what comes out. */
type Numeric =
  | { readonly kind: "int" | "uint"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number };

interface Operation {
  readonly name: string;
  readonly whole: (a: bigint, b: bigint) => bigint;
  /** Undefined where floats have no such operation. */
  readonly float?: (a: number, b: number) => number;
  readonly refusesZero?: true;
}

const operations: readonly Operation[] = [
  { name: "add", whole: (a, b) => a + b, float: (a, b) => a + b },
  { name: "subtract", whole: (a, b) => a - b, float: (a, b) => a - b },
  { name: "multiply", whole: (a, b) => a * b, float: (a, b) => a * b },
  { name: "divide", whole: (a, b) => a / b, float: (a, b) => a / b, refusesZero: true },
  { name: "modulo", whole: (a, b) => a % b, refusesZero: true },
];

/** The second argument comes first in each: `5 | subtract 2` is 3. Whole numbers wrap at 64 bits. */
export const mathFunctions: FunctionTable = new Map([
  ...operations.map((operation) => binary(operation.name, (a, b) => calculate(operation, a, b))),
  binary("minimum", (a, b) => chosen(isBelow(a, b) ? a : b)),
  binary("maximum", (a, b) => chosen(isBelow(b, a) ? a : b)),
]);

function binary(name: string, call: (a: Numeric, b: Numeric) => CallResult | undefined) {
  const definition = defineFunction({
    parameters: ["any", "any"],
    call: ([b, a]) => {
      const first = numericOf(a!);
      const second = numericOf(b!);
      if (!first) return unknownType(name, a!);
      if (!second) return unknownType(name, b!);
      return call(first, second) ?? unknownType(name, first.kind === "float" ? a! : b!);
    },
  });
  return [name, definition] as const;
}

function calculate({ whole, float, refusesZero }: Operation, a: Numeric, b: Numeric): CallResult | undefined {
  if (a.kind === "float" || b.kind === "float") return float && answer(float(Number(a.value), Number(b.value)));
  if (refusesZero && b.value === 0n) return failure("runtime error: integer divide by zero");
  return integerAnswer(a.kind === "uint" && b.kind === "uint", whole(a.value, b.value));
}

function isBelow(a: Numeric, b: Numeric): boolean {
  return a.value < b.value;
}

function chosen(number: Numeric): CallResult {
  return number.kind === "float" ? answer(number.value) : integerAnswer(number.kind === "uint", number.value);
}

function integerAnswer(isUnsigned: boolean, value: bigint): CallResult {
  if (isUnsigned) return answer(new SizedInteger(BigInt.asUintN(64, value), "uint64"));
  return answer(new SizedInteger(BigInt.asIntN(64, value), "int64"));
}

function numericOf(value: TemplateValue): Numeric | undefined {
  if (typeof value === "number") return { kind: "float", value };
  const operand = operandOf(value);
  const whole = integerOf(operand);
  return whole === undefined ? undefined : { kind: kindOf(operand) === "uint" ? "uint" : "int", value: whole };
}

function unknownType(name: string, value: TemplateValue): CallResult {
  if (value === null) return failure(`${name}: unknown type for "<invalid reflect.Value>" (<nil>)`);
  const shown = formatText("%q", [value]);
  return failure(`${name}: unknown type for ${shown} (${typeOf(operandOf(valueOf(value)))})`);
}
