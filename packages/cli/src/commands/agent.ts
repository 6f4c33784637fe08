import { type AgentConfig, type RunningAgent, startAgent } from "@millwright/agent/agent";
import { type Diagnostic, hasErrors } from "@millwright/core/diagnostics";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { formatAddress } from "@millwright/daemon/listener";
import { describeFlags, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { renderDiagnostics, sourcesIn } from "../views/diagnostics.ts";
import { agentFlags, type AgentFlagValues, type AgentPlan, agentPlan } from "./agent-config.ts";
import { untilAborted } from "./until-aborted.ts";

const usage = `Usage: millwright agent [flags]

  Runs a node: answers Consul's HTTP API and names on this machine, runs the
  checks of its services here, and keeps the servers' catalog as they are.
  It goes on until it is stopped with ^C or SIGTERM; SIGHUP reads the
  configuration files again.

      $ millwright agent -join=10.0.0.5:8500 -join-token-file=join-token \\
          -data-dir=/var/lib/millwright -config-dir=/etc/millwright
      $ dig @127.0.0.1 -p 8600 web.service.consul

Flags:

`;

/** Carries out `millwright agent`: runs until the signal aborts or the node is told to leave; resolves to the exit code. */
export async function runAgent(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseFlags(agentFlags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(usage + describeFlags(agentFlags));
    return 0;
  }
  if (parsed.kind === "mistake") return refuse(io, `${parsed.diagnostic.summary}. ${parsed.diagnostic.detail}`);
  if (parsed.args.length > 0)
    return refuse(io, `Unexpected argument ${JSON.stringify(parsed.args[0])}: this command takes flags alone.`);
  try {
    const plan = await agentPlan(parsed.values, io);
    if (typeof plan === "string") return await refuse(io, plan);
    if (plan.diagnostics.length > 0) await io.stderr(shown(plan.diagnostics, io));
    if (plan.isServer)
      return await refuse(io, 'The configuration says "server": run it with "consul agent" or "millwright server".');
    return hasErrors(plan.diagnostics) ? 1 : await serveAgent(plan, parsed.values, io);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return refuse(io, error.message);
  }
}

/** Runs an agent until the signal aborts or the node is told to leave; resolves to the exit code. */
export async function serveAgent(plan: AgentPlan, values: AgentFlagValues, io: CommandIo): Promise<number> {
  const left = new AbortController();
  const running: { agent?: RunningAgent } = {};
  const reload = async () => {
    const again = await agentPlan(values, io);
    if (typeof again === "string") return void (await refuse(io, again));
    if (again.diagnostics.length > 0) await io.stderr(shown(again.diagnostics, io));
    if (!hasErrors(again.diagnostics)) running.agent?.reconfigure(again.config);
  };
  const agent = await startAgent({ ...plan.config, onLeave: () => left.abort(), onReload: reload });
  running.agent = agent;
  // A configuration that cannot be used is said, and the one before goes on.
  const onHangup = () => void reload().catch((error: unknown) => refuse(io, messageOf(error)));
  process.on("SIGHUP", onHangup);
  try {
    await io.stdout(banner(agent, plan.config));
    await untilAborted(AbortSignal.any([io.signal, left.signal]));
    await io.stderr("Stopping: answering what is under way …\n");
    if (values["stop-tasks"]) await agent.stopTasks();
    if (plan.leaveOnTerminate && !left.signal.aborted) await leave(agent, io);
  } finally {
    process.off("SIGHUP", onHangup);
    await agent.close();
  }
  return 0;
}

function shown(diagnostics: readonly Diagnostic[], io: CommandIo): string {
  return renderDiagnostics(diagnostics, io.view, sourcesIn(io.cwd), false);
}

async function leave(agent: RunningAgent, io: CommandIo): Promise<void> {
  try {
    await agent.leave();
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    await io.stderr(`The node could not leave, and will be found lost: ${error.message}\n`);
  }
}

function banner(agent: RunningAgent, config: AgentConfig): string {
  const http = agent.http.map((address) => `${address.kind === "tcp" ? "http://" : ""}${formatAddress(address)}`);
  const nomad = agent.nomad.map((address) => `http://${formatAddress(address)}`);
  const dns = agent.dns.map(({ host, port }) => formatAddress({ kind: "tcp", host, port }));
  const servers = config.servers.length > 0 ? config.servers.join(", ") : "none yet: consul join ADDRESS";
  const lines = [
    "Millwright agent is running.",
    "",
    ...http.map((address) => `  Consul HTTP API  ${address}`),
    ...nomad.map((address) => `  Nomad HTTP API   ${address}`),
    ...dns.map((address) => `  DNS              ${address}`),
    `  Node             ${agent.nodeName} (${agent.nodeId})`,
    `  Servers          ${servers}`,
    ...(config.client ? [`  Jobs from        ${config.client.servers.join(", ")}`] : []),
    `  Data             ${config.dataFolder ?? "in memory, gone when it stops"}`,
    "",
    ...(http[0] === undefined || http[0] === "http://127.0.0.1:8500"
      ? []
      : [`  export CONSUL_HTTP_ADDR=${http[0]}`, ""]),
    "Stop it with ^C.",
    "",
  ];
  return lines.join("\n");
}

async function refuse(io: CommandIo, text: string): Promise<number> {
  await io.stderr(`Error: ${text}\n`);
  return 1;
}
