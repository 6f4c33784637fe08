import type { SourceRange } from "@millwright/core/source";
import type { Body, Expression, ScopeTraversal } from "@millwright/hcl/ast";
import type { Lookup } from "@millwright/hcl/scope";
import type { FunctionSpec } from "@millwright/hcl/function-spec";
import type { Defaults } from "@millwright/hcl/type-defaults";
import type { Type } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import type { ProvisionerBlock } from "./provision/blocks.ts";
import type { ProviderSource, ResourceAddress } from "./addresses.ts";
import type { ImportBlock, MovedBlock, RemovedBlock } from "./refactor/blocks.ts";

/** A folder and the modules it calls, read and checked as far as that needs no values. */
export interface Configuration {
  readonly root: Module;
  /** Every module by its static path (`""` is the root). */
  readonly modules: ReadonlyMap<string, Module>;
}

/** One folder's worth of declarations, from `.tf`, `.tf.json` and further sources (TypeScript stacks). */
export interface Module {
  /** `""` for the root, else `module.a.module.b`. */
  readonly path: string;
  /** The names along `path`. */
  readonly names: readonly string[];
  /** What `path.module` gives: relative to the folder the command runs in, `.` for the root. */
  readonly folder: string;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly locals: ReadonlyMap<string, Local>;
  readonly outputs: ReadonlyMap<string, Output>;
  /** By `resourceText` of its address. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly calls: ReadonlyMap<string, ModuleCall>;
  /** Provider blocks by local name, or `name.alias`. */
  readonly providers: ReadonlyMap<string, ProviderBlock>;
  readonly requiredProviders: ReadonlyMap<string, ProviderRequirement>;
  readonly providerMeta: readonly ProviderMetaBlock[];
  readonly requiredVersions: readonly { readonly constraint: string; readonly range: SourceRange }[];
  readonly backend?: BackendBlock;
  readonly encryption?: EncryptionBlock;
  readonly checks: ReadonlyMap<string, CheckBlock>;
  readonly moved: readonly MovedBlock[];
  readonly removed: readonly RemovedBlock[];
  readonly imports: readonly ImportBlock[];
  /** Functions that only this module's expressions know (those of a TypeScript stack). */
  readonly functions?: Lookup<FunctionSpec>;
  /** `.tofu` files get OpenTofu's functions where the two disagree; decided by file. */
  readonly range: SourceRange;
}

export interface Variable {
  readonly name: string;
  readonly type: Type;
  /** Defaults inside an object type's `optional()`. */
  readonly typeDefaults: Defaults | undefined;
  /** Whether a type was written: text on the command line is read as an expression for any but string. */
  readonly typeGiven: boolean;
  readonly default?: Expression;
  readonly description?: string;
  readonly sensitive: boolean;
  readonly ephemeral: boolean;
  readonly nullable: boolean;
  /** Whether it may be used where a value is needed before a plan is made (OpenTofu's `const`); undefined where not said. */
  readonly const?: boolean;
  /** Why it should not be set any more, to be told to whoever sets it. */
  readonly deprecated?: string;
  readonly validations: readonly CheckRule[];
  readonly range: SourceRange;
}

/** `condition` and `error_message` of a validation, precondition, postcondition or assert block. */
export interface CheckRule {
  readonly condition: Expression;
  readonly errorMessage: Expression;
  readonly range: SourceRange;
}

/** Assertions about what is there: one that does not hold is a warning, and keeps nothing from being done. */
export interface CheckBlock {
  readonly name: string;
  /** The data source that only this block's assertions see. */
  readonly data?: ResourceAddress;
  readonly asserts: readonly CheckRule[];
  readonly range: SourceRange;
}

export interface Local {
  readonly name: string;
  readonly expression: Expression;
  readonly range: SourceRange;
}

export interface Output {
  readonly name: string;
  readonly value: Expression;
  readonly description?: string;
  readonly sensitive: boolean;
  readonly ephemeral: boolean;
  /** What to use instead, to be told to whoever uses it. */
  readonly deprecated?: string;
  readonly dependsOn: readonly ScopeTraversal[];
  readonly preconditions: readonly CheckRule[];
  readonly range: SourceRange;
}

