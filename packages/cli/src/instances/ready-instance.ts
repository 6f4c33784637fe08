import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Configuration } from "@millwright/engine/configuration";
import type { SavedPlan } from "@millwright/engine/plan-file";
import type { Value } from "@millwright/value/value";
import type { OpenState } from "../terraform/open-state.ts";
import type { Session } from "../terraform/session.ts";
import type { Task } from "./tasks.ts";

/** So many instances are worked on side by side; each has providers of its own. */
export const instancesAtOnce = 4;

/** An instance whose plan is to be carried out, with its state held. */
export interface ReadyInstance {
  readonly task: Task;
  readonly session: Session;
  readonly state: OpenState;
  /** Its plan, with what that was made from. */
  readonly saved: SavedPlan;
  readonly configuration: Configuration;
  /** Values of ephemeral variables. */
  readonly given: ReadonlyMap<string, Value>;
}

/** The same as it was planned just now: the plan for people, and what was said beside it. */
export interface PlannedInstance extends ReadyInstance {
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}
