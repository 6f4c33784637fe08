import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { AgentConfig } from "@millwright/agent/agent";
import { readConfigFiles } from "@millwright/agent/config-files";
import { type AclSettings, readSettings, type Settings } from "@millwright/agent/settings";
import type { NomadSettings } from "@millwright/agent/nomad-settings";
import type { Diagnostic } from "@millwright/core/diagnostics";
import type { LogLevel } from "@millwright/core/ports";
import { systemClock } from "@millwright/core/ports";
import type { ListenAddress } from "@millwright/daemon/listener";
import { lineLog, logLevels } from "@millwright/daemon/log";
import { clientFlags, clientPlan } from "./agent-client-config.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";

export const agentFlags = {
  join: {
    kind: "strings",
    value: "ADDRESS",
    help: "A server's HTTP API, as 10.0.0.5:8500 or a URL; may be given several times: the next is asked when one does not answer.",
  },
  "join-token-file": {
    kind: "string",
    value: "FILE",
    help: "The token to join with. Afterwards the node speaks with its own identity, kept in the data folder.",
  },
  "data-dir": {
    kind: "string",
    value: "FOLDER",
    help: "Where identity and registrations are kept; made, for this user alone, where it is not there.",
  },
  "config-file": {
    kind: "strings",
    value: "FILE",
    help: "A file in Consul's form, JSON or HCL; may be given several times.",
  },
  "config-dir": { kind: "strings", value: "FOLDER", help: "A folder of such files, read in the order of their names." },
  "http-port": {
    kind: "int",
    value: "PORT",
    help: "Port of Consul's HTTP API; 8500 by default, 0 takes any free one.",
  },
  "dns-port": {
    kind: "int",
    value: "PORT",
    help: "Port for names, UDP and TCP; 8600 by default, 0 takes any free one, -1 none.",
  },
  client: {
    kind: "string",
    value: "ADDRESSES",
    help: "Addresses that clients may reach, with spaces between; also unix:///path. 127.0.0.1 by default.",
  },
  advertise: {
    kind: "string",
    value: "ADDRESS",
    help: "The address under which others reach this node; found out by default.",
  },
  "free-ports": { kind: "bool", help: "Take a free port where the wanted one is taken." },
  node: { kind: "string", value: "NAME", help: "This node's name; the host's by default." },
  "node-meta": {
    kind: "strings",
    value: "KEY:VALUE",
    help: "What else to say of this node; may be given several times.",
  },
  datacenter: { kind: "string", value: "NAME", help: "This datacenter's name; dc1 by default." },
  domain: { kind: "string", value: "NAME", help: "The domain of names that are answered; consul by default." },
  recursor: { kind: "strings", value: "ADDRESS", help: "A DNS server that is asked for all other names." },
  "enable-script-checks": { kind: "bool", help: "Run scripts as checks, also those that the HTTP API registers." },
  "enable-local-script-checks": { kind: "bool", help: "Run scripts as checks, those of configuration files alone." },
  "leave-on-terminate": { kind: "bool", help: "Leave the datacenter when it is stopped, instead of being found lost." },
  ...clientFlags,
  "log-level": { kind: "string", value: "LEVEL", help: "trace, debug, info, warn or error; info by default." },
} as const satisfies FlagTable;

export type AgentFlagValues = FlagValues<typeof agentFlags>;

