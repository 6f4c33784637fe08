import { invariant } from "@millwright/core/errors";
import { applyPath, type Path, type PathStep, stepKey, steps } from "./path.ts";
import type { Mark, Marks, Value } from "./value.ts";
import { isMarkedDeep, unmarkDeep, withMarks } from "./value.ts";

/** Marks and where in a value they are. */
export interface PathMarks {
  readonly path: Path;
  readonly marks: Marks;
}

/** The value without any mark, and the marks with their places, the outer before the inner. */
export function unmarkDeepWithPaths(value: Value): readonly [Value, readonly PathMarks[]] {
  if (!isMarkedDeep(value)) return [value, []];
  const found: PathMarks[] = [];
  collect([], value, found);
  return [unmarkDeep(value)[0], found];
}

function collect(path: Path, value: Value, found: PathMarks[]): void {
  if (value.marks.size > 0) found.push({ path, marks: value.marks });
  for (const [step, inside] of steps(value)) {
    if (isMarkedDeep(inside)) collect([...path, step], inside, found);
  }
}

/**
 * The value with these marks added at these places. Places that the value has not are passed over; a place inside of a set
 * marks the whole set, as sets cannot hold marked elements.
 */
export function markWithPaths(value: Value, places: readonly PathMarks[]): Value {
  return places.length === 0 ? value : markInside(value, places, 0);
}

/** `places` all lead to this value with their first `depth` steps. */
function markInside(value: Value, places: readonly PathMarks[], depth: number): Value {
  const here: Mark[] = [];
  const deeper = new Map<string, PathMarks[]>();
  for (const place of places) {
    const step = place.path[depth];
    if (!step) here.push(...place.marks);
    else if (value.type.kind === "set") here.push(...(applyPath(value, place.path.slice(depth)) ? place.marks : []));
    else addTo(deeper, step, place);
  }
  return withMarks(deeper.size > 0 ? withInsides(value, deeper, depth + 1) : value, here);
}

function addTo(groups: Map<string, PathMarks[]>, step: PathStep, place: PathMarks): void {
  const key = stepKey(step);
  if (key === undefined) return;
  const group = groups.get(key);
  if (group) group.push(place);
  else groups.set(key, [place]);
}

function withInsides(value: Value, deeper: ReadonlyMap<string, readonly PathMarks[]>, depth: number): Value {
  const { type, data, marks } = value;
  const marked: Value[] = [];
  for (const [step, inside] of steps(value)) {
    const places = deeper.get(stepKey(step)!);
    marked.push(places ? markInside(inside, places, depth) : inside);
  }
  if (Array.isArray(data)) return { type, data: marked, marks };
  if (!(data instanceof Map)) return value;
  invariant(marked.length === data.size, "every entry has been gone through");
  const keys = (data as ReadonlyMap<string, Value>).keys();
  return { type, data: new Map(marked.map((inside) => [keys.next().value!, inside])), marks };
}
