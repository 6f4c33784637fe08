/** A filter as a tree. Never changed. */
export type Expression =
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "not"; readonly operand: Expression }
  | Match
  | {
      readonly kind: "any" | "all";
      readonly selector: Selector;
      readonly binding: Binding;
      readonly inner: Expression;
    };

/** `negated` turns the answer round: `!=`, `not in`, `is not empty`, `not matches`. */
export type Match =
  | {
      readonly kind: "equals" | "contains" | "matches";
      readonly negated: boolean;
      readonly selector: Selector;
      readonly value: string;
    }
  | { readonly kind: "is-empty"; readonly negated: boolean; readonly selector: Selector };

/** The way to a value: `Service.Meta["k"]` and `"/Service/Meta/k"` are both `Service`, `Meta`, `k`. */
export type Selector = readonly string[];

/** What the items of a collection are called within the braces. */
export type Binding =
  /** The item of a list, the key of a map. */
  | { readonly kind: "one"; readonly name: string }
  /** The place or key, and the item; a name that is `_` is not needed. */
  | { readonly kind: "two"; readonly index: string | undefined; readonly value: string | undefined };
