import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import { convert } from "@millwright/value/convert";
import { rawEquals } from "@millwright/value/operations";
import { formatPath, type Path } from "@millwright/value/path";
import { typeEquals } from "@millwright/value/types";
import { Unknown } from "@millwright/value/unknown";
import type { Value } from "@millwright/value/value";
import {
  asArray,
  asMap,
  asNumber,
  asString,
  isKnown,
  isNull,
  isWhollyKnown,
  numberValue,
  stringValue,
} from "@millwright/value/value";
import { nestedAsBlock } from "./proposed.ts";

/** One way in which a provider broke its word. */
export interface Disagreement {
  readonly path: Path;
  readonly problem: string;
}

/** `.path: problem`, for a diagnostic's detail. */
export function disagreementText({ path, problem }: Disagreement): string {
  return path.length === 0 ? problem : `${formatPath(path)}: ${problem}`;
}

/**
 * Where a planned object goes against the rules of planning: what the configuration sets must stay as set (or as it was,
 * where the provider sees no difference); only computed attributes that it leaves out may be invented.
 */
export function planDisagreements(schema: BlockSchema, prior: Value, config: Value, planned: Value): Disagreement[] {
  const found: Disagreement[] = [];
  planBlock(schema, prior, config, planned, [], found);
  return found;
}

function planBlock(
  schema: BlockSchema,
  prior: Value,
  config: Value,
  planned: Value,
  path: Path,
  found: Disagreement[],
): void {
  if (isNull(planned) && !isNull(config)) {
    found.push({ path, problem: "planned for absence, but the configuration wants it to exist" });
    return;
  }
  if (!isNull(planned) && isNull(config)) {
    found.push({ path, problem: "planned for existence, but the configuration wants it to be absent" });
    return;
  }
  if (isNull(planned)) return;
  if (!isKnown(planned)) {
    if (isKnown(config))
      found.push({ path, problem: "an unknown object planned for one that the configuration knows" });
    return;
  }
  if (!isKnown(config)) return;
  const before = prior.data instanceof Map ? asMap(prior) : undefined;
  for (const [name, attribute] of schema.attributes) {
    const plannedValue = asMap(planned).get(name)!;
    planAttribute(attribute, before?.get(name), asMap(config).get(name)!, plannedValue, step(path, name), found);
  }
  for (const [name, block] of schema.blocks) {
    const plannedValue = asMap(planned).get(name)!;
    planNested(
      block.block,
      block.nesting,
      before?.get(name),
      asMap(config).get(name)!,
      plannedValue,
      step(path, name),
      found,
    );
  }
}

function planAttribute(
  schema: AttributeSchema,
  prior: Value | undefined,
  config: Value,
  planned: Value,
  path: Path,
  found: Disagreement[],
): void {
  if (schema.writeOnly) {
    if (!isNull(planned)) found.push({ path, problem: "a write-only attribute must be planned as null" });
    return;
  }
  if (rawEquals(planned, config)) return;
  // A provider that finds the configured value to mean the same as before may keep the one from before.
  if (prior && !isNull(config) && !isNull(prior) && rawEquals(planned, prior)) return;
  if (schema.computed && (!schema.optional || isNull(config) || !isKnown(config))) return;
  if (schema.nested && isKnown(config)) {
    planNested(nestedAsBlock(schema.nested), schema.nested.nesting, prior, config, planned, path, found);
    return;
  }
  if (isNull(config)) found.push({ path, problem: "a value planned for an attribute that is not computed" });
  else found.push({ path, problem: "the planned value matches neither the configured nor the prior one" });
}

