import type { ScopeTraversal } from "./ast.ts";
import { stepText } from "./expression-values.ts";

/** A reference as it is written in the native syntax: `var.users["ann"].roles[0]`, legacy indexes in brackets. */
export function traversalText(traversal: ScopeTraversal): string {
  return traversal.root.name + traversal.steps.map(stepText).join("");
}