export interface Resource {
  readonly address: ResourceAddress;
  readonly repetition: Repetition;
  /** The `provider` argument: local name and alias. Without one the local name is the type's first word. */
  readonly provider?: ProviderReference;
  readonly dependsOn: readonly ScopeTraversal[];
  readonly lifecycle: Lifecycle;
  /** The check block that a data source is nested in: what is wrong with it is a warning. */
  readonly check?: string;
  /** What is run once an object was made, or before it goes; none where there are none. */
  readonly provisioners?: readonly ProvisionerBlock[];
  /** What is left for the provider's schema. */
  readonly body: Body;
  /** The block's header, for diagnostics. */
  readonly range: SourceRange;
  /** Where the header has the type. */
  readonly typeRange: SourceRange;
}

/** Whether and how something stands for several instances. */
export type Repetition =
  | { readonly kind: "single" }
  /** There or not: `enabled` of a lifecycle block. */
  | { readonly kind: "enabled"; readonly expression: Expression }
  | { readonly kind: "count"; readonly expression: Expression }
  | { readonly kind: "forEach"; readonly expression: Expression };

export interface ProviderReference {
  readonly localName: string;
  readonly alias?: string;
  /** Which instance of a configuration that has `for_each`. */
  readonly key?: Expression;
  readonly range: SourceRange;
}

export interface Lifecycle {
  readonly createBeforeDestroy: boolean;
  /** Evaluated with the values of its module, known while planning. */
  readonly preventDestroy?: Expression;
  /** Whether an object that has to go is destroyed, or only forgotten. */
  readonly destroy: boolean;
  readonly ignoreChanges: IgnoreChanges;
  readonly replaceTriggeredBy: readonly Expression[];
  readonly preconditions: readonly CheckRule[];
  readonly postconditions: readonly CheckRule[];
}

export type IgnoreChanges =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  | { readonly kind: "some"; readonly paths: readonly ScopeTraversal[] };

export interface ModuleCall {
  readonly name: string;
  /** Empty where it could not be told, which was reported. */
  readonly source: string;
  /** As written; they may use variables and locals, whose values make `source` and `version`. */
  readonly sourceExpression?: Expression;
  readonly versionExpression?: Expression;
  readonly sourceRange: SourceRange;
  readonly version?: string;
  readonly repetition: Repetition;
  readonly dependsOn: readonly ScopeTraversal[];
  /** Child's provider name (`name` or `name.alias`) to the caller's. */
  readonly providers: ReadonlyMap<string, ProviderReference>;
  /** Input variables of the child. */
  readonly inputs: ReadonlyMap<string, Expression>;
  /** The block's header, for diagnostics. */
  readonly range: SourceRange;
  readonly body: Body;
}

export interface ProviderBlock {
  readonly localName: string;
  readonly alias?: string;
  readonly forEach?: Expression;
  /** What `forEach` came to: `each.value` by key. Set where the keys could be told. */
  readonly instances?: ReadonlyMap<string, Value>;
  readonly body: Body;
  readonly range: SourceRange;
}

/** What a module tells a provider of itself: `provider_meta "name" { … }`. */
export interface ProviderMetaBlock {
  readonly localName: string;
  readonly body: Body;
  readonly range: SourceRange;
}

export interface ProviderRequirement {
  readonly localName: string;
  readonly source: ProviderSource;
  readonly versions: readonly string[];
  /** Where the versions are written, if any are. */
  readonly versionRange?: SourceRange;
  /** Local `name.alias` that the caller must hand in. */
  readonly configurationAliases: readonly ProviderReference[];
  readonly range: SourceRange;
}

export interface BackendBlock {
  readonly type: string;
  readonly body: Body;
  readonly range: SourceRange;
}

/** How states and plans are to be encrypted: OpenTofu's block, in its own words. */
export interface EncryptionBlock {
  readonly body: Body;
  readonly range: SourceRange;
}

/** The static path of the module that `caller` calls by `name`. */
export function childPath(caller: Module, name: string): string {
  return caller.path === "" ? `module.${name}` : `${caller.path}.module.${name}`;
}
