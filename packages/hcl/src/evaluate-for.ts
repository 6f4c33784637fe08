import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import { friendlyName } from "@millwright/value/friendly";
import { elementsOf } from "@millwright/value/operations";
import { boolType, stringType } from "@millwright/value/types";
import type { Mark, Value } from "@millwright/value/value";
import {
  asBool,
  asString,
  dynamicValue,
  isKnown,
  objectValue,
  tupleValue,
  unmark,
  withMarks,
} from "@millwright/value/value";
import type { Expression, For } from "./ast.ts";
import type { Context } from "./context.ts";
import { failedSince, inScope, refuse } from "./context.ts";
import type { Lookup } from "./scope.ts";
import { childScope } from "./scope.ts";

/**
 * `[for … : value]` gives a tuple, `{for … : key => value}` an object; both are of unknown type while the collection, a
 * condition or a key is unknown. Marks of the collection, the conditions and the keys go to the whole.
 */
export function evaluateFor(expression: For, context: Context): Value {
  const collection = context.evaluate(expression.collection, context);
  const place = { subject: expression.collection, context: expression, expression: expression.collection };
  if (collection.data === null) {
    refuse(
      context,
      "Iteration over null value",
      "A null value cannot be used as the collection in a 'for' expression.",
      place,
    );
    return dynamicValue;
  }
  if (collection.type.kind === "dynamic") return dynamicValue;
  const [bare, collectionMarks] = unmark(collection);
  if (isScalar(bare)) {
    const detail = `A value of type ${friendlyName(bare.type)} cannot be used as the collection in a 'for' expression.`;
    refuse(context, "Iteration over non-iterable value", detail, place);
    return dynamicValue;
  }
  const rounds = new Rounds(expression, context, collectionMarks);
  if (!rounds.conditionIsPlausible()) return dynamicValue;
  if (!isKnown(bare)) return withMarks(dynamicValue, rounds.marks);
  return expression.key ? objectOf(expression.key, bare, rounds) : tupleOf(bare, rounds);
}

function isScalar({ type: { kind } }: Value): boolean {
  return kind === "string" || kind === "number" || kind === "bool" || kind === "capsule";
}

function tupleOf(collection: Value, rounds: Rounds): Value {
  const results: Value[] = [];
  for (const [key, value] of elementsOf(collection)) {
    const round = rounds.enter(key, value);
    if (rounds.includes(round)) results.push(round.evaluate(rounds.expression.value, round));
  }
  return withMarks(rounds.known ? tupleValue(results) : dynamicValue, rounds.marks);
}

function objectOf(keyExpression: Expression, collection: Value, rounds: Rounds): Value {
  const { expression } = rounds;
  const results = new Map<string, Value[]>();
  for (const [key, value] of elementsOf(collection)) {
    const round = rounds.enter(key, value);
    if (!rounds.includes(round)) continue;
    const name = rounds.keyOf(keyExpression, round);
    if (name === undefined) continue;
    const result = round.evaluate(expression.value, round);
    const sameKey = results.get(name);
    if (!sameKey) results.set(name, [result]);
    else if (expression.group) sameKey.push(result);
    else rounds.refuseDuplicate(name, keyExpression, round);
  }
  if (!rounds.known) return withMarks(dynamicValue, rounds.marks);
  const attributes = [...results].map(
    ([name, values]) => [name, expression.group ? tupleValue(values) : values[0]!] as const,
  );
  return withMarks(objectValue(attributes), rounds.marks);
}

/** What the rounds of one `for` have in common: marks that were met, and whether all that decides the result is known. */
class Rounds {
  readonly expression: For;
  readonly marks: Set<Mark>;
  known = true;
  readonly #outer: Context;

  constructor(expression: For, outer: Context, marks: Iterable<Mark>) {
    this.expression = expression;
    this.#outer = outer;
    this.marks = new Set(marks);
  }

