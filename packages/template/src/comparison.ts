import { ExecutionFault } from "./fault.ts";
import type { Kind, Operand } from "./operand.ts";
import { compareText, integerOf, kindOf, typeOf, unbox } from "./operand.ts";
import { formatText } from "./print.ts";

/** Go's `eq`: whether the first is equal to any of the others. */
export function isEqualToAny(first: Operand, others: readonly Operand[]): boolean {
  if (others.length === 0) throw new ExecutionFault("missing argument for comparison");
  return others.some((other) => isEqual(unbox(first), unbox(other)));
}

/** Go's `lt`. Booleans have no order, and numbers none with those of another kind. */
export function isLess(first: Operand, second: Operand): boolean {
  const a = unbox(first);
  const b = unbox(second);
  if (!basicKinds.has(kindOf(a)) || !basicKinds.has(kindOf(b))) throw new ExecutionFault(badType);
  const integers = integerPair(a, b);
  if (integers) return integers[0] < integers[1];
  if (kindOf(a) !== kindOf(b)) throw incompatible(a, b);
  if (typeof a === "string" && typeof b === "string") return compareText(a, b) < 0;
  if (typeof a === "number" && typeof b === "number") return a < b;
  throw new ExecutionFault(badType);
}

/** Go's `le`. */
export function isLessOrEqual(first: Operand, second: Operand): boolean {
  return isLess(first, second) || isEqualToAny(first, [second]);
}

const badType = "invalid type for comparison";

const basicKinds: ReadonlySet<Kind> = new Set<Kind>(["bool", "int", "uint", "float", "string"]);

function isEqual(a: Operand, b: Operand): boolean {
  const integers = integerPair(a, b);
  if (integers) return integers[0] === integers[1];
  const kinds = [kindOf(a), kindOf(b)] as const;
  const isBasic = kinds.map((kind) => basicKinds.has(kind));
  if (isBasic[0] || isBasic[1]) {
    if (kinds[0] === kinds[1]) return a === b;
    if (a !== undefined && b !== undefined) throw incompatible(a, b);
    return false;
  }
  if (a === undefined || b === undefined) return a === b;
  if (kinds[0] !== kinds[1]) {
    const shown = [formatText("%s", [a]), typeOf(a), typeOf(b), formatText("%v", [b])];
    throw new ExecutionFault(`non-comparable types ${shown[0]}: ${shown[1]}, ${shown[2]}: ${shown[3]}`);
  }
  if (kinds[1] !== "struct" && kinds[1] !== "chan") {
    throw new ExecutionFault(`non-comparable type ${formatText("%s", [b])}: ${typeOf(b)}`);
  }
  return a === b;
}

/** Integers compare whatever their type. */
function integerPair(a: Operand, b: Operand): readonly [bigint, bigint] | undefined {
  const first = integerOf(a);
  const second = integerOf(b);
  return first === undefined || second === undefined ? undefined : [first, second];
}

function incompatible(a: Operand, b: Operand): ExecutionFault {
  return new ExecutionFault(`incompatible types for comparison: ${typeOf(a)} and ${typeOf(b)}`);
}
