import { describeFlags, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { serverConfigOf, serverFlags } from "./server-config.ts";

const usage = `Usage: millwright server [flags]

  Runs the servers of Consul's, Vault's and Nomad's HTTP APIs, with a node for
  itself that answers names, until it is stopped with ^C or SIGTERM.

      $ millwright server -dev
      $ millwright server -data-dir=/var/lib/millwright -client=10.0.0.5

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
  const config = await serverConfigOf(parsed.values, io);
  if (typeof config === "string") return refuse(io, config);
  return (await import("./serve.ts")).serve(config, io);
}

async function refuse(io: CommandIo, text: string): Promise<number> {
  await io.stderr(`Error: ${text}\n`);
  return 1;
}
