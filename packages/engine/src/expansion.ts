import type { Value } from "@millwright/value/value";
import { compareInstanceKeys, type InstanceKey } from "./addresses.ts";

/** How something repeated came out: the keys of its instances, and for `for_each` the value of each. */
export type Expansion =
  | { readonly kind: "single" }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "forEach"; readonly values: ReadonlyMap<string, Value> }
  /** None, as `enabled` is false: what refers to it sees null. */
  | { readonly kind: "disabled" }
  /** The number of instances is not known (only while validating, or below something that failed). */
  | { readonly kind: "unknown" };

/** The keys of an expansion in order; none where it is unknown. */
export function expansionKeys(expansion: Expansion): InstanceKey[] {
  switch (expansion.kind) {
    case "single":
      return [undefined];
    case "count":
      return Array.from({ length: expansion.count }, (_, i) => i);
    case "forEach":
      return [...expansion.values.keys()].sort(compareInstanceKeys);
    case "disabled":
    case "unknown":
      return [];
  }
}
