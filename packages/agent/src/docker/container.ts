import { isAbsolute, normalize, resolve } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import { pathInside } from "../allocation/inside.ts";
import type { TaskLaunch, TaskPort } from "../driver/driver.ts";
import { driverErrors } from "../driver/errors.ts";
import type { DockerConfig } from "./config.ts";

/** What an operator lets jobs do on a node. */
export interface DockerPermissions {
  /** `privileged = true`, and capabilities beyond the usual ones. */
  readonly privileged: boolean;
  /** Volumes from anywhere on the node, not only from the allocation's folder. */
  readonly hostVolumes: boolean;
}

/** What is found out before a container is made. */
export interface ContainerPlace {
  /** The image's id. */
  readonly image: string;
  /** `secrets/` as it really is: it may be a link, which the engine would not follow out of the folder. */
  readonly secrets: string;
  /** MHz of one core. */
  readonly frequency: number;
}

/**
 * The container of a task, in the JSON of `POST /containers/create`. Throws `configuration` for what the node does not allow.
 * Source: Docker Engine API 1.41; Nomad's documentation of the driver `docker`.
 */
export function containerOf(
  launch: TaskLaunch,
  config: DockerConfig,
  place: ContainerPlace,
  permissions: DockerPermissions,
): Readonly<Record<string, unknown>> {
  checkPermissions(config, permissions);
  const published = publishedPorts(launch.ports, config);
  const environment = { ...launch.env, ...portsInside(published) };
  const networking = config.network_aliases.length > 0 && {
    NetworkingConfig: { EndpointsConfig: { [config.network_mode]: { Aliases: config.network_aliases } } },
  };
  return {
    Image: place.image,
    ...commandOf(config),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    User: launch.user,
    WorkingDir: config.work_dir,
    Hostname: config.hostname,
    Labels: { ...config.labels, ...ownLabels(launch) },
    ExposedPorts: Object.fromEntries(published.flatMap(({ inside }) => protocols(inside).map((key) => [key, {}]))),
    HostConfig: {
      ...resourcesOf(launch, config, place),
      Binds: [...ownBinds(launch, place), ...config.volumes.map((volume) => volumeOf(volume, launch, permissions))],
      NetworkMode: config.network_mode === "" ? "default" : config.network_mode,
      PidMode: config.pid_mode,
      IpcMode: config.ipc_mode,
      UTSMode: config.uts_mode,
      UsernsMode: config.userns_mode,
      PortBindings: bindingsOf(published),
      Dns: config.dns_servers,
      DnsSearch: config.dns_search_domains,
      ExtraHosts: config.extra_hosts,
      ReadonlyRootfs: config.readonly_rootfs,
      ShmSize: config.shm_size,
      Privileged: config.privileged,
      CapAdd: config.cap_add,
      CapDrop: config.cap_drop,
      SecurityOpt: config.security_opt,
      GroupAdd: config.group_add,
      Ulimits: Object.entries(config.ulimit).map(ulimitOf),
      Sysctls: config.sysctl,
      Init: config.init,
      LogConfig: logConfig,
    },
    ...networking,
  };
}

/** `TASK-ALLOCATION`, as the engine takes it. */
export function containerName({ task, allocation }: TaskLaunch): string {
  return `${task.replaceAll(/[^a-zA-Z0-9_.-]/g, "_")}-${allocation}`;
}

export const labels = {
  allocation: "com.hashicorp.nomad.alloc_id",
  group: "com.hashicorp.nomad.task_group_name",
  task: "com.hashicorp.nomad.task_name",
} as const;

/** What the engine keeps of the output until it is in the task's log files: bytes as they came, without an end in sight for readers. */
const logConfig = { Type: "local", Config: { "max-size": "50m", "max-file": "3", compress: "false" } };

const mebibyte = 1024 * 1024;

/** What containers get anyway. Source: Docker's documentation, Runtime privilege and Linux capabilities. */
const usualCapabilities: ReadonlySet<string> = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(
    " ",
  ),
);

function checkPermissions(config: DockerConfig, permissions: DockerPermissions): void {
  if (permissions.privileged) return;
  const hint = `Let the node's agent allow it (plugin "docker" { config { allow_privileged = true } }), or leave it out.`;
  if (config.privileged) throw refused(`privileged = true is not allowed on this node. ${hint}`);
  const unusual = config.cap_add.find((name) => !usualCapabilities.has(name.toUpperCase().replace(/^CAP_/, "")));
  if (unusual !== undefined) throw refused(`cap_add may not hold ${unusual} on this node. ${hint}`);
  for (const name of ["pid_mode", "ipc_mode", "uts_mode", "userns_mode"] as const) {
    const mode = config[name];
    // Processes of the node are seen by every job that asks for them, as jobs of 2016 do; memory and users are not shared.
    const isShared = mode.startsWith("container:") || (mode === "host" && name !== "pid_mode");
    if (isShared) throw refused(`${name} = ${JSON.stringify(mode)} is not allowed on this node. ${hint}`);
  }
  const loosened = config.security_opt.find((option) => /unconfined|disable/i.test(option));
  if (loosened !== undefined) throw refused(`security_opt may not hold ${loosened} on this node. ${hint}`);
}

function commandOf({ command, args, entrypoint }: DockerConfig): Record<string, unknown> {
  const words = [...(command === undefined || command === "" ? [] : [command]), ...args];
  return { ...(words.length > 0 && { Cmd: words }), ...(entrypoint && { Entrypoint: entrypoint }) };
}

