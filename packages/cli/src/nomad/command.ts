import { NomadClient } from "@millwright/clients/nomad";
import { NomadRefusal } from "@millwright/clients/nomad-api";
import { clientErrors } from "@millwright/clients/errors";
import { isKind, OperationalError } from "@millwright/core/errors";
import { type Clock, systemClock } from "@millwright/core/ports";
import { interruptedCode } from "../commands/interrupted.ts";
import { describeFlags, type FlagTable, type FlagValues, parseFlags, wrap } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { clientFlags, type ClientFlagValues, configOf } from "./client-flags.ts";

/** One command that talks to a Nomad server. */
export interface NomadCommand<T extends FlagTable = FlagTable> {
  /** Behind the command's name: `[flags] FILE`. */
  readonly usage: string;
  readonly about: string;
  /** Behind the program's name. */
  readonly examples: readonly string[];
  /** Beside those of every command. */
  readonly flags: T;
  /** How many arguments it takes. */
  readonly args: { readonly least: number; readonly most: number };
  /** What could not be done where a call fails, as `Error querying job`. */
  readonly failure: string;
  /** The exit code of a failure; 1 where nothing is said. */
  readonly failureCode?: number;
  /** Resolves to the exit code. */
  run(given: Given<T>): Promise<number>;
}

export interface Given<T extends FlagTable = FlagTable> {
  readonly values: FlagValues<T>;
  readonly args: readonly string[];
  /** The flags as they stood on the line; their order matters for `-var` and `-var-file`. */
  readonly occurrences: readonly GivenFlag[];
  readonly io: CommandIo;
  readonly client: NomadClient;
  readonly clock: Clock;
  /** How the program was called: `nomad` or `millwright`. */
  readonly program: string;
}

/** Makes a command; its flags' types are known to `run`. */
export function nomadCommand<const T extends FlagTable>(command: NomadCommand<T>): NomadCommand {
  return command as unknown as NomadCommand;
}

export interface GivenFlag {
  readonly name: string;
  readonly text: string;
}

export interface NomadRun {
  /** `nomad` or `millwright`. */
  readonly program: string;
  /** As it was called, behind the program: `job plan`. */
  readonly name: string;
  readonly clock?: Clock;
}

/** Runs one command; resolves to the exit code. */
export async function runNomadCommand(
  command: NomadCommand,
  { program, name, clock = systemClock }: NomadRun,
  args: readonly string[],
  given: CommandIo,
): Promise<number> {
  const parsed = parseFlags({ ...command.flags, ...clientFlags }, args, "anywhere");
  const { failureCode = 1 } = command;
  const fail = async (text: string) => {
    await given.stderr(`${text}\n`);
    return failureCode;
  };
  if (parsed.kind === "help") {
    await given.stdout(helpText(command, program, name));
    return 0;
  }
  if (parsed.kind === "mistake") return fail(`${parsed.diagnostic.summary}\n${parsed.diagnostic.detail}`);
  const wrong = countMistake(command, parsed.args.length);
  if (wrong) return fail(`${wrong}\nUsage: ${program} ${name} ${command.usage}`);
  const shared = parsed.values as ClientFlagValues;
  const io = inColours(given, shared);
  const client = new NomadClient(configOf(shared, io));
  try {
    const { values, occurrences } = parsed;
    return await command.run({ values, occurrences, args: parsed.args, io, client, clock, program });
  } catch (error) {
    if (io.signal.aborted) return interruptedCode(io);
    if (error instanceof Refusal) return fail(error.message);
    if (!(error instanceof OperationalError)) throw error;
    return fail(`${command.failure}: ${failureText(error)}`);
  } finally {
    await client.close();
  }
}

/** A command cannot go on, and the message says why and what to do. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** A failure as Nomad's own command line words it, with what to do: scripts look for the code. */
export function failureText(error: OperationalError): string {
  const { cause } = error;
  if (!(cause instanceof NomadRefusal)) return error.message;
  const said = `Unexpected response code: ${cause.status} (${cause.message})`;
  if (isKind(error, clientErrors.denied))
    return `${said}\nCheck the token (NOMAD_TOKEN, -token) and what its policies allow.`;
  if (/no path to region/i.test(cause.message))
    return `${said}\nThe job, -region or NOMAD_REGION names another region than the server's: see "server members".`;
  return said;
}

function inColours(io: CommandIo, values: ClientFlagValues): CommandIo {
  if (values["no-color"]) return { ...io, view: { ...io.view, colour: false } };
  return values["force-color"] ? { ...io, view: { ...io.view, colour: true } } : io;
}

function countMistake({ args: { least, most } }: NomadCommand, count: number): string | undefined {
  if (count >= least && count <= most) return undefined;
  const number = (n: number) =>
    ["no arguments", "one argument", "two arguments", "three arguments"][n] ?? `${n} arguments`;
  if (least === most) return `This command takes ${number(least)}, and was given ${count}`;
  if (count < least) return `This command takes at least ${number(least)}, and was given ${count}`;
  return `This command takes at most ${number(most)}, and was given ${count}`;
}

function helpText(command: NomadCommand, program: string, name: string): string {
  const examples = command.examples.map((line) => `      $ ${program} ${line}\n`).join("");
  const own = Object.keys(command.flags).length > 0 ? `Flags:\n\n${describeFlags(command.flags)}\n` : "";
  const about = wrap(command.about, 77).join("\n  ");
  return `Usage: ${program} ${name} ${command.usage}\n\n  ${about}\n\n${examples}\n${own}Flags of every command:\n\n${describeFlags(clientFlags)}`;
}
