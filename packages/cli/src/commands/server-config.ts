import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { LogLevel } from "@millwright/core/ports";
import { systemClock } from "@millwright/core/ports";
import type { ListenAddress } from "@millwright/daemon/listener";
import { lineLog, logLevels } from "@millwright/daemon/log";
import type { AclConfig, ServerConfig, StoreConfig } from "@millwright/server/server";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";

export const serverFlags = {
  dev: {
    kind: "bool",
    help: "For development: keeps everything in memory, unseals the secrets by itself, and answers with indented JSON.",
  },
  "data-dir": {
    kind: "string",
    value: "FOLDER",
    help: "Where to keep data; made, for this user alone, where it is not there.",
  },
  store: {
    kind: "string",
    value: "ENGINE",
    help: "memory, sqlite or etcd; memory with -dev, else sqlite in the data folder.",
  },
  "secrets-store": {
    kind: "string",
    value: "WHICH",
    help: "own or shared: whether secrets have a store of their own. own by default with sqlite, else shared.",
  },
  "secrets-data-dir": {
    kind: "string",
    value: "FOLDER",
    help: "Where the secrets' own store is kept; the data folder by default.",
  },
  "etcd-endpoints": {
    kind: "strings",
    value: "ADDRESS",
    help: "An etcd server, such as 127.0.0.1:2379; may be given several times.",
  },
  "etcd-prefix": {
    kind: "string",
    value: "PREFIX",
    help: 'What all keys in etcd start with; "millwright/" by default.',
  },
  "http-port": {
    kind: "int",
    value: "PORT",
    help: "Port of Consul's HTTP API; 8500 by default. 0 takes any free one, also for the ports below that are not given.",
  },
  "vault-port": {
    kind: "int",
    value: "PORT",
    help: "Port of Vault's HTTP API; 8200 by default, -1 serves no secrets.",
  },
  "nomad-port": {
    kind: "int",
    value: "PORT",
    help: "Port of Nomad's HTTP API; 4646 by default, -1 serves no jobs.",
  },
  region: { kind: "string", value: "NAME", help: 'The region of the jobs; "global" by default.' },
  "dns-port": { kind: "int", value: "PORT", help: "Port for DNS, UDP and TCP; 8600 by default, -1 answers no names." },
  client: {
    kind: "string",
    value: "ADDRESSES",
    help: "Addresses that clients may reach, with spaces between; also unix:///path. 127.0.0.1 by default.",
  },
  bind: {
    kind: "string",
    value: "ADDRESS",
    help: "The address under which other servers reach this one; 127.0.0.1 by default.",
  },
  "free-ports": { kind: "bool", help: "Take a free port where the wanted one is taken." },
  node: { kind: "string", value: "NAME", help: "This node's name; the host's by default." },
  datacenter: { kind: "string", value: "NAME", help: "This datacenter's name; dc1 by default." },
  "join-token-file": {
    kind: "string",
    value: "FILE",
    help: "The token that nodes join with; made where it is not there. join-token in the data folder by default.",
  },
  "dev-seal-dir": {
    kind: "string",
    value: "FOLDER",
    help: "For development: keep unseal key and root token in this folder, and unseal with them at each start.",
  },
  "enable-script-checks": { kind: "bool", help: "Let this server's own node run scripts as checks." },
  "enable-gate-commands": {
    kind: "bool",
    help: "Let gates of jobs run commands, as this server and in its folder.",
  },
  "log-level": { kind: "string", value: "LEVEL", help: "trace, debug, info, warn or error; info by default." },
  "acl-default-policy": {
    kind: "string",
    value: "POLICY",
    help: "allow or deny: what a request without a token may do. Needs -acl-token-file.",
  },
  "acl-token-file": { kind: "string", value: "FILE", help: "A file with the token that may do everything." },
} as const satisfies FlagTable;

export type ServerFlagValues = FlagValues<typeof serverFlags>;

/** What flags say; a string is what is wrong with them. */
export async function serverConfigOf(values: ServerFlagValues, io: CommandIo): Promise<ServerConfig | string> {
  const level = logLevels.find((known): known is LogLevel => known === (values["log-level"] ?? "info"));
  if (!level) return `-log-level=${values["log-level"]}: write trace, debug, info, warn or error.`;
  const stores = storesOf(values, io);
  if (typeof stores === "string") return stores;
  const acl = await aclOf(values, io);
  if (typeof acl === "string") return acl;
  const ports = portsOf(values);
  if (typeof ports === "string") return ports;
  const clients = (values.client ?? "127.0.0.1").split(/\s+/).filter(Boolean);
  const hosts = clients.filter((text) => !text.startsWith("unix://"));
  const seal = devSealOf(values, io);
  return {
    http: clients.map((text) => listenAddress(text, ports.http, io)),
    vault: ports.vault < 0 ? [] : hosts.map((host) => listenAddress(host, ports.vault, io)),
    nomad: ports.nomad < 0 ? [] : hosts.map((host) => listenAddress(host, ports.nomad, io)),
    dns: ports.dns < 0 ? [] : hosts.map((host) => ({ host: withoutBrackets(host), port: ports.dns })),
    freePortsIfTaken: values["free-ports"],
    ...stores,
    ...(seal === undefined ? {} : { devSeal: { folder: seal } }),
    pretty: values.dev,
    scriptChecks: values["enable-script-checks"] ? "all" : "none",
    ...(values["enable-gate-commands"] ? { gateCommands: gateCommandsIn(io) } : {}),
    log: lineLog(level, systemClock, (line) => void io.stderr(line)),
    ...(acl ? { acl } : {}),
    ...(values.node === undefined ? {} : { nodeName: values.node }),
    ...(values.datacenter === undefined ? {} : { datacenter: values.datacenter }),
    ...(values.region === undefined ? {} : { region: values.region }),
    ...(values.bind === undefined ? {} : { advertiseAddress: values.bind }),
    ...(values["join-token-file"] === undefined ? {} : { joinTokenFile: resolve(io.cwd, values["join-token-file"]) }),
  };
}

