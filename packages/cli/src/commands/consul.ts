import { similar } from "@millwright/core/similar";
import type { CommandIo } from "../io.ts";
import { runKv } from "./kv.ts";

/** Consul's own command line, as far as it is served. */
export async function runConsul(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  if (name === "kv") return runKv([...rest], io, "consul");
  if (name === "version" || name === "--version" || name === "-version") {
    await io.stdout("Consul v1.22.0 (served by Millwright)\n");
    return 0;
  }
  const text = `Usage: consul [--version] [--help] <command> [<args>]

Consul's command line, served by Millwright. Available commands are:
    kv         Interact with the key-value store
    version    Prints the version

Example: consul kv put app/name web
`;
  if (name === undefined || /^--?h(elp)?$/.test(name)) {
    await io.stdout(text);
    return name === undefined ? 127 : 0;
  }
  const near = similar(name, ["kv", "version"]);
  await io.stderr(`There is no "consul ${name}" here yet.${near ? ` Did you mean "consul ${near}"?` : ""}\n\n${text}`);
  return 127;
}
