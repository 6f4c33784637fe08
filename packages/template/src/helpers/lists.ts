import type { FunctionTable } from "../function.ts";
import { answer, defineFunction, failure } from "../function.ts";
import { elementsOf, integerOf, isList, kindOf, operandOf, typeOf } from "../operand.ts";
import type { CallResult, TemplateValue } from "../value.ts";
import { Channel, SizedInteger } from "../value.ts";
import { elements } from "./arguments.ts";
import { parseInteger } from "./parsing.ts";

export const listFunctions: FunctionTable = new Map([
  ["in", defineFunction({ parameters: ["any", "any"], call: ([list, item]) => answer(isIn(list!, item!)) })],
  ["contains", defineFunction({ parameters: ["any", "any"], call: ([item, list]) => answer(isIn(list!, item!)) })],
  ["containsAll", containsSome((needles, list) => needles.every((needle) => isIn(list, needle)))],
  ["containsAny", containsSome((needles, list) => needles.some((needle) => isIn(list, needle)))],
  ["containsNone", containsSome((needles, list) => !needles.some((needle) => isIn(list, needle)))],
  ["containsNotAll", containsSome((needles, list) => !needles.every((needle) => isIn(list, needle)))],
  ["loop", defineFunction({ parameters: [], variadic: "any", call: loop })],
]);

function containsSome(test: (needles: readonly TemplateValue[], list: TemplateValue) => boolean) {
  return defineFunction({
    parameters: ["[]interface {}", "any"],
    call: ([needles, list]) => answer(test(elements(needles), list!)),
  });
}

/** Whether a list has the element, or a text the part. Only signed integers, floats and strings are ever equal. */
function isIn(list: TemplateValue, item: TemplateValue): boolean {
  if (typeof list === "string") return typeof item === "string" && list.includes(item);
  return isList(list) && elementsOf(list).some((element) => isSame(element, item));
}

function isSame(a: TemplateValue, b: TemplateValue): boolean {
  if (typeof a === "string" || typeof a === "number") return a === b;
  const [x, y] = [operandOf(a), operandOf(b)];
  return kindOf(x) === "int" && kindOf(y) === "int" && integerOf(x) === integerOf(y);
}

/** The whole numbers from zero, or from the first argument, up to the last one without it. */
function loop(args: readonly TemplateValue[]): CallResult {
  if (args.length !== 1 && args.length !== 2) {
    return failure(`loop: wrong number of arguments, expected 1 or 2, but got ${args.length}`);
  }
  const bounds: bigint[] = [];
  for (const arg of args) {
    const bound = boundOf(arg);
    if (typeof bound !== "bigint") return bound;
    bounds.push(bound);
  }
  const [start, end] = bounds.length === 1 ? [0n, bounds[0]!] : [bounds[0]!, bounds[1]!];
  return answer(new Channel("<-chan int64", count(start, end)));
}

function boundOf(value: TemplateValue): bigint | CallResult {
  if (typeof value === "string") {
    const parsed = parseInteger("parseInt", value);
    return parsed.kind === "value" && parsed.value instanceof SizedInteger ? parsed.value.value : parsed;
  }
  const operand = operandOf(value);
  return integerOf(operand) ?? failure(`loop: bad argument type: ${value === null ? "<nil>" : typeOf(operand)}`);
}

function* count(start: bigint, end: bigint): Generator<TemplateValue> {
  for (let i = start; i < end; i++) yield new SizedInteger(i, "int64");
}
