import { refuse } from "./fault.ts";
import { expressionOf, notWith } from "./reference.ts";
import { holdsToken, inWords, partsOf, tokenFor } from "./token.ts";

/**
 * What the program does to a value where JavaScript itself says nothing of it; the host writes a call of {@link guard}
 * around each such operand. Conditions, comparisons, arithmetic, the length of a text, typeof, and keys of lookups.
 */
export type GuardedUse = "condition" | "comparison" | "arithmetic" | "length" | "element" | "typeof" | "key";

const doing: Readonly<Record<Exclude<GuardedUse, "key">, string>> = {
  condition: "a condition",
  comparison: "compared",
  arithmetic: "calculated with",
  length: "measured",
  element: "taken apart",
  typeof: "asked for its type",
};

const instead =
  "Decide with when(condition, a, b), or compute with derive(reference, (value) => …), which runs once the value is known";

/** Gives the value back, or refuses the use where it is a reference or a text made from one. */
export function guard(value: unknown, use: GuardedUse): unknown {
  if (typeof value !== "string" && typeof value !== "object" && typeof value !== "function") return value;
  if (typeof value === "string") {
    if (use === "typeof" || !holdsToken(value)) return value;
    return use === "key" ? keyToken(value) : refuseText(value, doing[use]);
  }
  const expression = expressionOf(value);
  if (!expression || use === "length" || use === "element") return value;
  if (use === "key") return tokenFor(expression);
  return notWith(expression, doing[use], instead);
}

// A key that is known later is good for a reference alone, which finds the token; anything else loses it, which is seen.
function keyToken(text: string): string {
  const parts = partsOf(text).map((part) =>
    typeof part === "string" ? ({ kind: "literal", value: part } as const) : part,
  );
  return tokenFor(parts.length === 1 ? parts[0]! : { kind: "template", parts });
}

/** Refuses what is done to a text that was made from a reference. */
export function refuseText(text: string, what: string): never {
  return refuse(
    "Value known later",
    `The text "${inWords(text)}" holds a reference, whose value is known later, so it cannot be ${what}. ${instead}.`,
  );
}

/** Refuses a reference or a text made from one, as an argument of a function of JavaScript's own. */
export function refuseLater(value: unknown, what: string): void {
  const expression = expressionOf(value);
  if (expression) notWith(expression, what, instead);
  if (holdsToken(value)) refuseText(value, what);
}
