import { type FlagTable, type ParsedFlags, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { renderDiagnostic } from "../views/diagnostics.ts";

/** A command's line as its flags were read. */
export type ReadLine<T extends FlagTable> = Extract<ParsedFlags<T>, { readonly kind: "parsed" }>;

/** Reads the flags of a line. Where help is asked for, or something is wrong, that is said, and this gives the exit code. */
export async function readLine<const T extends FlagTable>(
  table: T,
  args: readonly string[],
  io: CommandIo,
  help: () => string,
): Promise<ReadLine<T> | number> {
  const parsed = parseFlags(table, args, "anywhere");
  switch (parsed.kind) {
    case "parsed":
      return parsed;
    case "help":
      await io.stdout(help());
      return 0;
    case "mistake":
      await io.stderr(renderDiagnostic(parsed.diagnostic, io.view));
      return 1;
  }
}
