import { similar } from "@millwright/core/similar";
import { consulVersion } from "@millwright/core/followed-versions";
import type { CommandIo } from "../io.ts";

const usage = `Usage: consul [--version] [--help] COMMAND [flags] [arguments]

Consul's command line, as far as it is served by Millwright:
    agent      Run a server (-dev, -server) or a client agent
    catalog    Show datacenters, nodes and services of the catalog
    event      Fire a custom event
    info       Show the agent's own numbers
    join       Have the agent join servers
    kv         Read and change the key-value store
    leave      Have the agent leave, and end
    lock       Run a command while a lock is held
    maint      Take this node or a service of it out of use
    members    Show the nodes and whether they live
    reload     Have the agent read its configuration again
    services   Register and deregister services of this node
    snapshot   Save and restore a server's state
    watch      Run a command at each change of something
    version    Print the version of the API that is served

Example: consul kv put app/name web
`;

const commandNames = [
  ...["agent", "catalog", "event", "info", "join", "kv", "leave", "lock", "maint"],
  ...["members", "reload", "services", "snapshot", "watch", "version"],
];

/** Consul's own command line, as far as it is served. */
export async function runConsul(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  switch (name) {
    case "agent":
      return (await import("./consul-agent.ts")).runConsulAgent(rest, io);
    case "kv":
      return (await import("./kv.ts")).runKv(rest, io, "consul");
    case "snapshot":
      return (await import("./snapshot.ts")).runSnapshot(rest, io);
    case "catalog":
    case "event":
    case "info":
    case "join":
    case "leave":
    case "lock":
    case "maint":
    case "members":
    case "reload":
    case "services":
    case "watch":
    case "version":
      return (await import("../consul/main.ts")).runDiscoveryCommand(name, rest, io, "consul");
    case "-version":
    case "--version":
      await io.stdout(`Consul v${consulVersion} (served by Millwright)\n`);
      return 0;
    case "-h":
    case "-help":
    case "--help":
      await io.stdout(usage);
      return 0;
    case undefined:
      await io.stderr(usage);
      return 127;
    default: {
      const near = similar(name, commandNames);
      await io.stderr(
        `There is no "consul ${name}" here yet.${near ? ` Did you mean "consul ${near}"?` : ""}\n\n${usage}`,
      );
      return 127;
    }
  }
}
