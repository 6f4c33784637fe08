import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { defaultGarbageLimits } from "../allocation/garbage.ts";
import type { ArtifactLimits } from "../artifact/limits.ts";
import type { RawConfig } from "../config-files.ts";
import { block, lengthOfTime, size, text, texts, textsByName, truth, WrongValue, whole } from "./nomad-values.ts";
import type { ClientSettings, DriverSettings } from "./settings.ts";
import type { VaultSettings } from "./vault-host.ts";

/** What files in the form of Nomad's agent configuration say, as far as an agent has it. */
export interface NomadSettings {
  readonly client: ClientSettings;
  /** Whether the files say so; undefined where they do not say. */
  readonly isEnabled?: boolean;
  /** Whether they ask for a server. */
  readonly isServer?: boolean;
  readonly nodeName?: string;
  readonly dataFolder?: string;
  readonly bindAddress?: string;
  readonly advertiseAddress?: string;
  readonly logLevel?: string;
}

/**
 * Reads settings under the names of Nomad's agent configuration. Those of a later file win, lists and blocks are joined. A setting
 * of another form is an error; one that has no meaning here is a warning.
 */
export function readNomadSettings(configs: readonly RawConfig[]): Diagnosed<NomadSettings> {
  const draft: Draft = { own: {}, client: { servers: [] }, drivers: {}, docker: {}, vault: {}, garbage: {} };
  const said: Said = { diagnostics: [], withoutEffect: new Set() };
  for (const config of configs) readAll(config, top, { draft, said, path: "" });
  if (said.withoutEffect.size > 0)
    said.diagnostics.push(
      warningDiagnostic(
        `Without effect here: ${[...said.withoutEffect].join(", ")}`,
        "What these settings arrange in Nomad is not there, or arranges itself.",
      ),
    );
  return { value: settled(draft), diagnostics: said.diagnostics };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Draft {
  readonly own: Writable<Omit<NomadSettings, "client">>;
  readonly client: Writable<ClientSettings>;
  readonly drivers: Writable<DriverSettings>;
  readonly docker: Writable<NonNullable<DriverSettings["docker"]>>;
  readonly vault: Partial<Writable<VaultSettings>> & { isOff?: boolean };
  readonly garbage: { mostAllocations?: number; age?: number };
}

interface Said {
  readonly diagnostics: Diagnostic[];
  readonly withoutEffect: Set<string>;
}

/** Takes a setting into the draft. Throws {@link WrongValue}. */
type Reader = (value: unknown, draft: Draft) => void;

type Readers = Readonly<Record<string, Reader | NestedReaders | "without effect">>;

/** A block of settings. */
interface NestedReaders {
  readonly within: Readers;
  /** Whether its names are a user's own, so that an unknown one is no mistake. */
  readonly isOpen?: boolean;
}

interface Place {
  readonly draft: Draft;
  readonly said: Said;
  /** `client.`: in front of each name, for messages. */
  readonly path: string;
}

function readAll(config: Readonly<Record<string, unknown>>, readers: Readers, place: Place): void {
  for (const [name, value] of Object.entries(config)) {
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (value === null) continue;
    if (reader === undefined) place.said.diagnostics.push(unknown(place.path + name, Object.keys(readers), name));
    else if (reader === "without effect") place.said.withoutEffect.add(place.path + name);
    else readOne(reader, name, value, place);
  }
}

function readOne(reader: Reader | NestedReaders, name: string, value: unknown, place: Place): void {
  try {
    if (typeof reader === "function") reader(value, place.draft);
    else {
      const known = reader.isOpen ? onlyKnown(block(value), reader.within) : block(value);
      readAll(known, reader.within, { ...place, path: `${place.path}${name}.` });
    }
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    place.said.diagnostics.push(errorDiagnostic(`${place.path}${name} cannot be what it is`, error.message));
  }
}

function onlyKnown(config: Readonly<Record<string, unknown>>, readers: Readers): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(config).filter(([name]) => Object.hasOwn(readers, name)));
}

const reserved: Readers = {
  cpu: (value, { client }) => void (client.reserved = { ...client.reserved, CPU: whole(value) }),
  cores: (value, { client }) => void (client.reserved = { ...client.reserved, Cores: whole(value) }),
  memory: (value, { client }) => void (client.reserved = { ...client.reserved, MemoryMB: whole(value) }),
  disk: (value, { client }) => void (client.reserved = { ...client.reserved, DiskMB: whole(value) }),
  reserved_ports: (value, { client }) => void (client.reserved = { ...client.reserved, ports: text(value) }),
};

