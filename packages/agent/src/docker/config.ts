import { OperationalError } from "@millwright/core/errors";
import { similar } from "@millwright/core/similar";
import type { Json } from "@millwright/jobs/shape";
import { driverErrors } from "../driver/errors.ts";

/** A job's `config` of the driver `docker`, under the names of the job language. */
export interface DockerConfig {
  readonly image: string;
  /** Image archives, relative to the task's `local/`. */
  readonly load: readonly string[];
  readonly force_pull: boolean;
  /** Milliseconds without anything heard of it. */
  readonly image_pull_timeout: number;
  readonly auth: RegistryLogin | undefined;
  readonly command: string | undefined;
  readonly args: readonly string[];
  readonly entrypoint: readonly string[] | undefined;
  readonly work_dir: string;
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly init: boolean;
  /** Empty for the engine's own. */
  readonly network_mode: string;
  readonly network_aliases: readonly string[];
  readonly pid_mode: string;
  readonly ipc_mode: string;
  readonly uts_mode: string;
  readonly userns_mode: string;
  /** Ports inside by label. */
  readonly port_map: Readonly<Record<string, number>>;
  /** Labels of ports that are published; undefined where the job does not say. */
  readonly ports: readonly string[] | undefined;
  readonly dns_servers: readonly string[];
  readonly dns_search_domains: readonly string[];
  readonly extra_hosts: readonly string[];
  readonly volumes: readonly string[];
  readonly readonly_rootfs: boolean;
  /** Bytes; 0 for the engine's own. */
  readonly shm_size: number;
  readonly privileged: boolean;
  readonly cap_add: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly group_add: readonly string[];
  readonly ulimit: Readonly<Record<string, string>>;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly pids_limit: number;
  /** MiB; 0 for none. */
  readonly memory_hard_limit: number;
  readonly cpu_hard_limit: boolean;
  /** Microseconds; 0 for the kernel's own. */
  readonly cpu_cfs_period: number;
}

/** Secret. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

/** Every option that there is, for people: docs/drivers.md has them all. */
export function dockerOptions(): readonly string[] {
  return Object.keys(readers).toSorted();
}

/** Nomad's options that are not there, and what to do instead. */
export const notThere: Readonly<Record<string, string>> = {
  logging: "A task's output goes to the node's log files; read it with `millwright alloc logs`.",
  mount: 'Write volumes = ["SOURCE:TARGET"].',
  mounts: 'Write volumes = ["SOURCE:TARGET"].',
  volume_driver: 'Write volumes = ["/path/on/the/node:/path/inside"].',
  storage_opt: "Limit the disk with the group's ephemeral_disk.",
  devices: "Write privileged = true, where the node's agent allows it.",
  runtime: "The engine's default runtime is used; change it in the engine's own settings.",
  tty: "A task has no terminal.",
  interactive: "A task has no terminal.",
  healthchecks: "Write a check in the task's service.",
  auth_soft_fail: "Leave the auth block out where the image is public.",
  container_exists_attempts: "A container of the task's name that is left over is replaced.",
  isolation: "It is of Windows alone.",
  mac_address: "The engine gives the container its address.",
  ipv4_address: "The engine gives the container its address.",
  ipv6_address: "The engine gives the container its address.",
  advertise_ipv6_address: "Services are registered with the node's address.",
  windows_allow_insecure_container_admin: "It is of Windows alone.",
  cgroupns: "The engine's default is used.",
  oom_score_adj: "Give the task the memory it needs.",
};

/** Reads and checks a `config`. Throws `configuration` with all that is wrong, a line each. */
export function parseDockerConfig(config: Readonly<Record<string, Json>>): DockerConfig {
  const faults: string[] = [];
  const read = <Name extends keyof DockerConfig>(name: Name): DockerConfig[Name] => {
    const value = config[name] ?? null;
    // Of a name the table below has the reader of just that option.
    const reader = readers[name] as Reader<DockerConfig[Name]>;
    if (value === null) return reader.absent;
    const found = reader.read(value);
    if (found !== undefined) return found;
    faults.push(`${name} cannot be ${shown(name, value)}: ${reader.wants}.`);
    return reader.absent;
  };
  for (const name of Object.keys(config)) if (!Object.hasOwn(readers, name)) faults.push(unknown(name));
  const entries = Object.keys(readers).map((name) => [name, read(name as keyof DockerConfig)]);
  const parsed = Object.fromEntries(entries) as unknown as DockerConfig;
  if (config["image"] === undefined || config["image"] === null || config["image"] === "")
    faults.push('image is missing: write the name of an image, such as "redis:7".');
  if (faults.length === 0) return parsed;
  throw new OperationalError(driverErrors.configuration, `The config of the docker driver: ${faults.join(" ")}`);
}