/** What flags and files say together; a flag wins over a file. */
export interface AgentPlan {
  readonly config: AgentConfig;
  readonly leaveOnTerminate: boolean;
  /** Whether the files ask for a server. */
  readonly isServer: boolean;
  /** What the files say of a server alone. */
  readonly acl: AclSettings;
  readonly hasGossipKey: boolean;
  /** What is wrong with the files; with an error there is no config to go by. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A string is what is wrong with the flags. Rejects where a configuration file cannot be read. */
export async function agentPlan(values: AgentFlagValues, io: CommandIo): Promise<AgentPlan | string> {
  const inCwd = (path: string) => resolve(io.cwd, path);
  const files = await readConfigFiles(values["config-file"].map(inCwd), values["config-dir"].map(inCwd));
  const { value: ofConsul, diagnostics } = readSettings(files.value);
  const client = await clientPlan(values, io);
  if (typeof client === "string") return client;
  const settings = { ...settingsOfNomad(client.files), ...ofConsul };
  const levelName = values["log-level"] ?? settings.logLevel?.toLowerCase() ?? "info";
  const level = logLevels.find((known): known is LogLevel => known === levelName);
  if (!level) return `-log-level=${levelName}: write trace, debug, info, warn or error.`;
  const meta = metaOf(values["node-meta"]);
  if (typeof meta === "string") return meta;
  const ports = { http: values["http-port"] ?? settings.httpPort, dns: values["dns-port"] ?? settings.dnsPort };
  for (const [name, port = 0] of Object.entries(ports))
    if (port < -1 || port > 65_535) return `-${name}-port=${port}: write a number from 0 to 65535, or -1 for none.`;
  const recursors = [...values.recursor, ...settings.recursors].map(recursorOf);
  const wrong = recursors.find((one) => typeof one === "string");
  if (typeof wrong === "string") return wrong;
  const config: AgentConfig = {
    ...listeners(values, settings, io),
    ...identity(values, settings),
    ...joining(values, settings, io),
    meta: { ...settings.meta, ...meta },
    recursors: recursors.filter((one) => typeof one !== "string"),
    dnsSettings: settings.dns,
    services: settings.services,
    checks: settings.checks,
    scriptChecks: scriptChecks(values, settings),
    freePortsIfTaken: values["free-ports"],
    ...(client.settings ? { client: client.settings } : {}),
    log: lineLog(level, systemClock, (line) => void io.stderr(line)),
  };
  const leaveOnTerminate = values["leave-on-terminate"] || (settings.leaveOnTerminate ?? false);
  const { hasGossipKey = false, acl } = settings;
  const isServer = settings.isServer ?? client.files.isServer ?? false;
  const said = [...files.diagnostics, ...diagnostics, ...client.diagnostics];
  return { config, leaveOnTerminate, isServer, acl, hasGossipKey, diagnostics: said };
}

// Who the node is may stand in files of either form.
function settingsOfNomad({ nodeName, dataFolder, bindAddress, advertiseAddress, logLevel }: NomadSettings) {
  return {
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(dataFolder === undefined ? {} : { dataFolder }),
    ...(bindAddress === undefined ? {} : { bindAddress }),
    ...(advertiseAddress === undefined ? {} : { advertiseAddress }),
    ...(logLevel === undefined ? {} : { logLevel }),
  };
}

function listeners(values: AgentFlagValues, settings: Settings, io: CommandIo): Pick<AgentConfig, "http" | "dns"> {
  const given = values.client?.split(/\s+/).filter(Boolean) ?? settings.clientAddresses ?? ["127.0.0.1"];
  const clients = settings.httpAddresses ?? given;
  const httpPort = values["http-port"] ?? settings.httpPort ?? 8500;
  const dnsPort = values["dns-port"] ?? settings.dnsPort ?? 8600;
  const hosts = hostsOf(clients);
  const sockets = clients.filter((text) => text.startsWith("unix://"));
  return {
    http: [
      ...(httpPort < 0 ? [] : hosts.map((host): ListenAddress => ({ kind: "tcp", host, port: httpPort }))),
      ...sockets.map((text): ListenAddress => ({ kind: "unix", path: resolve(io.cwd, text.slice("unix://".length)) })),
    ],
    dns: dnsPort < 0 ? [] : hostsOf(settings.dnsAddresses ?? given).map((host) => ({ host, port: dnsPort })),
  };
}

function hostsOf(addresses: readonly string[]): readonly string[] {
  return addresses.filter((text) => !text.startsWith("unix://")).map((text) => text.replace(/^\[|\]$/g, ""));
}

function identity(values: AgentFlagValues, settings: Settings): Partial<AgentConfig> {
  const nodeName = values.node ?? settings.nodeName;
  const datacenter = values.datacenter ?? settings.datacenter;
  const advertiseAddress = values.advertise ?? settings.advertiseAddress ?? specific(settings.bindAddress);
  const domain = values.domain ?? settings.domain;
  return {
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(settings.nodeId === undefined ? {} : { nodeId: settings.nodeId }),
    ...(datacenter === undefined ? {} : { datacenter }),
    ...(advertiseAddress === undefined ? {} : { advertiseAddress }),
    ...(domain === undefined ? {} : { domain }),
  };
}

function joining(values: AgentFlagValues, settings: Settings, io: CommandIo): Pick<AgentConfig, "servers"> {
  const dataFolder = values["data-dir"] ?? settings.dataFolder;
  const file = values["join-token-file"] ?? settings.joinTokenFile;
  return {
    servers: [...values.join, ...settings.servers].map(withPort),
    ...(dataFolder === undefined ? {} : { dataFolder: resolve(io.cwd, dataFolder) }),
    // Read at each join: the token may have been changed, or the file removed once the node has joined.
    ...(file === undefined
      ? {}
      : { joinToken: async () => (await readFile(resolve(io.cwd, file), "utf8").catch(() => "")).trim() || undefined }),
  };
}

function scriptChecks(values: AgentFlagValues, settings: Settings): "none" | "local" | "all" {
  if (values["enable-script-checks"]) return "all";
  return settings.scriptChecks ?? (values["enable-local-script-checks"] ? "local" : "none");
}

// An address that stands for all of them says nothing of where others find this node.
function specific(address: string | undefined): string | undefined {
  return address === "0.0.0.0" || address === "::" || address === "" ? undefined : address;
}

function withPort(address: string): string {
  return address.includes("://") || /:\d+$/.test(address) ? address : `${address}:8500`;
}

function metaOf(pairs: readonly string[]): Readonly<Record<string, string>> | string {
  const wrong = pairs.find((pair) => !pair.includes(":"));
  if (wrong !== undefined) return `-node-meta=${wrong}: write KEY:VALUE.`;
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf(":")), pair.slice(pair.indexOf(":") + 1)]));
}

function recursorOf(text: string): { readonly host: string; readonly port: number } | string {
  const match = /^(\[[0-9a-f:]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(text);
  if (!match || Number(match[2] ?? 53) > 65_535)
    return `-recursor=${text}: write an address, as 10.0.0.2 or 10.0.0.2:53.`;
  return { host: (match[1] ?? "").replace(/^\[|\]$/g, ""), port: Number(match[2] ?? 53) };
}
