import type { Diagnostic } from "@millwright/core/diagnostics";
import type { PlanNote } from "@millwright/provider/plan-note";
import type { Path } from "@millwright/value/path";
import type { Value } from "@millwright/value/value";
import type { InstanceAddress, ModuleInstance, ProviderConfigAddress, ResourceAddress } from "../addresses.ts";
import type { Evaluator } from "../evaluator.ts";
import type { RelevantAttribute } from "../explain/relevant.ts";
import type { Expansion } from "../expansion.ts";
import type { State } from "../state.ts";

/** What a run is for: to bring all to what is configured, to remove all, or only to take over what has changed outside. */
export type PlanMode = "normal" | "destroy" | "refresh-only";

/**
 * What a run will do, decided before anything moves. Everything an apply needs is in it, but the configuration's files,
 * which a saved plan carries beside it.
 */
export interface Plan {
  readonly mode: PlanMode;
  /** Values of the root module's variables as they were given; defaults and ephemeral variables are not among them. */
  readonly variables: ReadonlyMap<string, Value>;
  /** Names of ephemeral variables that were given: an apply needs their values anew. */
  readonly ephemeralVariables: readonly string[];
  /** Every instance that was looked at, unchanged ones too, in the order of addresses. */
  readonly changes: readonly InstanceChange[];
  /** What was found to differ from the state before anything was planned. */
  readonly drift: readonly InstanceChange[];
  /** What could not be planned yet, and is left to a later plan. */
  readonly deferrals: readonly Deferral[];
  readonly outputs: ReadonlyMap<string, OutputChange>;
  /** The parts of resources that changes take values from. */
  readonly relevant: readonly RelevantAttribute[];
  /** Where the values of root variables were given, in words; those that have their defaults are not among them. */
  readonly variablesFrom?: ReadonlyMap<string, string>;
  /** The state that was read, and the same after the refresh. */
  readonly previousState: State;
  readonly priorState: State;
  readonly lineage: string;
  readonly serial: number;
  /** How modules and resources are repeated, by whole address without their own key: apply does not ask again. */
  readonly expansions: PlannedExpansions;
  /** Whether objects were read again before they were planned. */
  readonly refreshed: boolean;
  readonly targets: readonly string[];
  /** What was left out, where something was. */
  readonly excludes?: readonly string[];
  readonly forceReplace: readonly string[];
  /** When the plan was made (RFC 3339, UTC): what `plantimestamp()` gives at apply too. */
  readonly timestamp: string;
  /** Whether planning ended with errors: such a plan is for looking at only. */
  readonly errored: boolean;
  readonly checks: readonly CheckResult[];
  /** Addresses of interrupted creates of earlier runs that this plan has settled. */
  readonly settled: readonly string[];
  /** Addresses of objects that were not read again: nothing of their type has changed, as their provider says. */
  readonly unread: readonly string[];
}

export interface PlannedExpansions {
  /** By `caller|name`, as the evaluator keys them. */
  readonly calls: ReadonlyMap<string, Expansion>;
  readonly resources: ReadonlyMap<
    string,
    { readonly module: ModuleInstance; readonly resource: ResourceAddress; readonly expansion: Expansion }
  >;
}

/** What is done with one object. `forget` takes it out of the state and leaves it where it is. */
export type Action =
  | "no-op"
  | "create"
  | "read"
  | "update"
  | "delete"
  | "delete-create"
  | "create-delete"
  | "forget-create"
  | "forget";

/** Why, where the action alone does not say. The words are those of Terraform's JSON plan. */
export type ActionReason =
  | "none"
  | "replace_because_tainted"
  | "replace_because_cannot_update"
  | "replace_by_request"
  | "replace_by_triggers"
  | "delete_because_no_resource_config"
  | "delete_because_wrong_repetition"
  | "delete_because_count_index"
  | "delete_because_each_key"
  | "delete_because_no_module"
  | "delete_because_no_move_target"
  | "delete_because_enabled_false"
  | "read_because_config_unknown"
  | "read_because_dependency_pending"
  | "read_because_check_nested";

/** Why a change is put off to a later plan. The words are those of Terraform's JSON plan. */
export type DeferralReason =
  | "instance_count_unknown"
  | "resource_config_unknown"
  | "provider_config_unknown"
  | "absent_prereq"
  | "deferred_prereq"
  | "unknown";

/** A change that is put off. */
export interface Deferral {
  readonly reason: DeferralReason;
  /** With `deferred_prereq`: what it comes after and was put off for a reason of its own, by `configResourceText`. */
  readonly after?: readonly string[];
  /**
   * As far as it is known. With the reason `instance_count_unknown` it stands for all instances, and its address says so:
   * `aws_thing.a[*]`, `module.m[*].aws_thing.a`.
   */
  readonly change: InstanceChange;
}