/** Commands of gates are other people's: of the server's environment they have what finds programs and their words. */
function gateCommandsIn({ cwd, env }: CommandIo): NonNullable<ServerConfig["gateCommands"]> {
  const known = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];
  return { folder: cwd, env: Object.fromEntries(known.map((name) => [name, env[name]])) };
}

/** The folder that keeps the unseal key of a server that unseals itself, apart from its data. */
export function devSealFolder(dataFolder: string, env: CommandIo["env"]): string {
  // Without HOME it is the user's home all the same: a folder in a place for everybody could be somebody else's making.
  const home = env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local", "state");
  const name = createHash("sha256").update(dataFolder).digest("hex").slice(0, 12);
  return join(home, "millwright", `dev-${name}`);
}

function devSealOf(values: ServerFlagValues, io: CommandIo): string | undefined {
  const folder = values["dev-seal-dir"];
  if (folder !== undefined) return resolve(io.cwd, folder);
  if (!values.dev) return undefined;
  // In memory the data is another one each time, and so is the place of its key.
  const data = values["data-dir"];
  return devSealFolder(data === undefined ? `memory ${process.pid}` : resolve(io.cwd, data), io.env);
}

function storesOf(values: ServerFlagValues, io: CommandIo): Pick<ServerConfig, "store" | "secretsStore"> | string {
  const store = storeOf(values, io);
  if (typeof store === "string") return store;
  const which = values["secrets-store"] ?? (store.kind === "sqlite" ? "own" : "shared");
  const folder = values["secrets-data-dir"];
  if (which !== "own" && which !== "shared") return `-secrets-store=${which}: write own or shared.`;
  if (which === "shared")
    return folder === undefined
      ? { store }
      : "-secrets-data-dir is for a store of the secrets' own: -secrets-store=own.";
  if (store.kind === "memory") return { store, secretsStore: { kind: "memory" } };
  const dataFolder = folder === undefined ? store.dataFolder : resolve(io.cwd, folder);
  return { store, secretsStore: { kind: "sqlite", dataFolder } };
}

function storeOf(values: ServerFlagValues, io: CommandIo): StoreConfig | string {
  const folder = values["data-dir"];
  const kind = values.store ?? (values.dev && folder === undefined ? "memory" : "sqlite");
  if (kind === "memory") return { kind };
  if (kind !== "sqlite" && kind !== "etcd") return `-store=${kind}: write memory, sqlite or etcd.`;
  if (folder === undefined)
    return "Give -data-dir=FOLDER for what is to be kept, or -dev to keep everything in memory.";
  const dataFolder = resolve(io.cwd, folder);
  if (kind === "sqlite") return { kind, dataFolder };
  const given = values["etcd-endpoints"].flatMap((text) => text.split(",")).filter(Boolean);
  if (given.length === 0) return "Give -etcd-endpoints=HOST:PORT for the store etcd.";
  const endpoints = given.map((text) => (text.includes("://") ? text : `http://${text}`));
  const wrong = endpoints.findIndex((text) => !/^https?:$/.test(URL.parse(text)?.protocol ?? ""));
  if (wrong >= 0) return `-etcd-endpoints=${given[wrong]}: write HOST:PORT, http://HOST:PORT or https://HOST:PORT.`;
  return { kind, dataFolder, endpoints, prefix: values["etcd-prefix"] ?? "millwright/" };
}

async function aclOf(values: ServerFlagValues, io: CommandIo): Promise<AclConfig | undefined | string> {
  const policy = values["acl-default-policy"];
  const file = values["acl-token-file"];
  if (policy === undefined && file === undefined) return undefined;
  if (file === undefined)
    return "Give -acl-token-file=FILE with -acl-default-policy: without a token nobody could do anything.";
  if (policy !== undefined && policy !== "allow" && policy !== "deny")
    return `-acl-default-policy=${policy}: write allow or deny.`;
  const masterToken = (await readFile(resolve(io.cwd, file), "utf8").catch(() => "")).trim();
  if (masterToken === "") return `-acl-token-file=${file}: the file cannot be read or is empty.`;
  return { defaultPolicy: policy ?? "deny", masterToken };
}

function portsOf(values: ServerFlagValues) {
  const http = values["http-port"] ?? 8500;
  if (http < 0 || http > 65_535) return `-http-port=${http}: write a number from 0 to 65535.`;
  const usual = { vault: 8200, nomad: 4646, dns: 8600 } as const;
  const ports: Record<"http" | keyof typeof usual, number> = { http, ...usual };
  for (const [name, port] of Object.entries(usual) as [keyof typeof usual, number][]) {
    const wanted = values[`${name}-port`] ?? (http === 0 ? 0 : port);
    if (wanted < -1 || wanted > 65_535)
      return `-${name}-port=${wanted}: write a number from 0 to 65535, or -1 for none.`;
    ports[name] = wanted;
  }
  return ports;
}

function listenAddress(text: string, port: number, io: CommandIo): ListenAddress {
  if (text.startsWith("unix://")) return { kind: "unix", path: resolve(io.cwd, text.slice("unix://".length)) };
  return { kind: "tcp", host: withoutBrackets(text), port };
}

function withoutBrackets(text: string): string {
  return text.replace(/^\[|\]$/g, "");
}