/** The options of 2016, by names that plugins have taken over since. */
const options: Readers = {
  "driver.raw_exec.enable": (value, { drivers }) => void (drivers.rawExec = truth(value)),
  "driver.allowlist": (value, { drivers }) => void (drivers.allowed = inParts(value)),
  "driver.whitelist": (value, { drivers }) => void (drivers.allowed = inParts(value)),
  "driver.denylist": (value, { drivers }) => void (drivers.denied = inParts(value)),
  "driver.blacklist": (value, { drivers }) => void (drivers.denied = inParts(value)),
  "docker.endpoint": (value, { docker }) => void (docker.endpoint = text(value)),
  "docker.privileged.enabled": (value, { docker }) => void (docker.privileged = truth(value)),
  "docker.volumes.enabled": (value, { docker }) => void (docker.hostVolumes = truth(value)),
  "env.denylist": (value, { client }) => void (client.deniedEnvironment = inParts(value)),
  "env.blacklist": (value, { client }) => void (client.deniedEnvironment = inParts(value)),
};

const client: Readers = {
  enabled: (value, { own }) => void (own.isEnabled = truth(value)),
  servers: (value, draft) => addServers(texts(value), draft),
  server_join: { within: { retry_join: (value, draft) => addServers(texts(value), draft) }, isOpen: true },
  node_class: (value, draft) => void (draft.client.nodeClass = text(value)),
  node_pool: (value, draft) => void (draft.client.nodePool = text(value)),
  meta: (value, draft) => void (draft.client.meta = { ...draft.client.meta, ...textsByName(value) }),
  options: { within: options, isOpen: true },
  reserved: { within: reserved },
  min_dynamic_port: (value, draft) => {
    draft.client.dynamicPorts = { to: 32_000, ...draft.client.dynamicPorts, from: whole(value) };
  },
  max_dynamic_port: (value, draft) => {
    draft.client.dynamicPorts = { from: 20_000, ...draft.client.dynamicPorts, to: whole(value) };
  },
  network_speed: (value, draft) => void (draft.client.told = { ...draft.client.told, mbits: whole(value) }),
  cpu_total_compute: (value, draft) => void (draft.client.told = { ...draft.client.told, cpu: whole(value) }),
  memory_total_mb: (value, draft) => void (draft.client.told = { ...draft.client.told, memory: whole(value) }),
  disk_total_mb: (value, draft) => void (draft.client.told = { ...draft.client.told, disk: whole(value) }),
  gc_max_allocs: (value, { garbage }) => void (garbage.mostAllocations = whole(value)),
  gc_interval: "without effect",
  gc_parallel_destroys: "without effect",
  gc_disk_usage_threshold: "without effect",
  gc_inode_usage_threshold: "without effect",
  gc_volumes_on_node_gc: "without effect",
  artifact: { within: artifactLimits() },
  drain_on_shutdown: () => {
    throw new WrongValue(
      "An agent that stops leaves its tasks running. Drain the node before: nomad node drain -enable.",
    );
  },
  network_interface: "without effect",
  preferred_address_family: "without effect",
  no_host_uuid: "without effect",
  max_kill_timeout: "without effect",
  state_dir: "without effect",
  alloc_dir: "without effect",
  alloc_mounts_dir: "without effect",
  chroot_env: "without effect",
  disable_remote_exec: "without effect",
  template: "without effect",
  host_volume: "without effect",
  host_network: "without effect",
  cni_path: "without effect",
  cni_config_dir: "without effect",
  bridge_network_name: "without effect",
  bridge_network_subnet: "without effect",
  bridge_network_hairpin_mode: "without effect",
  users: "without effect",
  fingerprint: "without effect",
};

function artifactLimits(): Readers {
  const limit = (name: keyof ArtifactLimits, read: (value: unknown) => number): Reader => {
    return (value, { client }) => {
      client.artifactLimits = { ...client.artifactLimits, [name]: read(value) };
    };
  };
  const unused = ["gcs_timeout", "git_timeout", "hg_timeout", "s3_timeout", "disable_filesystem_isolation"];
  return {
    http_read_timeout: limit("milliseconds", lengthOfTime),
    http_max_size: limit("downloadedBytes", size),
    decompression_size_limit: limit("unpackedBytes", size),
    decompression_file_count_limit: limit("files", whole),
    ...Object.fromEntries(unused.map((name) => [name, "without effect" as const])),
  };
}

