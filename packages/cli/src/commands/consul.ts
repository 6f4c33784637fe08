import { similar } from "@millwright/core/similar";
import { consulVersion } from "@millwright/discovery/identity";
import type { CommandIo } from "../io.ts";

const usage = `Usage: consul [--version] [--help] COMMAND [flags] [arguments]

Consul's command line, as far as it is served by Millwright:
    agent      Run a server (-dev, -server) or a client agent
    kv         Read and change the key-value store
    snapshot   Save and restore a server's state
    version    Print the version of the API that is served

Example: consul kv put app/name web
`;

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
    case "version":
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
      await io.stdout(usage);
      return 127;
    default: {
      const near = similar(name, ["agent", "kv", "snapshot", "version"]);
      await io.stderr(
        `There is no "consul ${name}" here yet.${near ? ` Did you mean "consul ${near}"?` : ""}\n\n${usage}`,
      );
      return 127;
    }
  }
}
