import type { NodeAllocation, NodePort } from "@millwright/clients/nomad-node-protocol";
import type { Job, TaskGroup } from "@millwright/jobs/job";
import type { Task } from "@millwright/jobs/task";
import type { TaskFolders } from "../driver/driver.ts";
import type { NodeFacts } from "./host.ts";
import { interpolate, type Names } from "./interpolate.ts";

/** A task, and all around it that its environment tells of. */
export interface TaskPlace {
  readonly wanted: NodeAllocation;
  readonly job: Job;
  readonly group: TaskGroup;
  readonly task: Task;
  readonly node: NodeFacts;
  readonly folders: TaskFolders;
}

/** What is found out as the task is prepared. Secret, much of it. */
export interface TaskSecrets {
  /** Undefined where the task has no `vault` block, or does not want it in its environment. */
  readonly vault: { readonly address: string; readonly token: string; readonly namespace: string } | undefined;
  /** Identities by the names of their variables: `NOMAD_TOKEN`. */
  readonly identities: Readonly<Record<string, string>>;
  /** Of templates with `env = true`. */
  readonly templates: Readonly<Record<string, string>>;
}

export const noSecrets: TaskSecrets = { vault: undefined, identities: {}, templates: {} };

/**
 * The environment of a task, under Nomad's names; what stands later wins. `inherited` is that of the agent where the driver's tasks
 * see the machine, and empty where they have an image of their own.
 *
 * Source: Nomad's documentation, Runtime Environment.
 */
export function taskEnvironment(
  place: TaskPlace,
  secrets: TaskSecrets,
  inherited: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const known = { ...inherited, ...clean(ownNames(place)), ...clean(metaOf(place)), ...vaultNames(secrets) };
  const names = namesOf(place, known);
  const declared = Object.entries(place.task.env).map(([name, value]) => [
    interpolate(name, names),
    interpolate(value, names),
  ]);
  return { ...known, ...secrets.identities, ...(Object.fromEntries(declared) as object), ...secrets.templates };
}

/** What references in a task's blocks can name. */
export function namesOf(place: TaskPlace, environment: Readonly<Record<string, string>>): Names {
  const { wanted, job, group, task, node } = place;
  // Labels and keys as they are written can be named, also where a variable cannot be called that.
  const named = { ...ownNames(place), ...metaOf(place), ...environment };
  return { environment: named, node, owner: ownerNames({ wanted, job, group, task: task.name }) };
}

/** What references in a group's own services can name. */
export function groupNames({ wanted, job, group, node }: Omit<TaskPlace, "task" | "folders">): Names {
  const environment = {
    ...allocationNames({ wanted, job, group, node }),
    ...portNames(wanted, node.address, undefined),
  };
  return {
    environment: { ...environment, ...metaNames({ ...job.meta, ...group.meta }) },
    node,
    owner: ownerNames({ wanted, job, group, task: "group" }),
  };
}

/** Drivers whose tasks see the machine as the agent does, and get its environment. */
const seesMachine: ReadonlySet<string> = new Set(["raw_exec", "exec", "java"]);

export function inheritsEnvironment(driver: string): boolean {
  return seesMachine.has(driver);
}

/** Names that hold credentials of the agent itself: no task sees them. */
const ownCredentials = [
  /^(CONSUL|VAULT|NOMAD|MILLWRIGHT|TF|AWS|GOOGLE|ARM|AZURE)_/,
  /^(PG|MYSQL_?)?(PWD|PASSWORD)$/,
  /(^|_)(TOKEN|SECRET|PASSWORD|CREDENTIALS|SECRET_KEY|ACCESS_KEY|PRIVATE_KEY)$/,
];

/** The agent's environment without what no task is to see, and without the agent's own folders. */
export function inheritedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  denied: readonly string[] = [],
): Readonly<Record<string, string>> {
  const shown = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      ![...denied, "OLDPWD"].includes(entry[0]) &&
      !ownCredentials.some((form) => form.test(entry[0])),
  );
  return Object.fromEntries(shown);
}

function ownerNames(of: { wanted: NodeAllocation; job: Job; group: TaskGroup; task: string }): Record<string, string> {
  const { wanted, job, group, task } = of;
  return {
    JOB: job.name,
    TASKGROUP: group.name,
    TASK: task,
    BASE: `${job.name}-${group.name}-${task}`,
    ALLOC_INDEX: String(wanted.Index),
    ALLOC_ID: wanted.ID,
  };
}

