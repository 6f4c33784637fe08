import type { DraftOf, ValueOf } from "./shape.ts";
import { many, shape, text, whole } from "./shape.ts";

/** What a node must be: `lTarget` compared with `rTarget` by `operand`. A left side such as `${attr.cpu.arch}` is the node's. */
export const constraintShape = shape("Constraint", {
  lTarget: text("", { language: "attribute", api: "LTarget" }),
  rTarget: text("", { language: "value", api: "RTarget" }),
  operand: text("=", { language: "operator" }),
});
export type Constraint = ValueOf<typeof constraintShape>;
export type ConstraintDraft = DraftOf<typeof constraintShape>;

/** What a node should rather be (a positive weight) or not be (a negative one). */
export const affinityShape = shape("Affinity", {
  lTarget: text("", { language: "attribute", api: "LTarget" }),
  rTarget: text("", { language: "value", api: "RTarget" }),
  operand: text("=", { language: "operator" }),
  weight: whole(50),
});
export type Affinity = ValueOf<typeof affinityShape>;

const spreadTargetShape = shape("SpreadTarget", { value: text("", { language: null }), percent: whole() }, "value");

/** Over which values of an attribute allocations are spread, evenly or by percentage. */
export const spreadShape = shape("Spread", {
  attribute: text(),
  weight: whole(50),
  targets: many(spreadTargetShape, { language: "target", api: "SpreadTarget" }),
});
export type Spread = ValueOf<typeof spreadShape>;

/** Operators that a constraint block may have as an attribute of its own: `regexp = "…"` for `operator` and `value`. */
export const operandAttributes = [
  "version",
  "semver",
  "regexp",
  "set_contains",
  "set_contains_all",
  "set_contains_any",
  "distinct_property",
  "distinct_hosts",
] as const;

/** All operators, the short forms of comparing first. */
export const operands: ReadonlySet<string> = new Set([
  ...["=", "==", "is", "!=", "not", "<", "<=", ">", ">=", "is_set", "is_not_set"],
  ...operandAttributes,
]);
