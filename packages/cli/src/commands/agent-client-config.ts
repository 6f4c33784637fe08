import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ClientSettings } from "@millwright/agent/client-settings";
import { readConfigFiles } from "@millwright/agent/config-files";
import { type NomadSettings, readNomadSettings, withNomadPort } from "@millwright/agent/nomad-settings";
import { type Diagnostic, errorDiagnostic } from "@millwright/core/diagnostics";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";

/** Those of an agent's flags that are about jobs. */
export const clientFlags = {
  "nomad-servers": {
    kind: "strings",
    value: "ADDRESS",
    help: "A server's Nomad HTTP API, as 10.0.0.5:4646 or a URL: with it this node runs jobs. May be given several times.",
  },
  "nomad-port": {
    kind: "int",
    value: "PORT",
    help: "Port of Nomad's HTTP API on this node; 4646 by default, 0 takes any free one.",
  },
  config: {
    kind: "strings",
    value: "PATH",
    help: "A file, or a folder of files, in the form of Nomad's agent configuration; may be given several times.",
  },
  region: { kind: "string", value: "NAME", help: "The region of the servers of jobs; any by default." },
  "nomad-datacenter": {
    kind: "string",
    value: "NAME",
    help: "The datacenter that jobs ask for, where it is another than -datacenter.",
  },
  "node-class": { kind: "string", value: "NAME", help: "The class of node that jobs may ask for." },
  "node-pool": { kind: "string", value: "NAME", help: "The pool that the node is in for jobs; default by default." },
  meta: {
    kind: "strings",
    value: "KEY=VALUE",
    help: "What jobs may ask for as ${meta.KEY}; may be given several times.",
  },
  "driver-raw-exec": {
    kind: "bool",
    help: "Run tasks of the driver raw_exec: programs without isolation, as this agent's user.",
  },
  "stop-tasks": { kind: "bool", help: "End all tasks when it is stopped; by default they go on, and are found again." },
  "vault-address": { kind: "string", value: "URL", help: "The secrets server that tasks get their tokens from." },
} as const satisfies FlagTable;

export type ClientFlagValues = FlagValues<typeof clientFlags>;

/** What flags and files in Nomad's form say together; a flag wins over a file. */
export interface ClientPlan {
  readonly files: NomadSettings;
  /** Undefined where the node is to run no jobs. */
  readonly settings: ClientSettings | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** A string is what is wrong with the flags. Rejects where a configuration file cannot be read. */
export async function clientPlan(values: ClientFlagValues, io: CommandIo): Promise<ClientPlan | string> {
  const raw = await readNomadFiles(values.config.map((path) => resolve(io.cwd, path)));
  const { value: files, diagnostics } = readNomadSettings(raw.value);
  const said: Diagnostic[] = [...raw.diagnostics, ...diagnostics];
  const meta = metaOf(values.meta);
  if (typeof meta === "string") return meta;
  const port = values["nomad-port"] ?? files.client.port;
  if (port !== undefined && (port < 0 || port > 65_535)) return `-nomad-port=${port}: write a number from 0 to 65535.`;
  const servers = [...values["nomad-servers"].map(withNomadPort), ...files.client.servers];
  const isWanted = files.isEnabled ?? servers.length > 0;
  if (!isWanted) return { files, settings: undefined, diagnostics: said };
  if (servers.length === 0) said.push(noServers());
  const { dynamicPorts } = files.client;
  if (dynamicPorts && dynamicPorts.from > dynamicPorts.to)
    said.push(
      errorDiagnostic(
        `There are no ports from ${dynamicPorts.from} to ${dynamicPorts.to}`,
        "Set min_dynamic_port below max_dynamic_port.",
      ),
    );
  const settings = { ...files.client, ...given(values, files), servers, meta: { ...files.client.meta, ...meta } };
  const drivers = { ...settings.drivers, ...(values["driver-raw-exec"] ? { rawExec: true } : {}) };
  return { files, settings: { ...settings, drivers, ...(port === undefined ? {} : { port }) }, diagnostics: said };
}

function given(values: ClientFlagValues, files: NomadSettings): Partial<ClientSettings> {
  const { region } = values;
  const { "nomad-datacenter": datacenter, "node-class": nodeClass, "node-pool": nodePool } = values;
  const address = values["vault-address"];
  return {
    ...(region === undefined ? {} : { region }),
    ...(datacenter === undefined ? {} : { datacenter }),
    ...(nodeClass === undefined ? {} : { nodeClass }),
    ...(nodePool === undefined ? {} : { nodePool }),
    ...(address === undefined ? {} : { vault: { ...files.client.vault, address } }),
  };
}

async function readNomadFiles(paths: readonly string[]) {
  const folders = await Promise.all(paths.map(isFolder));
  return readConfigFiles(
    paths.filter((_, i) => !folders[i]),
    paths.filter((_, i) => folders[i]),
  );
}

// One that is not there is said by the reading of it.
async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function noServers(): Diagnostic {
  return errorDiagnostic(
    "The client has no servers of jobs",
    "Give the address of a server's Nomad HTTP API with -nomad-servers=HOST:4646, or client { servers = […] }.",
  );
}

function metaOf(pairs: readonly string[]): Readonly<Record<string, string>> | string {
  const wrong = pairs.find((pair) => pair.indexOf("=") < 1);
  if (wrong !== undefined) return `-meta=${wrong}: write KEY=VALUE.`;
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}
