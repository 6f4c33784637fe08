import type { Log } from "@millwright/core/ports";
import type { TaskServices } from "@millwright/node/task-services";

/** Removes the services of allocations that are no more on the node: the agent died before it could. */
export async function removeLeftServices(
  services: TaskServices,
  allocations: readonly string[],
  log: Log,
): Promise<void> {
  const known = new Set(allocations);
  for (const id of services.ids()) {
    const allocation = allocationOfService(id);
    if (allocation === undefined || known.has(allocation)) continue;
    log.write("info", "client: a service of an allocation that is no more is removed", { service: id });
    await services.deregister(id);
  }
}

/** The allocation in the id of a task's service: `_nomad-task-<allocation>-…`. */
function allocationOfService(id: string): string | undefined {
  return /^_nomad-task-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-/.exec(id)?.[1];
}