export interface InstanceChange {
  readonly address: InstanceAddress;
  /** Set for an object that is no longer the current one. */
  readonly deposedKey?: string;
  /** Where it was before `moved` blocks (or a new `count`) gave it its address. */
  readonly previousAddress?: string;
  /** Set where the object exists already, and is taken over by an `import` block: by what its provider knows it. */
  readonly importing?: Importing;
  readonly provider: ProviderConfigAddress;
  readonly action: Action;
  readonly reason: ActionReason;
  /** What is there now (null for nothing), and what will be; marked where sensitive. */
  readonly before: Value;
  readonly after: Value;
  /** What names the object, where its type has an identity: what did before, and what will, as far as that is known. */
  readonly beforeIdentity?: Value;
  readonly afterIdentity?: Value;
  /** Paths that make a replacement necessary. */
  readonly replacePaths: readonly Path[];
  /** The provider's own bytes: of the prior object, and of the plan. */
  readonly priorPrivate: Uint8Array;
  readonly plannedPrivate: Uint8Array;
  /** `configResourceText` of all that this was planned after. */
  readonly dependencies: readonly string[];
  readonly createBeforeDestroy: boolean;
  /** With `create-delete`: the old object is put aside alone, since something that is put off needs it; a later plan ends it. */
  readonly keepsOld?: true;
  /** Whether its block forbids to destroy it, which the state keeps for the time when the block is gone. */
  readonly preventDestroy?: boolean;
  /** What the provider has people read beside it. No part of the promise. */
  readonly notes?: readonly PlanNote[];
}

/** What an object to be imported is known by: an id, or the attributes of an identity as text. */
export interface Importing {
  readonly id?: string;
  readonly identity?: Value;
  /** The configuration that was written for it, where it had none. */
  readonly generatedConfig?: string;
}

export interface OutputChange {
  readonly action: "no-op" | "create" | "update" | "delete";
  /** Null where there was none, or will be none. Marked where sensitive. */
  readonly before: Value;
  readonly after: Value;
  readonly sensitive: boolean;
}

/** What came of the conditions of one object. */
export interface CheckResult {
  readonly kind: "resource" | "output_value" | "var" | "check";
  /** Of the object without instance keys, and of the instance. */
  readonly configAddress: string;
  readonly instanceAddress: string;
  readonly status: "pass" | "fail" | "unknown" | "error";
  readonly problems: readonly string[];
}

/** A plan beside what there is to say of it. */
export interface PlanResult {
  readonly plan: Plan;
  readonly diagnostics: readonly Diagnostic[];
  /** What references give after it, for further expressions; none where nothing was evaluated. */
  readonly evaluator?: Evaluator;
}

/** Counts as the summary line has them; a replacement is one to add and one to destroy. */
export interface PlanCounts {
  readonly add: number;
  readonly change: number;
  readonly destroy: number;
  readonly import: number;
}

export function countChanges(changes: readonly InstanceChange[]): PlanCounts {
  let add = 0;
  let change = 0;
  let destroy = 0;
  let imported = 0;
  for (const { action, importing, keepsOld } of changes) {
    if (importing) imported++;
    if (action === "create" || isReplace(action)) add++;
    if (action === "update") change++;
    if (action === "delete" || (endsAndMakes(action) && !keepsOld)) destroy++;
  }
  return { add, change, destroy, import: imported };
}

/** Whether an object takes the place of another, be that destroyed or only forgotten. */
export function isReplace(action: Action): boolean {
  return endsAndMakes(action) || action === "forget-create";
}

/** Whether an object is destroyed, and another made in its place. */
export function endsAndMakes(action: Action): boolean {
  return action === "delete-create" || action === "create-delete";
}

/** Whether there is something to show of a change: something is done with the object, or it gets another address. */
export function isChange({ action, previousAddress, importing }: InstanceChange): boolean {
  return action !== "no-op" || previousAddress !== undefined || importing !== undefined;
}

/** Whether the plan gives objects other addresses. */
export function movesObjects({ changes }: Plan): boolean {
  return changes.some(({ previousAddress }) => previousAddress !== undefined);
}

/** Whether the plan is about all that the configuration and the state have. */
export function isWhole({ targets, excludes = [] }: Pick<Plan, "targets" | "excludes">): boolean {
  return targets.length + excludes.length === 0;
}

/** Whether nothing is left to do once the plan was carried out, as far as is known. */
export function isComplete(plan: Plan): boolean {
  return isWhole(plan) && !plan.errored && plan.deferrals.length === 0;
}

/** Whether applying the plan would do anything at all. */
export function hasChanges(plan: Plan): boolean {
  if (plan.changes.some(isChange)) return true;
  if ([...plan.outputs.values()].some((output) => output.action !== "no-op")) return true;
  return plan.mode === "refresh-only" && plan.drift.length > 0;
}
