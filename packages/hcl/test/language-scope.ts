import { invariant } from "@millwright/core/errors";
import { bigFloat } from "@millwright/value/number";
import { refine } from "@millwright/value/refine";
import type { Value } from "@millwright/value/value";
import { mark, unknownValue } from "@millwright/value/value";
import { evaluate } from "../src/evaluate.ts";
import { parseExpression } from "../src/parse.ts";
import type { Scope } from "../src/scope.ts";
import { sourceFile } from "../src/source-file.ts";
import { typeConstraint } from "../src/type-constraint.ts";
import { languageFunctions } from "./language-functions.ts";

/** A variable of a test scope as JSON says it: an expression, or an unknown value of a type; and marks. */
export interface VariableNote {
  readonly expression?: string;
  readonly unknown?: string;
  readonly notNull?: true;
  readonly prefix?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minimumLength?: number;
  readonly maximumLength?: number;
  readonly marks?: readonly string[];
}

/** The scope of test cases: variables as noted, and the functions of `language-functions.ts`. */
export function scopeOf(notes: Readonly<Record<string, VariableNote>>): Scope {
  const variables = Object.entries(notes).map(
    ([name, note]) => [name, mark(valueOf(note), ...(note.marks ?? []))] as const,
  );
  return { variables: new Map(variables), functions: languageFunctions };
}

function valueOf(note: VariableNote): Value {
  if (note.unknown === undefined) {
    invariant(note.expression !== undefined, "a variable has an expression or a type");
    const { value, diagnostics } = evaluate(expressionOf(note.expression), { functions: languageFunctions });
    invariant(diagnostics.length === 0, `the expression of a variable is right: ${note.expression}`);
    return value;
  }
  const { unknown, minimum, maximum, marks: _, expression: __, ...rest } = note;
  const bound = (limit: number | undefined) =>
    limit === undefined ? undefined : { value: bigFloat(limit), inclusive: true };
  const [least, most] = [bound(minimum), bound(maximum)];
  const { type } = typeConstraint(expressionOf(unknown)).value;
  return refine(unknownValue(type), { ...rest, ...(least && { minimum: least }), ...(most && { maximum: most }) });
}

function expressionOf(text: string) {
  return parseExpression(sourceFile("scope", text)).value;
}
