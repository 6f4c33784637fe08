import type { StackExpression } from "./expression.ts";
import { Fault, framesOf, here, refuse } from "./fault.ts";
import { expressionOf, parseAddress, reference } from "./reference.ts";
import { toExpression } from "./to-expression.ts";
import { holdsToken, inWords } from "./token.ts";

/** The functions of `derive`, by their numbers. */
const functions: ((known: unknown) => unknown)[] = [];

export function derive(from: unknown, compute: unknown): unknown {
  const at = here();
  if (typeof compute !== "function")
    return refuse("Unsuitable value", "derive takes references and a function of their values.", at);
  const id = functions.push(compute as (known: unknown) => unknown) - 1;
  return reference({ kind: "derive", id, from: toExpression(from, "What derive is given"), at });
}

/** What a function of `derive` came to, as JSON crosses the border: numbers beyond JSON's are not given out. */
export type Derived =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly at: readonly (readonly [number, number])[] };

/** Runs function number `id` with a known value. */
export function runDerived(id: number, known: unknown): Derived {
  try {
    const value = functions[id]!(known);
    const expression = toExpression(value, "The result");
    return { ok: true, value: plain(expression) };
  } catch (error) {
    const at = error instanceof Error ? framesOf(error.stack ?? "") : [];
    return { ok: false, message: messageOf(error), at };
  }
}

function messageOf(error: unknown): string {
  if (error instanceof Fault) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function plain(expression: StackExpression): unknown {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "tuple":
      return expression.elements.map(plain);
    case "object":
      return Object.fromEntries(expression.entries.map(({ key, value }) => [plain(key), plain(value)]));
    default:
      return refuse(
        "Reference inside of derive",
        "The function gives a reference. It gives values; hand references in: derive([first, second], ([a, b]) => …).",
      );
  }
}

export function when(condition: unknown, whenTrue: unknown, whenFalse: unknown): unknown {
  return reference({
    kind: "conditional",
    condition: toExpression(condition, "The condition"),
    whenTrue: toExpression(whenTrue, "The value when true"),
    whenFalse: toExpression(whenFalse, "The value when false"),
  });
}

export function json(document: unknown): unknown {
  return reference({ kind: "call", name: "jsonencode", args: [toExpression(document, "The document")], at: here() });
}

export function call(name: unknown, ...args: readonly unknown[]): unknown {
  const at = here();
  if (typeof name !== "string" || holdsToken(name))
    return refuse("Unsuitable value", "call takes the name of a function and its arguments.", at);
  return reference({
    kind: "call",
    name,
    args: args.map((arg, i) => toExpression(arg, `Argument ${i + 1} of ${name}`)),
    at,
  });
}

export function ref(address: unknown): unknown {
  if (typeof address !== "string" || holdsToken(address)) {
    return refuse("Not an address", 'ref takes an address that is written out, such as "local.name".');
  }
  return reference(parseAddress(address));
}

/** A line that the program wrote with console.log and the like. */
export function noteText(parts: readonly unknown[]): string {
  return parts.map((part) => noted(part)).join(" ");
}

function noted(part: unknown): string {
  if (expressionOf(part)) return inWords(`${part as string}`);
  if (typeof part === "string") return inWords(part);
  if (typeof part !== "object" || part === null) return String(part);
  if (Array.isArray(part)) return `[${part.map(noted).join(", ")}]`;
  return `{ ${Object.entries(part)
    .map(([key, value]) => `${inWords(key)}: ${noted(value)}`)
    .join(", ")} }`;
}
