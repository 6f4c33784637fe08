import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { quote } from "@millwright/text/quote";
import { friendlyName } from "@millwright/value/friendly";
import type { BigFloat } from "@millwright/value/number";
import { bigFloatOfDouble } from "@millwright/value/number";
import { dynamicType, listType, numberType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asNumber, asString, listValue, numberValue, unmark, withMarks } from "@millwright/value/value";
import { integerArgument, notNull, refuse, unlessSecret } from "./define.ts";
import { parseInteger } from "./parse-integer.ts";
import { power } from "./power.ts";

const num: Parameter = { name: "num", type: numberType };
const numbers: Parameter = { name: "numbers", type: numberType, allowDynamicType: true };

const abs: FunctionSpec = {
  name: "abs",
  description: "The distance of a number from zero: the number without its sign.",
  parameters: [{ ...num, allowDynamicType: true }],
  returnType: numberType,
  refineResult: notNull,
  call: ([value]) => {
    const number = asNumber(value!);
    return number.isNegative ? numberValue(number.negate()) : value!;
  },
};

const ceil: FunctionSpec = {
  name: "ceil",
  description: "The smallest whole number that is not less than the given one.",
  parameters: [num],
  returnType: numberType,
  refineResult: notNull,
  call: ([value]) => wholeBeside(asNumber(value!), (number, cut) => (number.isNegative ? cut : cut + 1n)),
};

const floor: FunctionSpec = {
  name: "floor",
  description: "The greatest whole number that is not more than the given one.",
  parameters: [num],
  returnType: numberType,
  refineResult: notNull,
  call: ([value]) => wholeBeside(asNumber(value!), (number, cut) => (number.isNegative ? cut - 1n : cut)),
};

/** The number where it is whole or infinite, else what `choose` makes of it and its whole part. */
function wholeBeside(number: BigFloat, choose: (number: BigFloat, cut: bigint) => bigint): Value {
  if (!number.isFinite || number.isInteger) return numberValue(number);
  return numberValue(choose(number, number.truncated()));
}

const log: FunctionSpec = {
  name: "log",
  description: "The logarithm of a number to a base, as a 64-bit float.",
  parameters: [num, { name: "base", type: numberType }],
  returnType: numberType,
  refineResult: notNull,
  call: ([value, base]) => fromDouble(Math.log(double(value!)) / Math.log(double(base!))),
};

const pow: FunctionSpec = {
  name: "pow",
  description: "A number raised to a power, as a 64-bit float.",
  parameters: [num, { name: "power", type: numberType }],
  returnType: numberType,
  refineResult: notNull,
  call: ([value, exponent]) => fromDouble(power(double(value!), double(exponent!))),
};

function double(value: Value): number {
  const number = asNumber(value);
  const nearest = number.toNumber();
  if (number.isFinite && !Number.isFinite(nearest)) {
    const limit = BigInt(Number.MAX_VALUE);
    refuse(`value must be between -${limit}.000000 and ${limit}.000000 inclusive`);
  }
  return nearest;
}

function fromDouble(result: number): Value {
  // The reference panics here: its numbers have no NaN.
  if (Number.isNaN(result)) refuse("the result is not a real number");
  return numberValue(bigFloatOfDouble(result));
}

const signum: FunctionSpec = {
  name: "signum",
  description: "The sign of a whole number: -1, 0 or 1.",
  parameters: [num],
  returnType: numberType,
  refineResult: notNull,
  call: ([value]) => numberValue(Math.sign(integerArgument(value!))),
};

const max: FunctionSpec = {
  name: "max",
  description: "The greatest of the given numbers.",
  parameters: [],
  variadic: numbers,
  returnType: numberType,
  refineResult: notNull,
  call: (args) => extreme(args, (order) => order > 0),
};

const min: FunctionSpec = {
  name: "min",
  description: "The smallest of the given numbers.",
  parameters: [],
  variadic: numbers,
  returnType: numberType,
  refineResult: notNull,
  call: (args) => extreme(args, (order) => order < 0),
};

function extreme(args: readonly Value[], isBetter: (order: number) => boolean): Value {
  if (args.length === 0) refuse("must pass at least one number");
  return args.reduce((best, value) => (isBetter(asNumber(value).compare(asNumber(best))) ? value : best));
}

const parseint: FunctionSpec = {
  name: "parseint",
  description: "The integer that a string writes in a base from 2 to 62.",
  parameters: [
    { name: "number", type: dynamicType, allowMarked: true },
    { name: "base", type: numberType, allowMarked: true },
  ],
  returnType: ([number]) => {
    if (number!.type.kind !== "string") refuse(`first argument must be a string, not ${friendlyName(number!.type)}`, 0);
    return numberType;
  },
  refineResult: notNull,
  call: (args) => {
    const [number, numberMarks] = unmark(args[0]!);
    const [base, baseMarks] = unmark(args[1]!);
    const radix = integerArgument(base, 1);
    if (radix < 2 || radix > 62) refuse("base must be a whole number between 2 and 62 inclusive", 1);
    const digits = asString(number);
    const parsed = parseInteger(digits, radix);
    if (parsed === undefined) {
      const what = unlessSecret(quote(digits), numberMarks);
      refuse(`cannot parse ${what} as a base ${unlessSecret(String(radix), baseMarks)} integer`, 0);
    }
    return withMarks(numberValue(parsed), [...numberMarks, ...baseMarks]);
  },
};

const rangeLimit = 1024;

const range: FunctionSpec = {
  name: "range",
  description: "A list of numbers from a start (0) up to a limit, which is left out, in even steps (1).",
  parameters: [],
  variadic: { name: "params", type: numberType },
  returnType: listType(numberType),
  refineResult: notNull,
  call: (args) => {
    const { start, end, step } = rangeOf(args.map(asNumber));
    const down = step.isNegative;
    if (down && end.compare(start) > 0) refuse("end must be less than start when step is negative", 1);
    if (!down && end.compare(start) < 0) refuse("end must be greater than start when step is positive", 1);
    const values: Value[] = [];
    let number: BigFloat | undefined = start;
    while (number && (down ? number.compare(end) > 0 : number.compare(end) < 0)) {
      if (values.length >= rangeLimit) {
        const advice = "either decrease the difference between start and end or use a smaller step";
        refuse(`more than ${rangeLimit} values were generated; ${advice}`);
      }
      values.push(numberValue(number));
      number = number.add(step);
    }
    return listValue(values, numberType);
  },
};

function rangeOf(args: readonly BigFloat[]): { start: BigFloat; end: BigFloat; step: BigFloat } {
  const [first, second, third] = args;
  if (!first || args.length > 3) refuse("must have one, two, or three arguments");
  const start = second ? first : asNumber(numberValue(0));
  const end = second ?? first;
  return { start, end, step: third ?? asNumber(numberValue(end.compare(start) < 0 ? -1 : 1)) };
}

export const numericFunctions: readonly FunctionSpec[] = [
  abs,
  ceil,
  floor,
  log,
  max,
  min,
  parseint,
  pow,
  range,
  signum,
];
