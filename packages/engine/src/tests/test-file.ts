import type { SourceRange } from "@millwright/core/source";
import type { Expression, ScopeTraversal } from "@millwright/hcl/ast";
import type { Value } from "@millwright/value/value";
import type { CheckRule, ProviderBlock, ProviderReference } from "../configuration.ts";
import type { PlanMode } from "../plan/plan.ts";
import type { ParsedAddress } from "../parse-address.ts";

/** One `.tftest.hcl` file, as it is written: runs in their order, and what holds for all of them. */
export interface TestFile {
  /** Relative to the folder under test. */
  readonly path: string;
  readonly runs: readonly TestRun[];
  readonly variables: ReadonlyMap<string, Expression>;
  /** Provider and mock_provider blocks by local name, or `name.alias`. */
  readonly providers: ReadonlyMap<string, TestProvider>;
  readonly overrides: readonly Override[];
  /** Whether its runs may go on side by side unless they say otherwise (`test { parallel = true }`). */
  readonly parallel: boolean;
}

export type TestProvider =
  | { readonly kind: "real"; readonly block: ProviderBlock }
  | { readonly kind: "mock"; readonly mock: MockProvider };

/** A `mock_provider` block: it has its provider's schema, and makes up what that would compute. */
export interface MockProvider {
  readonly localName: string;
  readonly alias?: string;
  /** Makes instances of it, as that of a provider block does. */
  readonly forEach?: Expression;
  readonly resources: ReadonlyMap<string, MockDefaults>;
  readonly dataSources: ReadonlyMap<string, MockDefaults>;
  readonly overrides: readonly Override[];
  readonly duringPlan: boolean;
  readonly range: SourceRange;
}

/** What a mocked type has in place of values that are made up. */
export interface MockDefaults {
  readonly values: Value;
  /** Whether they are known while planning; undefined for what the provider block says. */
  readonly duringPlan: boolean | undefined;
  readonly range: SourceRange;
}

/** An `override_resource`, `override_data` or `override_module` block. */
export interface Override {
  readonly kind: "resource" | "data" | "module";
  readonly target: ParsedAddress;
  readonly targetRange: SourceRange;
  /** An object: attributes of the resource, or outputs of the module. */
  readonly values: Value;
  readonly duringPlan: boolean | undefined;
  readonly range: SourceRange;
}

export interface TestRun {
  readonly name: string;
  readonly command: "plan" | "apply";
  readonly variables: ReadonlyMap<string, Expression>;
  /** Another configuration than the folder's. */
  readonly module?: { readonly source: string; readonly version?: string; readonly range: SourceRange };
  /** Name in the configuration under test to name in the file; empty for all of the file's as they are called. */
  readonly providers: ReadonlyMap<string, ProviderReference>;
  readonly options: TestPlanOptions;
  readonly asserts: readonly CheckRule[];
  readonly expectFailures: readonly ScopeTraversal[];
  readonly overrides: readonly Override[];
  /** Which of the file's states it works on; by default each module has its own. */
  readonly stateKey?: string;
  readonly parallel: boolean;
  readonly range: SourceRange;
}

export interface TestPlanOptions {
  readonly mode: PlanMode;
  readonly refresh: boolean;
  readonly targets: readonly string[];
  readonly replace: readonly string[];
}
