import type { Value } from "@millwright/value/value";
import type { FunctionSpec } from "./function-spec.ts";

/**
 * What an expression may refer to: root variables and functions by name, innermost scope first. Immutable; a `for` or a
 * function with closures makes a child.
 *
 * A scope without `variables` says nothing of them; where no scope of the chain has any, variables are not allowed. The same
 * holds for `functions`.
 */
export interface Scope {
  readonly variables?: Lookup<Value>;
  readonly functions?: Lookup<FunctionSpec>;
  readonly parent?: Scope;
}

/**
 * Names and what they stand for; any `ReadonlyMap<string, T>` is one. A host with many root objects makes its own, which
 * builds a value when first asked for it. `keys` serves suggestions in diagnostics only.
 */
export interface Lookup<T> {
  get(name: string): T | undefined;
  keys(): Iterable<string>;
}

/** A scope without variables and functions: only constant expressions are allowed in it. */
export const emptyScope: Scope = {};

/** A scope inside `parent` with further variables. */
export function childScope(parent: Scope, variables: Lookup<Value>): Scope {
  return { variables, parent };
}
