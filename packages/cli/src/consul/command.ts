import { OperationalError } from "@millwright/core/errors";
import { interruptedCode } from "../commands/interrupted.ts";
import { describeFlags, type FlagOrder, type FlagTable, type FlagValues, parseFlags, wrap } from "../flags.ts";
import type { CommandIo } from "../io.ts";

/** One command of a server's own API. */
export interface ServiceCommand<T extends FlagTable> {
  /** Without the program's name: `members [flags]`. */
  readonly usage: string;
  readonly about: string;
  /** Without the program's name. */
  readonly examples: readonly string[];
  readonly flags: T;
  /** Resolves to the exit code. */
  run(given: {
    readonly values: FlagValues<T>;
    readonly args: readonly string[];
    /** The names of the flags that stood on the line. */
    readonly given: ReadonlySet<string>;
    readonly io: CommandIo;
  }): Promise<number>;
}

/** Under which name a command runs: `consul` (flags before arguments) or `millwright` (flags anywhere). */
export type ProgramName = "consul" | "millwright";

/** Parses the flags and runs the command; help, mistakes and refusals are written. Resolves to the exit code. */
export async function runServiceCommand<const T extends FlagTable>(
  command: ServiceCommand<T>,
  args: readonly string[],
  io: CommandIo,
  { program, order }: { readonly program: ProgramName; readonly order?: FlagOrder },
): Promise<number> {
  const parsed = parseFlags(command.flags, args, order ?? (program === "consul" ? "flags-first" : "anywhere"));
  switch (parsed.kind) {
    case "help":
      await io.stdout(helpText(command, program));
      return 0;
    case "mistake":
      return refuse(io, `${parsed.diagnostic.summary}\n${parsed.diagnostic.detail}`);
    case "parsed":
      try {
        const given = new Set<string>(parsed.occurrences.map(({ name }) => name));
        return await command.run({ values: parsed.values, args: parsed.args, given, io });
      } catch (error) {
        if (io.signal.aborted) return interruptedCode(io);
        if (!(error instanceof OperationalError)) throw error;
        return refuse(io, error.message);
      }
  }
}

/** Writes a refusal to standard error; the exit code of a command that failed. */
export async function refuse(io: CommandIo, text: string): Promise<1> {
  await io.stderr(`${text}\n`);
  return 1;
}

function helpText<T extends FlagTable>(command: ServiceCommand<T>, program: ProgramName): string {
  const examples = command.examples.map((line) => `      $ ${program} ${line}\n`).join("");
  return `Usage: ${program} ${command.usage}\n\n  ${wrap(command.about, 77).join("\n  ")}\n\n${examples}\nFlags:\n\n${describeFlags(command.flags)}`;
}
