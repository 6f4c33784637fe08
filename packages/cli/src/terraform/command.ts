import { describeFlags, type FlagTable, type FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { jsonLines } from "../views/json-lines.ts";
import { wrapText } from "../views/style.ts";
import type { GivenFlag } from "./options.ts";
import { readLine } from "./read-line.ts";
import { type CommandStyle, Session } from "./session.ts";

/** What a small command is: its flags, its help, and what it does. */
export interface CommandSpec<T extends FlagTable> {
  readonly flags: T;
  /** The usage line behind the program's name, a paragraph on what it does, and an example. */
  readonly usage: string;
  readonly about: string;
  readonly example: string;
  /** Whether it has `-json` tell all that it says, an object a line. Others print a document of their own. */
  readonly jsonLines?: true;
  /** How many arguments it takes: at least, at most. */
  readonly arguments: readonly [number, number];
  run(call: CommandCall<T>): Promise<number>;
}

export interface CommandCall<T extends FlagTable> {
  readonly session: Session;
  readonly values: FlagValues<T>;
  readonly occurrences: readonly GivenFlag[];
  readonly args: readonly string[];
}

/** Says of a command that prints nothing but JSON that it wants to be asked for that. Gives the exit code. */
export function refuseWithoutJson(session: Session, command: string): Promise<number> {
  return session.refuse("The -json flag is required", `${command} prints JSON only. Run ${command} -json.`);
}

/** Reads the command line of a small command and runs it; help and mistakes are dealt with here. */
export async function runCommand<const T extends FlagTable>(
  spec: CommandSpec<T>,
  args: readonly string[],
  io: CommandIo,
  style: CommandStyle,
): Promise<number> {
  const parsed = await readLine(spec.flags, args, io, () => helpText(spec, style));
  if (typeof parsed === "number") return parsed;
  const { json, "no-color": noColor } = parsed.values as Readonly<Record<string, unknown>>;
  const session = new Session(io, style, io.cwd, {
    noColor: noColor === true,
    compactWarnings: false,
    ...(spec.jsonLines && json === true ? { json: jsonLines(io) } : {}),
  });
  const [least, most] = spec.arguments;
  if (parsed.args.length < least || parsed.args.length > most) {
    const limit =
      least === most ? `exactly ${least}` : parsed.args.length < least ? `at least ${least}` : `at most ${most}`;
    const count = most === 0 ? "no" : limit;
    const detail = `This command takes ${count} argument${(parsed.args.length < least ? least : most) === 1 ? "" : "s"}, and was given ${parsed.args.length}.\n\nUsage: ${style} ${spec.usage}`;
    await session.report([
      {
        severity: "error",
        summary: parsed.args.length < least ? "Arguments are missing" : "Too many command line arguments",
        detail,
      },
    ]);
    return 1;
  }
  const { values, occurrences } = parsed;
  return session.guard(() => spec.run({ session, values, occurrences, args: parsed.args }));
}

function helpText(spec: CommandSpec<FlagTable>, style: CommandStyle): string {
  const about = wrapText(spec.about.replaceAll("\n", " "), 79).join("\n");
  return `Usage: ${style} ${spec.usage}\n\n${about}\n\nExample: ${style} ${spec.example}\n\n${describeFlags(spec.flags)}`;
}