function planNested(
  block: BlockSchema,
  nesting: NestedBlockSchema["nesting"],
  prior: Value | undefined,
  config: Value,
  planned: Value,
  path: Path,
  found: Disagreement[],
): void {
  if (!isKnown(config) || rawEquals(config, planned)) return;
  if (nesting === "single" || nesting === "group") {
    planBlock(block, prior ?? config, config, planned, path, found);
    return;
  }
  if (isNull(planned) || isNull(config) || !isKnown(planned)) {
    if (isNull(planned) !== isNull(config) || !isKnown(planned)) {
      found.push({ path, problem: "the planned collection does not match the configured one" });
    }
    return;
  }
  const pairs = pairUp(nesting, config, planned, prior);
  if (!pairs) {
    found.push({ path, problem: "the planned number of elements differs from the configured one" });
    return;
  }
  // Elements of a set cannot be told apart by place: their number is all that can be held.
  if (nesting === "set") return;
  for (const { key, wanted, got, old } of pairs)
    planBlock(block, old ?? wanted, wanted, got, [...path, { index: key }], found);
}

interface Pair {
  readonly key: Value;
  readonly wanted: Value;
  readonly got: Value;
  readonly old: Value | undefined;
}

function pairUp(
  nesting: NestedBlockSchema["nesting"],
  wanted: Value,
  got: Value,
  old: Value | undefined,
): Pair[] | undefined {
  if (nesting === "map" || wanted.data instanceof Map) {
    const a = asMap(wanted);
    const b = asMap(got);
    const before = old?.data instanceof Map ? asMap(old) : undefined;
    if (a.size !== b.size) return undefined;
    const pairs: Pair[] = [];
    for (const [key, value] of a) {
      const other = b.get(key);
      if (!other) return undefined;
      pairs.push({ key: stringValue(key), wanted: value, got: other, old: before?.get(key) });
    }
    return pairs;
  }
  const a = asArray(wanted);
  const b = asArray(got);
  const before = old && Array.isArray(old.data) ? asArray(old) : [];
  if (a.length !== b.length) return undefined;
  return a.map((value, i) => ({ key: numberValue(i), wanted: value, got: b[i]!, old: before[i] }));
}

/**
 * Where an object goes against what was promised of it: all that was known in `promised` must be the same, and what was
 * unknown must be within its refinements. Used for a final plan against the first one, and for a result against its plan.
 */
export function resultDisagreements(schema: BlockSchema, promised: Value, actual: Value): Disagreement[] {
  const found: Disagreement[] = [];
  resultBlock(schema, promised, actual, [], found);
  return found;
}

function resultBlock(schema: BlockSchema, promised: Value, actual: Value, path: Path, found: Disagreement[]): void {
  if (!isKnown(promised)) return;
  if (isNull(promised) !== isNull(actual)) {
    found.push({ path, problem: isNull(promised) ? "was absent, but now present" : "was present, but now absent" });
    return;
  }
  if (isNull(promised)) return;
  if (!isKnown(actual)) {
    found.push({ path, problem: "was known, but now unknown" });
    return;
  }
  for (const [name, attribute] of schema.attributes) {
    const a = asMap(promised).get(name)!;
    const b = asMap(actual).get(name)!;
    const at = step(path, name);
    if (attribute.sensitive) {
      const inside: Disagreement[] = [];
      resultValue(a, b, at, inside);
      if (inside.length > 0) found.push({ path: at, problem: "inconsistent values for sensitive attribute" });
    } else resultValue(a, b, at, found);
  }
  for (const [name, block] of schema.blocks) {
    resultNested(block, asMap(promised).get(name)!, asMap(actual).get(name)!, step(path, name), found);
  }
}

function resultNested(
  schema: NestedBlockSchema,
  promised: Value,
  actual: Value,
  path: Path,
  found: Disagreement[],
): void {
  if (schema.nesting === "single" || schema.nesting === "group") {
    resultBlock(schema.block, promised, actual, path, found);
    return;
  }
  if (!isKnown(promised)) return;
  if (isNull(promised) || isNull(actual) || !isKnown(actual)) {
    resultValue(promised, actual, path, found);
    return;
  }
  const pairs = pairUp(schema.nesting, promised, actual, undefined);
  if (schema.nesting === "set") {
    // An element with unknown parts may come out as one that is there already: there may be fewer, never more.
    const wanted = asArray(promised);
    const missing = wanted.filter((e) => isWhollyKnown(e) && !asArray(actual).some((other) => rawEquals(e, other)));
    if (missing.length > 0 || asArray(actual).length > wanted.length) {
      found.push({ path, problem: "the set does not hold the elements that were planned" });
    }
    return;
  }
  if (!pairs) {
    const size = (v: Value) => (v.data instanceof Map ? asMap(v).size : asArray(v).length);
    found.push({ path, problem: `block count changed from ${size(promised)} to ${size(actual)}` });
    return;
  }
  for (const { key, wanted, got } of pairs) resultBlock(schema.block, wanted, got, [...path, { index: key }], found);
}

