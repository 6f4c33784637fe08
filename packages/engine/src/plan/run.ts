import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import type { Semaphore } from "@millwright/core/concurrency";
import type { InstanceAddress, ResourceAddress } from "../addresses.ts";
import { absoluteResourceText } from "../addresses.ts";
import type { Graph } from "../graph.ts";
import type { PendingCreate } from "../backend/journal.ts";
import type { ConfigNode } from "../config-graph.ts";
import type { OpenEphemerals } from "../ephemeral/open-ephemerals.ts";
import type { Configuration } from "../configuration.ts";
import type { Evaluator } from "../evaluator.ts";
import type { ProviderPool } from "../provider-pool.ts";
import type { RunPorts } from "../ports.ts";
import type { ResourceState, State, StateBuilder } from "../state.ts";
import type { ImportTargets } from "../refactor/imports.ts";
import type { CheckResult, InstanceChange, PlanMode } from "./plan.ts";
import type { Deferrals } from "./deferrals.ts";
import type { ReadAhead } from "./prefetch.ts";

/** What a planning run was asked for. */
export interface PlanOptions {
  readonly mode: PlanMode;
  /** Whether objects are read again before they are planned (`-refresh`). */
  readonly refresh: boolean;
  /** Addresses of resources, instances or modules, as `-target` gives them; none for all. */
  readonly targets: readonly string[];
  /** What is left out, and all that depends on it (`-exclude`). */
  readonly excludes?: readonly string[];
  /** Addresses of what may be destroyed though it was protected when its block was last there (`-allow-destroy`). */
  readonly allowDestroy?: readonly string[];
  /** Whether what cannot be planned yet is put off to a later plan (`-allow-deferral`), instead of being an error. */
  readonly allowDeferral?: boolean;
  /** Whole addresses of instances to replace (`-replace`). */
  readonly forceReplace: readonly string[];
  /** Configuration that was written for objects to be imported, by the instance's address. */
  readonly generated?: ReadonlyMap<string, string>;
}

/** Everything that the steps of one planning run share. */
export interface PlanRun {
  readonly options: PlanOptions;
  readonly configuration: Configuration;
  readonly graph: Graph<ConfigNode>;
  readonly evaluator: Evaluator;
  readonly pool: ProviderPool;
  /** The state as it was read. */
  readonly previous: State;
  /** The same, brought up to date by the refresh as the run goes on. */
  readonly refreshed: StateBuilder;
  /** The resources of the state by the configuration that would declare them (`configKey`). */
  readonly statesByConfig: ReadonlyMap<string, readonly ResourceState[]>;
  /** Creates that were under way when an earlier run was killed, by address; taken out as they are settled. */
  readonly interrupted: Map<string, PendingCreate>;
  readonly ports: RunPorts;
  /** Bounds the instances that are being planned. */
  readonly slots: Semaphore;
  /** Config resources (ids) of which an instance is going to change: what `depends_on` of data sources waits for. */
  readonly pending: Set<string>;
  /** Config resources (ids) that are made before the old one goes, because they say so or something that depends on them does. */
  readonly createBeforeDestroy: ReadonlySet<string>;
  /** For each config resource (id), those it comes after, at any distance. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  readonly changes: InstanceChange[];
  readonly deferrals: Deferrals;
  /** The same by resource (`absoluteResourceText`), for those who watch one. */
  readonly changesOf: Map<string, InstanceChange[]>;
  readonly drift: InstanceChange[];
  readonly checks: CheckResult[];
  readonly ephemerals: OpenEphemerals;
  /** New addresses of instances with those that the state had them at. */
  readonly movedFrom: ReadonlyMap<string, InstanceAddress>;
  readonly imports: ImportTargets;
  /** What was read many at a time, before it is planned; and of which providers and types (see `prefetch.ts`). */
  readonly readAhead: ReadAhead;
  readonly readAheadOf: Set<string>;
  /** Addresses of objects that were not read again, since their provider says that nothing has changed. */
  readonly unread: string[];
  readonly diagnostics: Diagnostic[];
  /** Whether something that the `depends_on` of a data source (or of its module) names is going to change. */
  waitsForChanges(nodeId: string): boolean;
  /** Whether an instance is inside the targets; always, where there are none. */
  isTargeted(address: string): boolean;
}

/** How `PlanRun.statesByConfig` keys resources: by static module path and resource. */
export function configKey(modulePath: string, resource: ResourceAddress): string {
  return `${modulePath}|${resource.mode}|${resource.type}|${resource.name}`;
}

/** Plans one instance when there is room; not any more once the run is to stop. */
export function inSlot(run: PlanRun, plan: () => Promise<boolean>): Promise<boolean> {
  return run.slots.run(() => (run.ports.stop.aborted ? Promise.resolve(false) : plan()));
}

/** Takes a change into the plan. */
export function addChange(run: PlanRun, given: InstanceChange): void {
  const moved = given.deposedKey === undefined ? run.movedFrom.get(given.address.text) : undefined;
  const change = moved ? { ...given, previousAddress: moved.text } : given;
  run.changes.push(change);
  const text = absoluteResourceText(change.address.module, change.address.resource);
  const known = run.changesOf.get(text);
  if (known) known.push(change);
  else run.changesOf.set(text, [change]);
}

/** Reports what was found; true where the step may go on. */
export function report(run: { readonly diagnostics: Diagnostic[] }, diagnostics: readonly Diagnostic[]): boolean {
  if (diagnostics.length === 0) return true;
  run.diagnostics.push(...diagnostics);
  return !hasErrors(diagnostics);
}