function ownNames(place: TaskPlace): Record<string, string> {
  const { wanted, task, folders, node } = place;
  const { resources } = task;
  const isOwnImage = !inheritsEnvironment(task.driver);
  return {
    ...allocationNames(place),
    NOMAD_ALLOC_DIR: isOwnImage ? "/alloc" : folders.shared,
    NOMAD_TASK_DIR: isOwnImage ? "/local" : folders.local,
    NOMAD_SECRETS_DIR: isOwnImage ? "/secrets" : folders.secrets,
    NOMAD_TASK_NAME: task.name,
    ...(resources.cpu > 0 ? { NOMAD_CPU_LIMIT: String(resources.cpu) } : {}),
    ...(resources.cores > 0 ? { NOMAD_CPU_CORES: String(resources.cores) } : {}),
    NOMAD_MEMORY_LIMIT: String(resources.memory),
    ...(resources.memoryMax > 0 ? { NOMAD_MEMORY_MAX_LIMIT: String(resources.memoryMax) } : {}),
    ...portNames(wanted, node.address, task.name),
  };
}

function allocationNames({ wanted, job, group, node }: Omit<TaskPlace, "task" | "folders">): Record<string, string> {
  return {
    NOMAD_ALLOC_ID: wanted.ID,
    NOMAD_SHORT_ALLOC_ID: wanted.ID.slice(0, 8),
    NOMAD_ALLOC_NAME: wanted.Name,
    NOMAD_ALLOC_INDEX: String(wanted.Index),
    NOMAD_GROUP_NAME: group.name,
    NOMAD_JOB_ID: job.id,
    NOMAD_JOB_NAME: job.name,
    NOMAD_NAMESPACE: wanted.Namespace,
    NOMAD_DC: node.datacenter,
    NOMAD_REGION: node.region,
  };
}

/** Ports of the group and of the task by their label; those of every task also by task and label. */
function portNames({ Ports }: NodeAllocation, address: string, task: string | undefined): Record<string, string> {
  const names: Record<string, string> = {};
  for (const port of Ports) {
    if (port.Task === null || port.Task === task) Object.assign(names, labelled(port, port.Label, address));
    if (port.Task === null) continue;
    const label = `${port.Task}_${port.Label}`;
    names[`NOMAD_IP_${label}`] = address;
    names[`NOMAD_PORT_${label}`] = String(port.Value);
    names[`NOMAD_ADDR_${label}`] = hostPort(address, port.Value);
  }
  return names;
}

function labelled({ Value, To }: NodePort, label: string, address: string): Record<string, string> {
  return {
    [`NOMAD_IP_${label}`]: address,
    [`NOMAD_PORT_${label}`]: String(To > 0 ? To : Value),
    [`NOMAD_ADDR_${label}`]: hostPort(address, Value),
    [`NOMAD_HOST_IP_${label}`]: address,
    [`NOMAD_HOST_PORT_${label}`]: String(Value),
    [`NOMAD_HOST_ADDR_${label}`]: hostPort(address, Value),
    ...(To > 0 ? { [`NOMAD_ALLOC_PORT_${label}`]: String(To) } : {}),
  };
}

export function hostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function metaOf({ job, group, task }: TaskPlace): Record<string, string> {
  return metaNames({ ...job.meta, ...group.meta, ...task.meta });
}

/** Each key as it is written, and in upper case. */
function metaNames(meta: Readonly<Record<string, string>>): Record<string, string> {
  const upper = Object.entries(meta).map(([key, value]) => [`NOMAD_META_${key.toUpperCase()}`, value]);
  const plain = Object.entries(meta).map(([key, value]) => [`NOMAD_META_${key}`, value]);
  return Object.fromEntries([...upper, ...plain]);
}

function vaultNames({ vault }: TaskSecrets): Record<string, string> {
  if (!vault) return {};
  return {
    VAULT_ADDR: vault.address,
    VAULT_TOKEN: vault.token,
    ...(vault.namespace === "" ? {} : { VAULT_NAMESPACE: vault.namespace }),
  };
}

/** With names that shells can use: whatever is no letter, digit or underscore is an underscore. */
function clean(names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([name, value]) => [name.replaceAll(/\W/g, "_"), value]));
}