function resultValue(promised: Value, actual: Value, path: Path, found: Disagreement[]): void {
  if (promised.data instanceof Unknown) {
    const problem = refinementProblem(promised, actual);
    if (problem) found.push({ path, problem });
    return;
  }
  if (rawEquals(promised, actual)) return;
  if (isNull(promised) || isNull(actual)) {
    found.push({ path, problem: isNull(promised) ? "was null, but now has a value" : "was set, but now null" });
    return;
  }
  if (!isKnown(actual)) {
    found.push({ path, problem: "was known, but now unknown" });
    return;
  }
  if (promised.data instanceof Map && actual.data instanceof Map) {
    for (const [key, value] of asMap(promised)) {
      const other = asMap(actual).get(key);
      const at: Path = [...path, promised.type.kind === "object" ? { attribute: key } : { index: stringValue(key) }];
      if (!other) found.push({ path: at, problem: "element has vanished" });
      else resultValue(value, other, at, found);
    }
    for (const key of asMap(actual).keys()) {
      if (!asMap(promised).has(key)) found.push({ path, problem: `new element ${JSON.stringify(key)} has appeared` });
    }
    return;
  }
  if (Array.isArray(promised.data) && Array.isArray(actual.data)) {
    const a = asArray(promised);
    const b = asArray(actual);
    if (promised.type.kind === "set") {
      const missing = a.filter((e) => isWhollyKnown(e) && !b.some((other) => rawEquals(e, other)));
      if (missing.length > 0 || b.length > a.length) {
        found.push({ path, problem: "the set does not hold the elements that were planned" });
      }
      return;
    }
    for (let i = a.length; i < b.length; i++)
      found.push({ path: [...path, { index: numberValue(i) }], problem: "new element has appeared" });
    a.forEach((value, i) => {
      const at: Path = [...path, { index: numberValue(i) }];
      if (i < b.length) resultValue(value, b[i]!, at, found);
      else found.push({ path: at, problem: "element has vanished" });
    });
    return;
  }
  found.push({ path, problem: "the value differs from the planned one" });
}

function refinementProblem(promised: Value, actual: Value): string | undefined {
  if (
    promised.type.kind !== "dynamic" &&
    !typeEquals(promised.type, actual.type) &&
    !convert(actual, promised.type).ok
  ) {
    return "the value is not of the planned type";
  }
  const refinements = (promised.data as Unknown).refinements;
  if (!refinements || !isKnown(actual)) return undefined;
  if (isNull(actual)) return refinements.notNull ? "was planned to be not null, but is null" : undefined;
  if (
    refinements.prefix !== undefined &&
    actual.type.kind === "string" &&
    !asString(actual).startsWith(refinements.prefix)
  ) {
    return "the value does not begin as planned";
  }
  if (actual.type.kind === "number") {
    const number = asNumber(actual);
    const low = refinements.minimum;
    const high = refinements.maximum;
    if (low && (number.compare(low.value) < 0 || (!low.inclusive && number.compare(low.value) === 0)))
      return "the number is below its planned bound";
    if (high && (number.compare(high.value) > 0 || (!high.inclusive && number.compare(high.value) === 0)))
      return "the number is above its planned bound";
  }
  const size = Array.isArray(actual.data)
    ? actual.data.length
    : actual.data instanceof Map
      ? actual.data.size
      : undefined;
  if (size !== undefined) {
    if (refinements.minimumLength !== undefined && size < refinements.minimumLength)
      return "there are fewer elements than planned";
    if (refinements.maximumLength !== undefined && size > refinements.maximumLength)
      return "there are more elements than planned";
  }
  return undefined;
}

function step(path: Path, attribute: string): Path {
  return [...path, { attribute }];
}
