import type { SourceRange } from "@millwright/core/source";
import type { Expression } from "@millwright/hcl/ast";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import type { Local, Module, Variable } from "../configuration.ts";

/**
 * The instances of templates that a folder lists, read and checked as far as that needs neither values nor the templates.
 * An instance has inputs and a state of its own; several may be made from one template.
 */
export interface InstanceList {
  /** In the order of their files. */
  readonly instances: ReadonlyMap<string, ListedInstance>;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly locals: ReadonlyMap<string, Local>;
  /** Functions that only this list's expressions know (those of a TypeScript file). */
  readonly functions?: Lookup<FunctionSpec>;
  /** Variables and locals as a module has them, for what collects the values of variables. */
  readonly module: Module;
}

export interface ListedInstance {
  readonly name: string;
  /** The folder of the template, relative to the list's own, cleaned: `network`, `../shared/app`. */
  readonly template: string;
  readonly templateRange: SourceRange;
  readonly inputs: ReadonlyMap<string, InstanceInput>;
  /** Names of the instances that this one refers to or names in `depends_on`. */
  readonly dependencies: ReadonlySet<string>;
  /** The header, for diagnostics. */
  readonly range: SourceRange;
}

export interface InstanceInput {
  readonly expression: Expression;
  /** The input's name, as it is written. */
  readonly nameRange: SourceRange;
}

/** Whether a file lists instances: `instances.ts`, `prod.instances.ts`, and the same in HCL. */
export function isInstanceListName(name: string): boolean {
  return /^([^.].*\.)?instances\.(ts|hcl)$/.test(name);
}
