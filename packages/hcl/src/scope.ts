import type { Value } from "@millwright/value/value";
import type { SplatItem } from "./ast.ts";
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
  readonly parent?: Scope | undefined;
  /** The element that a splat is at; made by its evaluation only. */
  readonly element?: { readonly of: SplatItem; readonly value: Value };
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

/** A scope inside `parent`, if there is one, with further variables. */
export function childScope(parent: Scope | undefined, variables: Lookup<Value>): Scope {
  return { variables, parent };
}

/** The variable of that name in the innermost scope that has it. */
export function variableIn(scope: Scope | undefined, name: string): Value | undefined {
  for (let at = scope; at; at = at.parent) {
    const value = at.variables?.get(name);
    if (value) return value;
  }
  return undefined;
}

/** The function of that name in the innermost scope that has it. */
export function functionIn(scope: Scope | undefined, name: string): FunctionSpec | undefined {
  for (let at = scope; at; at = at.parent) {
    const spec = at.functions?.get(name);
    if (spec) return spec;
  }
  return undefined;
}

/** All names that some scope of the chain has; undefined where none says anything of them. */
export function namesIn(scope: Scope | undefined, what: "variables" | "functions"): readonly string[] | undefined {
  let names: string[] | undefined;
  for (let at = scope; at; at = at.parent) {
    const lookup = at[what];
    if (!lookup) continue;
    names ??= [];
    names.push(...lookup.keys());
  }
  return names;
}
