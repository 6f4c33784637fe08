import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { hasErrors } from "@millwright/core/diagnostics";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { ServerConfig } from "@millwright/server/server";
import { describeFlags, type FlagTable, type FlagValues, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { renderDiagnostics, sourcesIn } from "../views/diagnostics.ts";
import { agentFlags, type AgentPlan, agentPlan } from "./agent-config.ts";
import { serveAgent } from "./agent.ts";
import { serve } from "./serve.ts";

const consulAgentFlags = {
  dev: { kind: "bool", help: "A server for development, with everything in memory." },
  server: { kind: "bool", help: "A server; without it a client agent." },
  bootstrap: { kind: "bool", help: "Taken, and without effect: a server here needs no others." },
  "bootstrap-expect": { kind: "int", value: "N", help: "Taken for 1; several servers share an etcd instead." },
  bind: { kind: "string", value: "ADDRESS", help: "The same as -advertise." },
  "retry-join": { kind: "strings", value: "ADDRESS", help: "The same as -join." },
  "pid-file": { kind: "string", value: "FILE", help: "Where to write the process's number." },
  ui: { kind: "bool", help: "Taken, and without effect: there is no web console yet." },
  "disable-host-node-id": { kind: "bool", help: "Taken, and without effect: a node's id is a random one." },
  ...agentFlags,
} as const satisfies FlagTable;

type Values = FlagValues<typeof consulAgentFlags>;

const usage = `Usage: consul agent [flags]

  Runs a node in Consul's own words: a server with -dev or -server, else a
  client agent. "millwright server" and "millwright agent" have all flags.

      $ consul agent -dev
      $ consul agent -server -bootstrap -data-dir=/var/lib/consul
      $ consul agent -join=10.0.0.5:8500 -data-dir=/var/lib/consul

Flags:

`;

/** `consul agent`: runs until the signal aborts; resolves to the exit code. */
export async function runConsulAgent(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseFlags(consulAgentFlags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(usage + describeFlags(consulAgentFlags));
    return 0;
  }
  if (parsed.kind === "mistake") return refuse(io, `${parsed.diagnostic.summary}. ${parsed.diagnostic.detail}`);
  if (parsed.args.length > 0)
    return refuse(io, `Unexpected argument ${JSON.stringify(parsed.args[0])}: this command takes flags alone.`);
  const values = withSynonyms(parsed.values);
  const pidFile = values["pid-file"] === undefined ? undefined : resolve(io.cwd, values["pid-file"]);
  try {
    const plan = await agentPlan(values, io);
    if (typeof plan === "string") return await refuse(io, plan);
    if (plan.diagnostics.length > 0)
      await io.stderr(renderDiagnostics(plan.diagnostics, io.view, sourcesIn(io.cwd), false));
    if (hasErrors(plan.diagnostics)) return 1;
    const unwritten = pidFile === undefined ? undefined : await writePid(pidFile);
    if (unwritten !== undefined) return await refuse(io, unwritten);
    if (!values.dev && !values.server && !plan.isServer) return await serveAgent(plan, values, io);
    const config = serverConfigOf(plan, values);
    return typeof config === "string" ? await refuse(io, config) : await serve(config, io, () => readAgain(values, io));
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return refuse(io, error.message);
  } finally {
    if (pidFile !== undefined) await rm(pidFile, { force: true });
  }
}

function withSynonyms(values: Values): Values {
  const advertise = values.advertise ?? values.bind;
  return { ...values, join: [...values.join, ...values["retry-join"]], advertise };
}

// A server in Consul's words serves Consul's API alone.
function serverConfigOf({ config, ...plan }: AgentPlan, values: Values): ServerConfig | string {
  if ((values["bootstrap-expect"] ?? 1) > 1)
    return "-bootstrap-expect: servers do not find each other here. Let several share an etcd: millwright server -store=etcd.";
  if (!values.dev && config.dataFolder === undefined)
    return "Give -data-dir=FOLDER for what is to be kept, or -dev to keep everything in memory.";
  const acl = aclOf(plan.acl);
  if (typeof acl === "string") return acl;
  const {
    dataFolder,
    nodeName,
    nodeId,
    meta,
    datacenter,
    advertiseAddress,
    services,
    checks,
    scriptChecks,
    log,
    http,
    dns,
  } = config;
  return {
    ...(http ? { http } : {}),
    ...(dns ? { dns } : {}),
    store: dataFolder === undefined || values.dev ? { kind: "memory" } : { kind: "sqlite", dataFolder },
    pretty: values.dev,
    freePortsIfTaken: config.freePortsIfTaken ?? false,
    openJoin: !plan.hasGossipKey,
    ...(acl ? { acl } : {}),
    ...(meta ? { meta } : {}),
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(datacenter === undefined ? {} : { datacenter }),
    ...(advertiseAddress === undefined ? {} : { advertiseAddress }),
    ...(services ? { services } : {}),
    ...(checks ? { checks } : {}),
    ...(scriptChecks ? { scriptChecks } : {}),
    ...(log ? { log } : {}),
  };
}

function aclOf({ isEnabled = false, defaultPolicy = "allow", managementToken }: AgentPlan["acl"]) {
  if (!isEnabled) return undefined;
  if (managementToken === undefined)
    return "acl.enabled: give acl.tokens.initial_management too. There are no other tokens here, and no bootstrap.";
  return { defaultPolicy, masterToken: managementToken };
}

async function readAgain(values: Values, io: CommandIo) {
  const plan = await agentPlan(values, io);
  if (typeof plan === "string") return void (await refuse(io, plan));
  if (plan.diagnostics.length > 0)
    await io.stderr(renderDiagnostics(plan.diagnostics, io.view, sourcesIn(io.cwd), false));
  const { services = [], checks = [] } = plan.config;
  return hasErrors(plan.diagnostics) ? undefined : { services, checks };
}

/** A string is why it could not be written. */
async function writePid(file: string): Promise<string | undefined> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${process.pid}\n`);
    return undefined;
  } catch (error) {
    return `Cannot write -pid-file=${file}: ${messageOf(error)}. Check the path and its permissions.`;
  }
}

async function refuse(io: CommandIo, text: string): Promise<number> {
  await io.stderr(`==> ${text}\n`);
  return 1;
}
