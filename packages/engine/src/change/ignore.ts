import type { ScopeTraversal, TraversalStep } from "@millwright/hcl/ast";
import { convert } from "@millwright/value/convert";
import { sortedMap, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, asNumber, asString, isKnown, isNull } from "@millwright/value/value";
import type { IgnoreChanges } from "../configuration.ts";

/**
 * The object `wanted` with everything that `ignore_changes` names put back to what it was in `prior`. Both are objects of one
 * schema, without marks; `prior` is not null.
 */
export function ignoreChanges(ignore: IgnoreChanges, prior: Value, wanted: Value): Value {
  switch (ignore.kind) {
    case "none":
      return wanted;
    case "all":
      return isNull(wanted) || !isKnown(wanted) ? wanted : prior;
    case "some":
      return ignore.paths.reduce((value, path) => putBack(value, prior, stepsOf(path)), wanted);
  }
}

type Key = { readonly attribute: string } | { readonly index: Value };

function stepsOf(path: ScopeTraversal): Key[] {
  const keyOf = (step: TraversalStep): Key =>
    step.kind === "attribute" ? { attribute: step.name } : { index: step.key };
  return [{ attribute: path.root.name }, ...path.steps.map(keyOf)];
}

function putBack(wanted: Value, prior: Value | undefined, steps: readonly Key[]): Value {
  const [step, ...rest] = steps;
  if (!step) return prior ?? wanted;
  if (isNull(wanted) || !isKnown(wanted)) {
    // Nothing written here: only a prior value that is itself a map can still be put back, element by element.
    return wanted.type.kind === "map" && isNull(wanted) && prior?.data instanceof Map
      ? putBackEntry(emptyOf(wanted), prior, step, rest)
      : wanted;
  }
  if (wanted.data instanceof Map) return putBackEntry(wanted, prior, step, rest);
  if (
    !Array.isArray(wanted.data) ||
    wanted.type.kind === "set" ||
    !("index" in step) ||
    step.index.type.kind !== "number"
  )
    return wanted;
  const at = asNumber(step.index).toNumber();
  const before = prior && Array.isArray(prior.data) ? asArray(prior) : [];
  if (at >= wanted.data.length || at >= before.length) return wanted;
  const data = asArray(wanted).map((element, i) => (i === at ? putBack(element, before[i], rest) : element));
  return { type: wanted.type, data, marks: wanted.marks };
}

function putBackEntry(wanted: Value, prior: Value | undefined, step: Key, rest: readonly Key[]): Value {
  const key = nameOf(step);
  if (key === undefined) return wanted;
  const old = prior?.data instanceof Map ? asMap(prior).get(key) : undefined;
  const entries = new Map(asMap(wanted));
  const inner = entries.get(key);
  if (wanted.type.kind === "map" && rest.length === 0) {
    // A map's element may be there on one side only: it comes back, or goes again.
    if (old) entries.set(key, old);
    else entries.delete(key);
    if (entries.size === 0 && prior && isNull(prior)) return prior;
    return { type: wanted.type, data: sortedMap(entries), marks: wanted.marks };
  }
  if (!inner) return wanted;
  entries.set(key, putBack(inner, old, rest));
  return { type: wanted.type, data: entries, marks: wanted.marks };
}

function emptyOf(map: Value): Value {
  return { type: map.type, data: new Map(), marks: map.marks };
}

function nameOf(step: Key): string | undefined {
  if ("attribute" in step) return step.attribute;
  const text = convert(step.index, stringType);
  return text.ok && !isNull(text.value) ? asString(text.value) : undefined;
}
