import { BigFloat } from "@millwright/value/number";
import type { Path } from "@millwright/value/path";
import { type Value, asArray, asMap, numberValue, stringValue } from "@millwright/value/value";

/**
 * Where a value has a number that is infinite, as a division by zero gives one; undefined where it has none. JSON knows no
 * such number, so that neither a state nor a plan can keep it.
 */
export function infiniteAt(value: Value): Path | undefined {
  const { data, type } = value;
  if (data instanceof BigFloat) return data.isFinite ? undefined : [];
  if (data instanceof Map) {
    for (const [name, inner] of asMap(value)) {
      const rest = infiniteAt(inner);
      if (rest) return [type.kind === "object" ? { attribute: name } : { index: stringValue(name) }, ...rest];
    }
  }
  if (!Array.isArray(data)) return undefined;
  for (const [at, inner] of asArray(value).entries()) {
    const rest = infiniteAt(inner);
    if (rest) return [{ index: numberValue(at) }, ...rest];
  }
  return undefined;
}