interface Reader<T> {
  readonly absent: T;
  /** Undefined where the value has another type. */
  read(value: Json): T | undefined;
  readonly wants: string;
}

const text: Reader<string> = {
  absent: "",
  read: (value) => (typeof value === "string" ? value : undefined),
  wants: "write a text",
};

const flag: Reader<boolean> = {
  absent: false,
  read: (value) => (typeof value === "boolean" ? value : { true: true, false: false }[String(value)]),
  wants: "write true or false",
};

const whole: Reader<number> = {
  absent: 0,
  read: (value) => {
    const number = typeof value === "string" && value !== "" ? Number(value) : value;
    return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : undefined;
  },
  wants: "write a whole number",
};

const texts: Reader<readonly string[]> = { absent: [], read: readTexts, wants: "write a list of texts" };

const named: Reader<Readonly<Record<string, string>>> = {
  absent: {},
  read: (value) => readNames(value, (item) => (isScalar(item) ? String(item) : undefined)),
  wants: "write a block of names and texts",
};

const optionalText: Reader<string | undefined> = { ...text, absent: undefined };

const readers: { readonly [Name in keyof DockerConfig]: Reader<DockerConfig[Name]> } = {
  image: text,
  // One text since 0.9; before that it was a list.
  load: {
    absent: [],
    read: (value) => (value === "" ? [] : readTexts(asList(value))),
    wants: "write the archive's name",
  },
  force_pull: flag,
  image_pull_timeout: { absent: 300_000, read: readDuration, wants: 'write a duration such as "5m"' },
  auth: { absent: undefined, read: readLogin, wants: "write a block with username and password" },
  command: optionalText,
  args: texts,
  entrypoint: { absent: undefined, read: (value) => readTexts(asList(value)), wants: texts.wants },
  work_dir: text,
  hostname: text,
  labels: named,
  init: flag,
  network_mode: text,
  network_aliases: texts,
  pid_mode: text,
  ipc_mode: text,
  uts_mode: text,
  userns_mode: text,
  port_map: {
    absent: {},
    read: (value) => readNames(value, (item) => readPort(item)),
    wants: "write a block of labels and ports",
  },
  ports: { absent: undefined, read: readTexts, wants: texts.wants },
  dns_servers: texts,
  dns_search_domains: texts,
  extra_hosts: texts,
  volumes: texts,
  readonly_rootfs: flag,
  shm_size: whole,
  privileged: flag,
  cap_add: texts,
  cap_drop: texts,
  security_opt: texts,
  group_add: texts,
  ulimit: named,
  sysctl: named,
  pids_limit: whole,
  memory_hard_limit: whole,
  cpu_hard_limit: flag,
  cpu_cfs_period: whole,
};

function readTexts(value: Json): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const list = value as readonly Json[];
  return list.every(isScalar) ? list.map(String) : undefined;
}

// A block comes as a list of one, an attribute as it is; several blocks are one.
function readNames<T>(value: Json, read: (item: Json) => T | undefined): Readonly<Record<string, T>> | undefined {
  const all: Record<string, T> = {};
  for (const block of asList(value)) {
    if (!isObject(block)) return undefined;
    for (const [name, item] of Object.entries(block)) {
      const found = read(item);
      if (found === undefined) return undefined;
      all[name] = found;
    }
  }
  return all;
}

function readLogin(value: Json): RegistryLogin | undefined {
  const fields = readNames(value, (item) => (typeof item === "string" ? item : undefined));
  if (!fields) return undefined;
  const { username = "", password = "", server_address: serveraddress = "" } = fields;
  return { username, password, serveraddress };
}

function readPort(value: Json): number | undefined {
  const port = whole.read(value);
  return port !== undefined && port >= 1 && port <= 65_535 ? port : undefined;
}

function readDuration(value: Json): number | undefined {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  if (typeof value !== "string" || !/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(value)) return undefined;
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit!] ?? 0), 0);
}

function asList(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

function isScalar(value: Json): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknown(name: string): string {
  if (Object.hasOwn(notThere, name)) return `${name} is not there. ${notThere[name]}`;
  const near = similar(name, Object.keys(readers));
  return `There is no option ${name}.${near ? ` Did you mean ${near}?` : ""}`;
}

// A login is not shown.
function shown(name: string, value: Json): string {
  const json = name === "auth" ? "what it is" : JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