  /** The context of one round. */
  enter(key: Value, value: Value): Context {
    const variables = new LoopVariables(this.expression.keyName, key, this.expression.valueName, value);
    return inScope(this.#outer, childScope(this.#outer.scope, variables));
  }

  /**
   * Tries the condition with nothing known of the variables: one that can never be a bool is refused once, and not in
   * every round.
   */
  conditionIsPlausible(): boolean {
    const { condition } = this.expression;
    if (!condition) return true;
    const before = this.#outer.diagnostics.length;
    const round = this.enter(dynamicValue, dynamicValue);
    const value = round.evaluate(condition, round);
    if (value.data === null) {
      this.#refuse(condition, "Condition is null", "The value of the 'if' clause must not be null.", this.#outer);
      return false;
    }
    const converted = convert(value, boolType);
    if (!converted.ok) {
      this.#refuse(
        condition,
        "Invalid 'for' condition",
        `The 'if' clause value is invalid: ${converted.message}.`,
        this.#outer,
      );
      return false;
    }
    for (const mark of value.marks) this.marks.add(mark);
    return !failedSince(this.#outer, before);
  }

  /** Whether the condition holds in this round; one that is unknown or no bool makes the whole unknown. */
  includes(round: Context): boolean {
    const { condition } = this.expression;
    if (!condition) return true;
    const value = round.evaluate(condition, round);
    if (value.data === null) {
      return this.#give(condition, "Invalid 'for' condition", "The value of the 'if' clause must not be null.", round);
    }
    for (const mark of value.marks) this.marks.add(mark);
    if (!isKnown(value)) {
      this.known = false;
      return false;
    }
    const converted = convert(value, boolType);
    if (!converted.ok) {
      return this.#give(
        condition,
        "Invalid 'for' condition",
        `The 'if' clause value is invalid: ${converted.message}.`,
        round,
      );
    }
    return asBool(converted.value);
  }

  /** The key of this round; undefined where it is unknown or no key, which makes the whole unknown. */
  keyOf(expression: Expression, round: Context): string | undefined {
    const value = round.evaluate(expression, round);
    if (value.data === null) {
      this.#give(
        expression,
        "Invalid object key",
        "Key expression in 'for' expression must not produce a null value.",
        round,
      );
      return undefined;
    }
    for (const mark of value.marks) this.marks.add(mark);
    const converted = isKnown(value) ? convert(value, stringType) : undefined;
    if (converted?.ok) return asString(converted.value);
    if (converted) {
      this.#give(
        expression,
        "Invalid object key",
        `The key expression produced an invalid result: ${converted.message}.`,
        round,
      );
    }
    this.known = false;
    return undefined;
  }

  refuseDuplicate(name: string, key: Expression, round: Context): void {
    this.#refuse(
      key,
      "Duplicate object key",
      `Two different items produced the key ${quote(name)} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key.`,
      round,
    );
  }

  /** Gives the whole up; the first such fault is said, those after it are most often the same. */
  #give(subject: Expression, summary: string, detail: string, round: Context): false {
    if (this.known) this.#refuse(subject, summary, detail, round);
    this.known = false;
    return false;
  }

  #refuse(subject: Expression, summary: string, detail: string, round: Context): void {
    refuse(round, summary, detail, { subject, context: this.expression, expression: subject });
  }
}

/** The one or two variables of a round. */
class LoopVariables implements Lookup<Value> {
  readonly #keyName: string | undefined;
  readonly #key: Value;
  readonly #valueName: string;
  readonly #value: Value;

  constructor(keyName: string | undefined, key: Value, valueName: string, value: Value) {
    this.#keyName = keyName;
    this.#key = key;
    this.#valueName = valueName;
    this.#value = value;
  }

  get(name: string): Value | undefined {
    if (name === this.#valueName) return this.#value;
    return name === this.#keyName ? this.#key : undefined;
  }

  keys(): Iterable<string> {
    return this.#keyName === undefined ? [this.#valueName] : [this.#keyName, this.#valueName];
  }
}
