import { isEqualToAny, isLess, isLessOrEqual } from "./comparison.ts";
import { escapeHtml, escapeJs, escapeQuery } from "./escape.ts";
import { indexInto, lengthOf, sliceOf } from "./indexing.ts";
import type { BuiltinName } from "./builtin-names.ts";
import type { Operand } from "./operand.ts";
import { isTrue, unbox } from "./operand.ts";
import { formatText, pointedTo, sprint, sprintln } from "./print.ts";
import type { ParameterType } from "./value.ts";

/** A function of the language. It takes operands as they stand, and ends with an ExecutionFault what cannot be done. */
export interface Builtin {
  readonly parameters: readonly ParameterType[];
  readonly variadic?: ParameterType;
  readonly call: (args: readonly Operand[]) => Operand;
}

/** `and` and `or` evaluate only as many arguments as they need, and `call` needs the execution: those are not here. */
export type PlainBuiltinName = Exclude<BuiltinName, "and" | "or" | "call">;

export const builtins: Readonly<Record<PlainBuiltinName, Builtin>> = {
  html: { parameters: [], variadic: "any", call: (args) => escapeHtml(sprint(args.map(indirect))) },
  index: { parameters: ["value"], variadic: "value", call: ([item, ...indexes]) => indexInto(item, indexes) },
  slice: { parameters: ["value"], variadic: "value", call: ([item, ...indexes]) => sliceOf(item, indexes) },
  js: { parameters: [], variadic: "any", call: (args) => escapeJs(sprint(args.map(indirect))) },
  len: { parameters: ["value"], call: ([item]) => lengthOf(item) },
  not: { parameters: ["value"], call: ([item]) => !isTrue(item) },
  print: { parameters: [], variadic: "any", call: sprint },
  printf: { parameters: ["string"], variadic: "any", call: ([text, ...args]) => formatText(text as string, args) },
  println: { parameters: [], variadic: "any", call: sprintln },
  urlquery: { parameters: [], variadic: "any", call: (args) => escapeQuery(sprint(args.map(indirect))) },
  eq: { parameters: ["value"], variadic: "value", call: ([first, ...others]) => isEqualToAny(first, others) },
  ne: { parameters: ["value", "value"], call: ([a, b]) => !isEqualToAny(a, [b]) },
  lt: { parameters: ["value", "value"], call: ([a, b]) => isLess(a, b) },
  le: { parameters: ["value", "value"], call: ([a, b]) => isLessOrEqual(a, b) },
  gt: { parameters: ["value", "value"], call: ([a, b]) => !isLessOrEqual(a, b) },
  ge: { parameters: ["value", "value"], call: ([a, b]) => !isLess(a, b) },
};

/** What is escaped is printed as an action prints it; no value as such. */
function indirect(operand: Operand): Operand {
  const value = unbox(operand);
  if (value === undefined) return "<no value>";
  return pointedTo(value);
}