const vault: Readers = {
  enabled: (value, draft) => void (draft.vault.isOff = !truth(value)),
  address: (value, draft) => void (draft.vault.address = text(value)),
  jwt_auth_backend_path: (value, draft) => void (draft.vault.mount = text(value).replace(/^\/+|\/+$/g, "")),
  create_from_role: (value, draft) => void (draft.vault.defaultRole = text(value)),
  namespace: (value, draft) => void (draft.vault.namespace = text(value)),
  ca_file: (value, draft) => void (draft.vault.caFile = text(value)),
  ca_path: (value, draft) => void (draft.vault.caPath = text(value)),
  cert_file: (value, draft) => void (draft.vault.certFile = text(value)),
  key_file: (value, draft) => void (draft.vault.keyFile = text(value)),
  tls_server_name: (value, draft) => void (draft.vault.tlsServerName = text(value)),
  tls_skip_verify: (value, draft) => void (draft.vault.tlsVerify = !truth(value)),
  // Servers of ours hold no token of another: what made tokens before workload identities is not needed.
  token: "without effect",
  allow_unauthenticated: "without effect",
  task_token_ttl: "without effect",
  default_identity: "without effect",
};

const rawExec: Readers = {
  enabled: (value, { drivers }) => void (drivers.rawExec = truth(value)),
  no_cgroups: "without effect",
  denied_host_uids: "without effect",
  denied_host_gids: "without effect",
  denied_envvars: (value, draft) => void (draft.client.deniedEnvironment = texts(value)),
};

const docker: Readers = {
  endpoint: (value, draft) => void (draft.docker.endpoint = text(value)),
  allow_privileged: (value, draft) => void (draft.docker.privileged = truth(value)),
  volumes: { within: { enabled: (value, draft) => void (draft.docker.hostVolumes = truth(value)) }, isOpen: true },
};

const top: Readers = {
  region: (value, draft) => void (draft.client.region = text(value)),
  datacenter: (value, draft) => void (draft.client.datacenter = text(value)),
  name: (value, { own }) => void (own.nodeName = text(value)),
  data_dir: (value, { own }) => void (own.dataFolder = text(value)),
  bind_addr: (value, { own }) => void (own.bindAddress = text(value)),
  log_level: (value, { own }) => void (own.logLevel = text(value).toLowerCase()),
  advertise: { within: { http: (value, { own }) => void (own.advertiseAddress = hostOf(text(value))) }, isOpen: true },
  ports: { within: { http: (value, draft) => void (draft.client.port = whole(value)) }, isOpen: true },
  client: { within: client },
  server: { within: { enabled: (value, { own }) => void (own.isServer = truth(value)) }, isOpen: true },
  plugin: {
    within: {
      raw_exec: { within: { config: { within: rawExec } }, isOpen: true },
      docker: { within: { config: { within: docker, isOpen: true } }, isOpen: true },
    },
    isOpen: true,
  },
  vault: { within: vault },
  consul: { within: { token: (value, draft) => void (draft.client.consulToken = text(value)) }, isOpen: true },
  artifact: {
    within: {
      mirror: (value, draft) =>
        void (draft.client.artifactMirrors = { ...draft.client.artifactMirrors, ...textsByName(value) }),
    },
  },
  gc_age: (value, { garbage }) => void (garbage.age = lengthOfTime(value)),
  addresses: "without effect",
  acl: "without effect",
  telemetry: "without effect",
  tls: "without effect",
  ui: "without effect",
  limits: "without effect",
  audit: "without effect",
  autopilot: "without effect",
  sentinel: "without effect",
  reporting: "without effect",
  http_api_response_headers: "without effect",
  leave_on_interrupt: "without effect",
  leave_on_terminate: "without effect",
  enable_debug: "without effect",
  enable_syslog: "without effect",
  syslog_facility: "without effect",
  log_file: "without effect",
  log_json: "without effect",
  log_level_include_location: "without effect",
  disable_update_check: "without effect",
  disable_anonymous_signature: "without effect",
  plugin_dir: "without effect",
};

function settled(draft: Draft): NomadSettings {
  const { own, client, drivers, docker, garbage } = draft;
  const { isOff = false, address, ...vault } = draft.vault;
  return {
    ...own,
    client: {
      ...client,
      drivers: { ...drivers, docker },
      ...(Object.keys(garbage).length > 0 ? { garbage: { ...defaultGarbageLimits, ...garbage } } : {}),
      ...(address !== undefined && !isOff ? { vault: { ...vault, address } } : {}),
    },
  };
}

function addServers(addresses: readonly string[], { client }: Draft): void {
  client.servers = [...client.servers, ...addresses.map(withNomadPort)];
}

/** `host:4646` of a host without a port, or with that of Nomad's RPC, which our servers do not speak. */
export function withNomadPort(address: string): string {
  if (address.includes("://")) return address;
  const host = address.replace(/:4647$/, "");
  return /:\d+$/.test(host) && !/^[^[]*:.*:/.test(host) ? host : `${host}:4646`;
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
}

function inParts(value: unknown): readonly string[] {
  return text(value)
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function unknown(shown: string, known: readonly string[], name: string): Diagnostic {
  const near = similar(name, known);
  return warningDiagnostic(`There is no setting ${shown}`, near ? `Did you mean ${near}?` : "It is left out.");
}
