import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { type DnsSettings, readDnsConfig } from "@millwright/node/dns-config";
import type { RawConfig } from "./config-files.ts";

/** What configuration files say of an agent, as far as it has it. */
export interface Settings {
  readonly nodeName?: string;
  /** A UUID. */
  readonly nodeId?: string;
  readonly datacenter?: string;
  readonly dataFolder?: string;
  /** Addresses that clients may reach. */
  readonly clientAddresses?: readonly string[];
  /** Those of one protocol, in place of the addresses above. */
  readonly httpAddresses?: readonly string[];
  readonly dnsAddresses?: readonly string[];
  readonly bindAddress?: string;
  readonly advertiseAddress?: string;
  /** -1 is none. */
  readonly httpPort?: number;
  readonly dnsPort?: number;
  readonly servers: readonly string[];
  readonly joinTokenFile?: string;
  readonly scriptChecks?: "local" | "all";
  readonly leaveOnTerminate?: boolean;
  readonly isServer?: boolean;
  readonly acl: AclSettings;
  /** Whether there is a key that nodes have to have. */
  readonly hasGossipKey?: boolean;
  readonly domain?: string;
  readonly dns: DnsSettings;
  readonly recursors: readonly string[];
  readonly logLevel?: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly services: readonly unknown[];
  readonly checks: readonly unknown[];
}

/** What a server's access control is to be. */
export interface AclSettings {
  readonly isEnabled?: boolean;
  /** What a request without a token may do. */
  readonly defaultPolicy?: "allow" | "deny";
  /** The token that may do everything. Secret. */
  readonly managementToken?: string;
}

type Draft = { -readonly [K in keyof Settings]: Settings[K] };

/**
 * Reads settings under Consul's names. Those of a later file win, lists are joined. A setting of another type is an error;
 * one that has no meaning here is a warning.
 */
export function readSettings(configs: readonly RawConfig[]): Diagnosed<Settings> {
  const draft: Draft = { acl: {}, dns: {}, servers: [], recursors: [], meta: {}, services: [], checks: [] };
  const diagnostics: Diagnostic[] = [];
  const withoutEffect = new Set<string>();
  for (const config of configs)
    for (const [name, value] of Object.entries(config)) {
      if (value === null) continue;
      if (name === "dns_config") {
        const dns = readDnsConfig(value);
        draft.dns = { ...draft.dns, ...dns.value };
        diagnostics.push(...dns.diagnostics);
        continue;
      }
      const read = readerOf(name);
      if (!read && unused.has(name)) withoutEffect.add(name);
      else if (!read) diagnostics.push(unknown(name));
      else if (!read(value, draft))
        diagnostics.push(
          errorDiagnostic(
            `${name} cannot be ${secretive(name, value)}`,
            "Write it in the form that Consul's documentation shows.",
          ),
        );
    }
  if (withoutEffect.size > 0)
    diagnostics.push(
      warningDiagnostic(
        `Without effect here: ${[...withoutEffect].join(", ")}`,
        "What these settings arrange in Consul is not there, or arranges itself.",
      ),
    );
  return { value: draft, diagnostics };
}

/** Takes a setting into the draft; false where it has another type. */
type Reader = (value: unknown, draft: Draft) => boolean;

const readers: Readonly<Record<string, Reader>> = {
  node_name: text("nodeName"),
  node_id: (value, draft) => {
    if (typeof value !== "string" || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) return false;
    draft.nodeId = value.toLowerCase();
    return true;
  },
  datacenter: text("datacenter"),
  data_dir: text("dataFolder"),
  bind_addr: text("bindAddress"),
  advertise_addr: text("advertiseAddress"),
  join_token_file: text("joinTokenFile"),
  domain: text("domain"),
  alt_domain: (value, draft) => {
    if (typeof value !== "string") return false;
    draft.dns = { ...draft.dns, altDomain: value };
    return true;
  },
  log_level: text("logLevel"),
  client_addr: (value, draft) => {
    if (typeof value !== "string") return false;
    draft.clientAddresses = inWords(value);
    return true;
  },
  addresses: (value, draft) =>
    everyObject(value, (addresses) => {
      if (!Object.values(addresses).every((item) => typeof item === "string")) return false;
      const { http, dns } = addresses as Readonly<Record<string, string>>;
      if (http) draft.httpAddresses = inWords(http);
      if (dns) draft.dnsAddresses = inWords(dns);
      return true;
    }),
  acl: (value, draft) => everyObject(value, (acl) => readAcl(acl, draft)),
  encrypt: (value, draft) => {
    if (typeof value !== "string") return false;
    draft.hasGossipKey = value !== "";
    return true;
  },
  retry_join: texts((draft) => draft.servers, "servers"),
  start_join: texts((draft) => draft.servers, "servers"),
  recursors: texts((draft) => draft.recursors, "recursors"),
  ports: (value, draft) =>
    everyObject(value, (ports) => {
      for (const [name, port] of Object.entries(ports)) {
        if (typeof port !== "number" || !Number.isInteger(port)) return false;
        if (name === "http") draft.httpPort = port;
        if (name === "dns") draft.dnsPort = port;
      }
      return true;
    }),
  node_meta: (value, draft) =>
    everyObject(value, (meta) => {
      if (!Object.values(meta).every((item) => typeof item === "string")) return false;
      draft.meta = { ...draft.meta, ...(meta as Record<string, string>) };
      return true;
    }),
  enable_script_checks: flag((draft) => (draft.scriptChecks = "all")),
  enable_local_script_checks: flag((draft) => (draft.scriptChecks ??= "local")),
  leave_on_terminate: truth("leaveOnTerminate"),
  server: truth("isServer"),
  service: objects("services"),
  services: objects("services"),
  check: objects("checks"),
  checks: objects("checks"),
};

