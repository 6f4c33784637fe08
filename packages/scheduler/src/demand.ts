import type { TaskGroup } from "@millwright/jobs/job";
import type { Port } from "@millwright/jobs/resources";
import type { Task } from "@millwright/jobs/task";

/** A port that a group asks for; `value` 0 is any that is free. */
export interface WantedPort {
  readonly task: string | null;
  readonly label: string;
  readonly value: number;
  readonly to: number;
  readonly hostNetwork: string;
  readonly ignoreCollision: boolean;
}

/** What an allocation of a group needs of a node. `cpu` does not hold what `cores` stand for: that is the node's to say. */
export interface Demand {
  readonly cpu: number;
  readonly cores: number;
  readonly memory: number;
  readonly memoryMax: number;
  readonly disk: number;
  readonly mbits: number;
  readonly ports: readonly WantedPort[];
}

/**
 * The sum of what a group's tasks need. Tasks that run before or after the main ones share their room with them; sidecars
 * run beside all.
 */
export function demandOf(group: TaskGroup): Demand {
  const byPhase = Map.groupBy(group.tasks, phaseOf);
  const sums = ["before", "main", "after"].map((phase) => sumOf(byPhase.get(phase as Phase) ?? []));
  const beside = sumOf(byPhase.get("beside") ?? []);
  const most = (part: keyof Sum) => Math.max(...sums.map((sum) => sum[part])) + beside[part];
  const networks = [...group.networks, ...group.tasks.flatMap(({ resources }) => resources.networks)];
  const isUnbounded = group.tasks.some(({ resources }) => resources.memoryMax < 0);
  return {
    cpu: most("cpu"),
    cores: most("cores"),
    memory: most("memory"),
    memoryMax: isUnbounded ? -1 : most("memoryMax"),
    disk: group.ephemeralDisk.size + total(group.tasks, ({ resources }) => resources.disk),
    mbits: total(networks, ({ mbits }) => mbits),
    ports: [
      ...portsOf(null, group.networks),
      ...group.tasks.flatMap((task) => portsOf(task.name, task.resources.networks)),
    ],
  };
}

type Phase = "before" | "main" | "after" | "beside";

function phaseOf({ lifecycle }: Task): Phase {
  if (lifecycle === null) return "main";
  if (lifecycle.sidecar) return "beside";
  if (lifecycle.hook === "prestart") return "before";
  return lifecycle.hook === "poststop" ? "after" : "main";
}

interface Sum {
  readonly cpu: number;
  readonly cores: number;
  readonly memory: number;
  readonly memoryMax: number;
}

function sumOf(tasks: readonly Task[]): Sum {
  return {
    cpu: total(tasks, ({ resources }) => (resources.cores > 0 ? 0 : resources.cpu)),
    cores: total(tasks, ({ resources }) => resources.cores),
    memory: total(tasks, ({ resources }) => resources.memory),
    memoryMax: total(tasks, ({ resources }) => Math.max(resources.memory, resources.memoryMax)),
  };
}

function portsOf(task: string | null, networks: TaskGroup["networks"]): WantedPort[] {
  const wanted = ({ label, value, to, hostNetwork, ignoreCollision }: Port) => ({
    ...{ task, label, value, to, hostNetwork, ignoreCollision },
  });
  return networks.flatMap(({ reservedPorts, dynamicPorts }) => [
    ...reservedPorts.map(wanted),
    ...dynamicPorts.map((port) => ({ ...wanted(port), value: 0 })),
  ]);
}

function total<T>(items: readonly T[], part: (item: T) => number): number {
  return items.reduce((sum, item) => sum + part(item), 0);
}