function ownLabels({ allocation, group, task }: TaskLaunch): Record<string, string> {
  return { [labels.allocation]: allocation, [labels.group]: group, [labels.task]: task };
}

function ownBinds({ folders }: TaskLaunch, { secrets }: ContainerPlace): readonly string[] {
  return [`${folders.shared}:/alloc`, `${folders.local}:/local`, `${secrets}:/secrets`];
}

/**
 * Checks that no volume leads out of the task's folders by a link, as the engine would follow it: a task may make one, and a later
 * start mount what it leads to. Throws `configuration`.
 */
export async function checkVolumeLinks(
  volumes: readonly string[],
  { folders }: TaskLaunch,
  { hostVolumes }: DockerPermissions,
): Promise<void> {
  if (hostVolumes) return;
  for (const volume of volumes) {
    const [source = ""] = volume.split(":");
    await pathInside(folders, sourceOf(source, folders)).catch(() => {
      throw outside(volume);
    });
  }
}

// `SOURCE:TARGET[:ro]`.
function volumeOf(volume: string, { folders }: TaskLaunch, { hostVolumes }: DockerPermissions): string {
  const [source = "", target = "", ...options] = volume.split(":");
  if (source === "" || !isAbsolute(target))
    throw refused(
      `The volume ${JSON.stringify(volume)} is none. Write "SOURCE:/path/inside", with :ro behind it to read only.`,
    );
  const path = sourceOf(source, folders);
  // The allocation's own folder holds what the agent keeps for itself.
  const isOwn = [folders.task, folders.shared].some((folder) => path === folder || path.startsWith(`${folder}/`));
  if (!isOwn && !hostVolumes) throw outside(volume);
  return [path, target, ...options].join(":");
}

// One that is no absolute path is relative to the task's folder.
function sourceOf(source: string, folders: TaskLaunch["folders"]): string {
  return isAbsolute(source) ? normalize(source) : resolve(folders.task, source);
}

function outside(volume: string): OperationalError {
  return refused(
    `The volume ${JSON.stringify(volume)} is outside the task's folders, which this node does not allow. ` +
      `Let its agent allow it (plugin "docker" { config { volumes { enabled = true } } }), or use a path such as local/data.`,
  );
}

interface PublishedPort {
  readonly port: TaskPort;
  readonly inside: number;
}

// A network that is the node's own or another container's has nothing to publish.
function publishedPorts(ports: readonly TaskPort[], config: DockerConfig): readonly PublishedPort[] {
  const hasOwnPorts = !/^(host|none|container:.*)$/.test(config.network_mode);
  const known = new Set(ports.map(({ label }) => label));
  for (const label of [...Object.keys(config.port_map), ...(config.ports ?? [])])
    if (!known.has(label))
      throw refused(
        `There is no port ${JSON.stringify(label)} in the job's network block. Add port ${JSON.stringify(label)} {}.`,
      );
  if (!hasOwnPorts) return [];
  return ports
    .filter(({ label }) => config.ports === undefined || config.ports.includes(label))
    .map((port) => ({ port, inside: config.port_map[port.label] ?? (port.to || port.value) }));
}

// Inside, a task listens on the port inside; the one on the node has its name with HOST.
function portsInside(published: readonly PublishedPort[]): Record<string, string> {
  return Object.fromEntries(
    published.map(({ port, inside }) => [`NOMAD_PORT_${port.label.replaceAll(/[^a-zA-Z0-9_]/g, "_")}`, String(inside)]),
  );
}

function bindingsOf(published: readonly PublishedPort[]): Record<string, readonly unknown[]> {
  const bindings: Record<string, unknown[]> = {};
  for (const { port, inside } of published)
    for (const key of protocols(inside))
      bindings[key] = [...(bindings[key] ?? []), { HostIp: port.hostAddress, HostPort: String(port.value) }];
  return bindings;
}

function protocols(port: number): readonly string[] {
  return [`${port}/tcp`, `${port}/udp`];
}

function resourcesOf(
  { resources }: TaskLaunch,
  config: DockerConfig,
  { frequency }: ContainerPlace,
): Record<string, unknown> {
  const { cpu, memory, memoryMax } = resources;
  const most = memoryMax === -1 ? 0 : Math.max(memoryMax, config.memory_hard_limit) || memory;
  const period = config.cpu_cfs_period || 100_000;
  return {
    CpuShares: cpu,
    ...(config.cpu_hard_limit && {
      CpuPeriod: period,
      CpuQuota: Math.max(1_000, Math.round((period * cpu) / frequency)),
    }),
    // Without swap of its own: what it may have is what the job says.
    ...(most > 0 && { Memory: most * mebibyte, MemorySwap: most * mebibyte }),
    ...(most !== memory && { MemoryReservation: memory * mebibyte }),
    ...(config.pids_limit > 0 && { PidsLimit: config.pids_limit }),
  };
}

// `nofile = "2048:4096"`: soft and hard, or one for both.
function ulimitOf([name, text]: [string, string]): Record<string, unknown> {
  const [soft, hard = soft, ...more] = text.split(":").map(Number);
  if (more.length > 0 || !Number.isInteger(soft) || !Number.isInteger(hard))
    throw refused(`The ulimit ${name} cannot be ${JSON.stringify(text)}. Write one number, or "SOFT:HARD".`);
  return { Name: name, Soft: soft, Hard: hard };
}

function refused(message: string): OperationalError {
  return new OperationalError(driverErrors.configuration, message);
}
