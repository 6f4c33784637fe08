import { resolve } from "node:path";
import type { LogLevel } from "@millwright/core/ports";
import { systemClock } from "@millwright/core/ports";
import { OperationalError } from "@millwright/core/errors";
import { readFile } from "node:fs/promises";
import { formatAddress, type ListenAddress } from "@millwright/daemon/listener";
import { lineLog, logLevels } from "@millwright/daemon/log";
import {
  type AclConfig,
  type RunningServer,
  type ServerConfig,
  startServer,
  type StoreConfig,
} from "@millwright/server/server";
import { describeFlags, type FlagTable, type FlagValues, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";

const serverFlags = {
  dev: { kind: "bool", help: "For development: keeps everything in memory, and answers with indented JSON." },
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
  "http-port": { kind: "int", value: "PORT", help: "Port of the HTTP API; 8500 by default, 0 takes any free one." },
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
  "log-level": { kind: "string", value: "LEVEL", help: "trace, debug, info, warn or error; info by default." },
  "acl-default-policy": {
    kind: "string",
    value: "POLICY",
    help: "allow or deny: what a request without a token may do. Needs -acl-token-file.",
  },
  "acl-token-file": { kind: "string", value: "FILE", help: "A file with the token that may do everything." },
} as const satisfies FlagTable;

const usage = `Usage: millwright server [flags]

  Runs the server of Consul's HTTP API, until it is stopped with ^C or SIGTERM.

      $ millwright server -dev
      $ millwright server -data-dir=/var/lib/millwright -client="127.0.0.1 10.0.0.5"

Flags:

`;

/** Carries out `millwright server`: runs until the signal aborts; resolves to the exit code. */
export async function runServer(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseFlags(serverFlags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(usage + describeFlags(serverFlags));
    return 0;
  }
  if (parsed.kind === "mistake") return refuse(io, `${parsed.diagnostic.summary}. ${parsed.diagnostic.detail}`);
  if (parsed.args.length > 0)
    return refuse(io, `Unexpected argument ${JSON.stringify(parsed.args[0])}: this command takes flags alone.`);
  const { values } = parsed;
  try {
    const config = await configFromFlags(values, io);
    if (typeof config === "string") return await refuse(io, config);
    const server = await startServer(config);
    await io.stdout(banner(server, config));
    await untilAborted(io.signal);
    await io.stderr("Stopping: answering what is under way …\n");
    await server.close();
    return 0;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return refuse(io, error.message);
  }
}

type Values = FlagValues<typeof serverFlags>;

// A string is what is wrong with the flags.
async function configFromFlags(values: Values, io: CommandIo): Promise<ServerConfig | string> {
  const level = logLevels.find((known): known is LogLevel => known === (values["log-level"] ?? "info"));
  if (!level) return `-log-level=${values["log-level"]}: write trace, debug, info, warn or error.`;
  const store = storeFromFlags(values, io);
  if (typeof store === "string") return store;
  const acl = await aclFromFlags(values, io);
  if (typeof acl === "string") return acl;
  const port = values["http-port"] ?? 8500;
  if (port < 0 || port > 65_535) return `-http-port=${port}: write a number from 0 to 65535.`;
  return {
    http: (values.client ?? "127.0.0.1")
      .split(/\s+/)
      .filter(Boolean)
      .map((text) => listenAddress(text, port, io)),
    freePortsIfTaken: values["free-ports"],
    store,
    pretty: values.dev,
    log: lineLog(level, systemClock, (line) => void io.stderr(line)),
    ...(acl ? { acl } : {}),
    ...(values.node === undefined ? {} : { nodeName: values.node }),
    ...(values.datacenter === undefined ? {} : { datacenter: values.datacenter }),
    ...(values.bind === undefined ? {} : { advertiseAddress: values.bind }),
  };
}

function storeFromFlags(values: Values, io: CommandIo): StoreConfig | string {
  const kind = values.store ?? (values.dev ? "memory" : "sqlite");
  const folder = values["data-dir"];
  if (kind === "memory") return { kind };
  if (kind !== "sqlite" && kind !== "etcd") return `-store=${kind}: write memory, sqlite or etcd.`;
  if (folder === undefined)
    return "Give -data-dir=FOLDER for what is to be kept, or -dev to keep everything in memory.";
  const dataFolder = resolve(io.cwd, folder);
  if (kind === "sqlite") return { kind, dataFolder };
  const endpoints = values["etcd-endpoints"];
  if (endpoints.length === 0) return "Give -etcd-endpoints=HOST:PORT for the store etcd.";
  return { kind, dataFolder, endpoints, prefix: values["etcd-prefix"] ?? "millwright/" };
}

async function aclFromFlags(values: Values, io: CommandIo): Promise<AclConfig | undefined | string> {
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

function listenAddress(text: string, port: number, io: CommandIo): ListenAddress {
  if (text.startsWith("unix://")) return { kind: "unix", path: resolve(io.cwd, text.slice("unix://".length)) };
  return { kind: "tcp", host: text.replace(/^\[|\]$/g, ""), port };
}

function banner(server: RunningServer, config: ServerConfig): string {
  const addresses = server.http.map((address) => `${address.kind === "tcp" ? "http://" : ""}${formatAddress(address)}`);
  const kept = config.store?.kind === "memory" ? "in memory, gone when it stops" : describeStore(config.store);
  const lines = [
    "Millwright server is running.",
    "",
    ...addresses.map((address) => `  Consul HTTP API  ${address}`),
    `  Data             ${kept}`,
    `  Datacenter       ${config.datacenter ?? "dc1"}`,
    `  Node id          ${server.nodeId}`,
    "",
    ...(addresses[0] === "http://127.0.0.1:8500" ? [] : [`  export CONSUL_HTTP_ADDR=${addresses[0]}`, ""]),
    "Stop it with ^C.",
    "",
  ];
  return lines.join("\n");
}

function describeStore(store: StoreConfig | undefined): string {
  if (store?.kind === "sqlite") return store.dataFolder;
  return store?.kind === "etcd" ? `etcd at ${store.endpoints.join(", ")}` : "in memory, gone when it stops";
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
}

async function refuse(io: CommandIo, text: string): Promise<number> {
  await io.stderr(`Error: ${text}\n`);
  return 1;
}
