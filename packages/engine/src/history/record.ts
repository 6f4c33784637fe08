import type { Plan } from "../plan/plan.ts";
import type { ApplyResult } from "../apply/run.ts";
import { knownPlain } from "../formats/values-json.ts";
import type { State } from "../state.ts";
import { measureOf, type Irreversible } from "../waves/measure.ts";

/** One apply as the history keeps it. No secret is in it: what is sensitive is left out, and objects are named only. */
export interface RunRecord {
  /** Counts the runs of a state from 1. */
  readonly number: number;
  /** `apply`, `destroy`, `refresh`, `revert 3`. */
  readonly operation: string;
  /** `user@host`. */
  readonly who: string;
  /** Of the program that ran. */
  readonly version: string;
  /** RFC 3339. */
  readonly started: string;
  /** Undefined while it goes on, and for ever where it was killed. */
  readonly ended?: string;
  /** The state that the plan was made from. */
  readonly lineage: string;
  readonly serial: number;
  readonly changes: readonly RecordedChange[];
  /** What a revert cannot bring back wholly. */
  readonly irreversible: readonly Irreversible[];
  readonly result?: RunOutcome;
  /** Of a run in waves: their sizes, how many there are, and how many were begun so far. */
  readonly waves?: RunWaves;
  readonly outputsBefore: Outputs;
  readonly outputsAfter?: Outputs;
}

/** How far a run in waves has come: their sizes as they are written, how many there are, and how many were begun. */
export interface RunWaves {
  readonly sizes: string;
  readonly count: number;
  readonly begun: number;
}

/** Values of outputs as JSON has them; of sensitive ones only that they are. */
export type Outputs = Readonly<Record<string, { readonly value: unknown } | { readonly sensitive: true }>>;

export interface RecordedChange {
  readonly address: string;
  readonly deposedKey?: string;
  readonly action: string;
}

export interface RunOutcome {
  /** Whether all of the plan was carried out. */
  readonly complete: boolean;
  readonly added: number;
  readonly changed: number;
  readonly destroyed: number;
  /** Summaries of what went wrong, each with the object it was about. */
  readonly errors: readonly string[];
  readonly waves?: { readonly begun: number; readonly count: number };
}

/** Who begins a run, and when. */
export interface RunStart {
  readonly operation: string;
  readonly who: string;
  readonly version: string;
  readonly at: Date;
}

/** The record of a run that is about to begin. */
export function startedRun(number: number, plan: Plan, { operation, who, version, at }: RunStart): RunRecord {
  return {
    number,
    operation,
    who,
    version,
    started: at.toISOString(),
    lineage: plan.lineage,
    serial: plan.serial,
    changes: plan.changes
      .filter(({ action }) => action !== "no-op" && action !== "read")
      .map(({ address, deposedKey, action }) => ({
        address: address.text,
        ...(deposedKey === undefined ? {} : { deposedKey }),
        action,
      })),
    irreversible: measureOf(plan).irreversible,
    outputsBefore: outputsOf(plan.previousState),
  };
}

/** The same run at its end. */
export function endedRun(
  record: RunRecord,
  result: Pick<ApplyResult, "complete" | "counts" | "diagnostics" | "waves">,
  state: State,
  at: Date,
): RunRecord {
  const { added, changed, destroyed } = result.counts;
  const errors = result.diagnostics
    .filter(({ severity, code }) => severity === "error" && code !== "interrupted")
    .map(({ summary, address }) => (address === undefined ? summary : `${address}: ${summary}`));
  const waves = result.waves ? { waves: result.waves } : {};
  return {
    ...record,
    ended: at.toISOString(),
    result: { complete: result.complete, added, changed, destroyed, errors, ...waves },
    outputsAfter: outputsOf(state),
  };
}

/** Names of outputs that a run made, changed or took away; of sensitive ones only the first and the last can be told. */
export function changedOutputs({ outputsBefore, outputsAfter = outputsBefore }: RunRecord): readonly string[] {
  const names = new Set([...Object.keys(outputsBefore), ...Object.keys(outputsAfter)]);
  return [...names].filter((name) => JSON.stringify(outputsBefore[name]) !== JSON.stringify(outputsAfter[name])).sort();
}

function outputsOf({ outputs }: State): Outputs {
  return Object.fromEntries(
    [...outputs].map(([name, { value, sensitive }]) => [
      name,
      sensitive ? { sensitive } : { value: knownPlain(value) },
    ]),
  );
}
