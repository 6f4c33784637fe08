import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asMap, isKnown, isNull, isWhollyKnown } from "@millwright/value/value";
import { toPlain } from "./codec.ts";
import type { Attribute, Block, Fields, FieldType } from "./fields.ts";
import type { Problem, ProblemPlace } from "./problem.ts";
import { problem, warning } from "./problem.ts";
import { fieldsInside } from "./schema-of-fields.ts";

/**
 * What each field alone has to say of a configuration: its `check`, its deprecation, nulls inside collections. Values that
 * are not known yet are passed over. (Missing attributes and wrong types are found before, by the schema.)
 */
export function checkConfig(fields: Fields, config: Value, at: ProblemPlace = []): readonly Problem[] {
  if (!isKnown(config) || isNull(config)) return [];
  const problems: Problem[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const value = asMap(config).get(name);
    if (!value || isNull(value)) continue;
    const place = [...at, name];
    problems.push(
      ...(field.kind === "attribute" ? checkAttribute(field, value, place) : checkDeprecatedBlock(field, value, place)),
    );
    const inner = fieldsInside(field);
    if (inner)
      for (const [step, object] of objectsIn(value)) problems.push(...checkConfig(inner, object, [...place, ...step]));
  }
  return problems;
}

function checkAttribute({ type, options }: Attribute, value: Value, at: ProblemPlace): readonly Problem[] {
  const problems: Problem[] = [];
  if (options.deprecated) {
    const instead = typeof options.deprecated === "string" ? options.deprecated : "It will go away in a later version.";
    problems.push(warning("Argument is deprecated", instead, at));
  }
  if (type.nested || !isKnown(value)) return problems;
  const nulls = nullsInside(type, value, at);
  problems.push(...nulls);
  if (nulls.length > 0 || !options.check || !isWhollyKnown(value)) return problems;
  const wrong = options.check(toPlain(value, type.type) as never);
  if (wrong !== undefined) problems.push(problem("Invalid attribute value", wrong, at));
  return problems;
}

function checkDeprecatedBlock({ options }: Block, value: Value, at: ProblemPlace): readonly Problem[] {
  if (!options.deprecated || !isKnown(value) || [...objectsIn(value)].length === 0) return [];
  return [warning("Block is deprecated", "It will go away in a later version.", at)];
}

function nullsInside(type: FieldType, value: Value, at: ProblemPlace): readonly Problem[] {
  const { element } = type;
  if (!element || element.nullable || !isKnown(value) || isNull(value)) return [];
  const steps: [string | number, Value][] =
    value.data instanceof Map ? [...asMap(value)] : [...(value.data as readonly Value[]).entries()];
  return steps.flatMap(([step, inner]) => {
    const place = [...at, step];
    if (isNull(inner))
      return [
        problem(
          "Null value in a collection",
          `An element here must be ${article(element.type)}, not null. Leave it out instead.`,
          place,
        ),
      ];
    return nullsInside(element, inner, place);
  });
}

function article(type: Type): string {
  return type.kind === "object" ? "an object" : `a ${type.kind}`;
}

/** The objects of nested blocks or of a nested attribute, with the step that leads to each (none for a single one). */
function objectsIn(value: Value): Iterable<readonly [readonly (string | number)[], Value]> {
  if (!isKnown(value) || isNull(value)) return [];
  if (Array.isArray(value.data)) return (value.data as readonly Value[]).map((v, i) => [[i], v] as const);
  if (value.type.kind === "map") return [...asMap(value)].map(([key, v]) => [[key], v] as const);
  return [[[], value]];
}
