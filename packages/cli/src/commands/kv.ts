import { OperationalError } from "@millwright/core/errors";
import { similar } from "@millwright/core/similar";
import { describeFlags, type FlagTable, parseFlags, wrap } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import type { KvCommand } from "./kv-command.ts";
import { interruptedCode } from "./interrupted.ts";
import { kvExport, kvGet, kvList } from "./kv-read.ts";
import { kvDelete, kvImport, kvPut } from "./kv-write.ts";

/** As `consul kv` (flags before arguments, its commands alone), or as `millwright kv` (flags anywhere, and `list`). */
export type KvStyle = "consul" | "millwright";

/** Carries out `kv …` with the arguments behind `kv`; resolves to the exit code. */
export async function runKv(args: readonly string[], io: CommandIo, style: KvStyle): Promise<number> {
  const [name, ...rest] = args;
  switch (name) {
    case "get":
      return runCommand(kvGet, rest, io, style);
    case "put":
      return runCommand(kvPut, rest, io, style);
    case "delete":
      return runCommand(kvDelete, rest, io, style);
    case "export":
      return runCommand(kvExport, rest, io, style);
    case "import":
      return runCommand(kvImport, rest, io, style);
    case "list":
      if (style === "millwright") return runCommand(kvList, rest, io, style);
      break;
    case "-h":
    case "-help":
    case "--help":
      await io.stdout(overview(style));
      return 0;
  }
  const near =
    name === undefined
      ? undefined
      : similar(
          name,
          commandsOf(style).map(([known]) => known),
        );
  const hint = near ? ` Did you mean "${style} kv ${near}"?` : "";
  if (name !== undefined) await io.stderr(`There is no command "${style} kv ${name}".${hint}\n\n`);
  await io.stderr(overview(style));
  return 1;
}

async function runCommand<const T extends FlagTable>(
  command: KvCommand<T>,
  args: readonly string[],
  io: CommandIo,
  style: KvStyle,
): Promise<number> {
  const parsed = parseFlags(command.flags, args, style === "consul" ? "flags-first" : "anywhere");
  switch (parsed.kind) {
    case "help":
      await io.stdout(helpText(command, style));
      return 0;
    case "mistake":
      await io.stderr(`${parsed.diagnostic.summary}\n${parsed.diagnostic.detail}\n`);
      return 1;
    case "parsed":
      try {
        return await command.run({ values: parsed.values, args: parsed.args, io });
      } catch (error) {
        if (io.signal.aborted) return interruptedCode(io);
        if (!(error instanceof OperationalError)) throw error;
        await io.stderr(`Error connecting to Consul agent: ${error.message}\n`);
        return 1;
      }
  }
}

function commandsOf(style: KvStyle): readonly (readonly [string, string])[] {
  const all = { delete: kvDelete, export: kvExport, get: kvGet, import: kvImport, list: kvList, put: kvPut };
  return Object.entries(all)
    .filter(([name]) => style === "millwright" || name !== "list")
    .map(([name, { about }]) => [name, about.split(". ")[0]!.replace(/\.?$/, ".")]);
}

function overview(style: KvStyle): string {
  const lines = commandsOf(style).map(([name, about]) => `    ${name.padEnd(10)}${about}\n`);
  return `Usage: ${style} kv COMMAND [flags] [arguments]\n\n  Reads and changes the key-value store.\n\n      $ ${style} kv put redis/config/connections 5\n      $ ${style} kv get redis/config/connections\n\nCommands:\n${lines.join("")}`;
}

function helpText<T extends FlagTable>(command: KvCommand<T>, style: KvStyle): string {
  const examples = command.examples.map((line) => `      $ ${style} kv ${line}\n`).join("");
  return `Usage: ${style} kv ${command.usage}\n\n  ${wrap(command.about, 77).join("\n  ")}\n\n${examples}\nFlags:\n\n${describeFlags(command.flags)}`;
}
