import type { TaskGroup } from "@millwright/jobs/job";
import type { Task } from "@millwright/jobs/task";

/** What a task asks for that no node here has; undefined for nothing. A task that would run without it is not started. */
export function unsupportedIn({ networks }: TaskGroup, task: Task): string | undefined {
  const mode = networks.map((network) => network.mode).find((name) => !["", "host"].includes(name));
  if (mode !== undefined) {
    return `The group's network has the mode ${JSON.stringify(mode)}. Ports are the node's here: leave the mode out, or write "host".`;
  }
  const [mount] = task.volumeMounts;
  if (mount) {
    return `The task mounts the volume ${JSON.stringify(mount.volume)}. Volumes are not there: use the allocation's folder ($NOMAD_ALLOC_DIR), or a folder of the node that the task's config names.`;
  }
  const [device] = task.resources.devices;
  if (device) {
    return `The task asks for the device ${JSON.stringify(device.name)}. Devices are not there: take the block out.`;
  }
  if (task.dispatchPayload) return "The task has a dispatch_payload block. Payloads are not there: take the block out.";
  if (task.kind !== "") return `The task is of the kind ${JSON.stringify(task.kind)}: a service mesh is not there.`;
  return undefined;
}