// `Service` stands in the documentation of `consul services register` beside `service`.
function readerOf(name: string): Reader | undefined {
  const known = name.toLowerCase();
  return Object.hasOwn(readers, known) ? readers[known] : undefined;
}

/** Consul's names that an agent here has no use for: what they arrange is not there, or arranges itself. */
const unused = new Set([
  ...["autopilot", "bootstrap", "bootstrap_expect", "connect", "disable_update_check"],
  ...["discovery_max_stale", "gossip_lan", "limits", "peering", "performance"],
  ...["primary_datacenter", "raft_protocol", "reconnect_timeout", "retry_interval", "retry_max", "segments"],
  ...[
    "skip_leave_on_interrupt",
    "telemetry",
    "tls",
    "ui",
    "ui_config",
    "verify_incoming",
    "verify_outgoing",
    "version",
  ],
]);

function text(
  field:
    | "nodeName"
    | "datacenter"
    | "dataFolder"
    | "bindAddress"
    | "advertiseAddress"
    | "joinTokenFile"
    | "domain"
    | "logLevel",
): Reader {
  return (value, draft) => {
    if (typeof value !== "string") return false;
    draft[field] = value;
    return true;
  };
}

function texts(now: (draft: Draft) => readonly string[], field: "servers" | "recursors"): Reader {
  return (value, draft) => {
    const list = typeof value === "string" ? [value] : value;
    if (!Array.isArray(list) || !list.every((item) => typeof item === "string")) return false;
    draft[field] = [...now(draft), ...list];
    return true;
  };
}

function flag(set: (draft: Draft) => void): Reader {
  return (value, draft) => {
    if (typeof value !== "boolean") return false;
    if (value) set(draft);
    return true;
  };
}

function truth(field: "leaveOnTerminate" | "isServer"): Reader {
  return (value, draft) => {
    if (typeof value !== "boolean") return false;
    draft[field] = value;
    return true;
  };
}

function objects(field: "services" | "checks"): Reader {
  return (value, draft) =>
    everyObject(value, (item) => {
      draft[field] = [...draft[field], unwrapped(item)];
      return true;
    });
}

// HCL has every block within as a list: a service's check is one of them, and its weights are the only ones.
function unwrapped(item: Readonly<Record<string, unknown>>): object {
  const entries = Object.entries(item).map(([name, value]): [string, unknown] => {
    if (!Array.isArray(value)) return [name, value];
    const objects = value.filter(isObject);
    if (objects.length < value.length) return [name, value];
    if (name === "check" || name === "checks") return ["checks", objects.map(unwrapped)];
    const [only] = objects;
    return objects.length === 1 && only ? [name, unwrapped(only)] : [name, value];
  });
  return Object.fromEntries(entries);
}

function everyObject(value: unknown, take: (item: Readonly<Record<string, unknown>>) => boolean): boolean {
  const list = Array.isArray(value) ? value : [value];
  return list.every((item) => isObject(item) && take(item));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inWords(addresses: string): readonly string[] {
  return addresses.split(/\s+/).filter((part) => part !== "");
}

function readAcl(acl: Readonly<Record<string, unknown>>, draft: Draft): boolean {
  const { enabled, default_policy: policy, tokens } = acl;
  if (!isNothing(enabled)) {
    if (typeof enabled !== "boolean") return false;
    draft.acl = { ...draft.acl, isEnabled: enabled };
  }
  if (!isNothing(policy) && policy !== "") {
    if (policy !== "allow" && policy !== "deny") return false;
    draft.acl = { ...draft.acl, defaultPolicy: policy };
  }
  return isNothing(tokens) || everyObject(tokens, (named) => readTokens(named, draft));
}

// Before 1.11 it was the master token.
function readTokens(named: Readonly<Record<string, unknown>>, draft: Draft): boolean {
  const token = named["initial_management"] ?? named["master"];
  if (isNothing(token) || token === "") return true;
  if (typeof token !== "string") return false;
  draft.acl = { ...draft.acl, managementToken: token };
  return true;
}

function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

// What may hold a token or a key is not shown.
function secretive(name: string, value: unknown): string {
  return name === "acl" || name === "encrypt" ? "what it is" : shown(value);
}

function unknown(name: string): Diagnostic {
  const near = similar(name, Object.keys(readers));
  return warningDiagnostic(`There is no setting ${name}`, near ? `Did you mean ${near}?` : "It is left out.");
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 40 ? `${json.slice(0, 40)}…` : json;
}
