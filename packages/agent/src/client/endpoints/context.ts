import type { Clock } from "@millwright/core/ports";
import { OperationalError } from "@millwright/core/errors";
import type { Allocations, HeldAllocation } from "../../allocation/allocations.ts";
import { endpointErrors } from "./errors.ts";
import type { Visible } from "./inside.ts";

/** What a node's endpoints work on. */
export interface EndpointContext {
  readonly nodeId: string;
  /** The agent's own, whose file system allocations fill. */
  readonly dataFolder: string;
  readonly allocations: Allocations;
  /** Calls back whenever an allocation has changed; returns what ends it. */
  onChange(allocation: string, changed: () => void): () => void;
  /** MHz of all cores. */
  readonly compute: number;
  readonly cores: number;
  readonly clock: Clock;
}

/** Throws `notFound` for one that is not on this node. */
export function allocationOf({ allocations }: EndpointContext, id: string): HeldAllocation {
  const held = allocations.get(id);
  if (held) return held;
  throw new OperationalError(
    endpointErrors.notFound,
    `Unknown allocation ${JSON.stringify(id)}: it is not on this node.`,
  );
}

/** What of an allocation's folder clients may see. */
export function visibleOf({ folder, group }: HeldAllocation): Visible {
  return { folder, tasks: new Set(group.tasks.map(({ name }) => name)) };
}

/** Throws `notFound` for a task that the allocation does not have. */
export function taskNamed({ group }: HeldAllocation, name: string): void {
  if (group.tasks.some((task) => task.name === name)) return;
  const names = group.tasks.map((task) => task.name).join(", ");
  throw new OperationalError(endpointErrors.notFound, `Unknown task name ${JSON.stringify(name)}; there is ${names}.`);
}

export function badRequest(text: string): OperationalError {
  return new OperationalError(endpointErrors.badRequest, text);
}
