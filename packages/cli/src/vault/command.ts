import { VaultClient } from "@millwright/clients/vault";
import { VaultRefusal } from "@millwright/clients/vault-api";
import { OperationalError } from "@millwright/core/errors";
import { describeFlags, type FlagTable, type FlagValues, parseFlags, wrap } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { clientFlags, configOf } from "./client-flags.ts";
import { type Format, formatNames, type Output, outputFor } from "./output.ts";

/** Exit codes of Vault's command line: the user's own mistake, and a refusal or failure of the server. */
export const localFailure = 1;
export const remoteFailure = 2;

const sharedFlags = {
  ...clientFlags,
  format: { kind: "string", value: "FORMAT", help: "table, json, yaml or raw; table by default. Also VAULT_FORMAT." },
  json: { kind: "bool", help: "The same as -format=json." },
  "wrap-ttl": {
    kind: "string",
    value: "TIME",
    help: "Have the answer put into a single-use token that lives this long: 5m. Also VAULT_WRAP_TTL.",
  },
  field: { kind: "string", value: "NAME", help: "Print only this field's value." },
} as const satisfies FlagTable;

/** One command that talks to a Vault server. */
export interface VaultCommand<T extends FlagTable = FlagTable> {
  /** Behind the command's name: `[flags] PATH`. */
  readonly usage: string;
  readonly about: string;
  /** Behind the program's name. */
  readonly examples: readonly string[];
  /** Beside those of every command. */
  readonly flags: T;
  /** How many arguments it takes. */
  readonly args: { readonly least: number; readonly most: number };
  /** Resolves to the exit code. */
  run(given: Given<T>): Promise<number>;
}

export interface Given<T extends FlagTable = FlagTable> {
  readonly values: FlagValues<T>;
  readonly args: readonly string[];
  readonly io: CommandIo;
  readonly client: VaultClient;
  readonly output: Output;
}

/** Makes a command; its flags' types are known to `run`. */
export function vaultCommand<const T extends FlagTable>(command: VaultCommand<T>): VaultCommand {
  return command as unknown as VaultCommand;
}

/** Runs one command, `name` being how it was called (`vault operator init`); resolves to the exit code. */
export async function runVaultCommand(
  command: VaultCommand,
  name: string,
  args: readonly string[],
  io: CommandIo,
): Promise<number> {
  const flags = { ...command.flags, ...sharedFlags };
  const parsed = parseFlags(flags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(helpText(command, name));
    return 0;
  }
  if (parsed.kind === "mistake") return failLocally(io, `${parsed.diagnostic.summary}\n${parsed.diagnostic.detail}`);
  const shared = parsed.values as FlagValues<typeof sharedFlags>;
  const wanted = shared.json ? "json" : shared.format || io.env.VAULT_FORMAT || "table";
  const format = formatNames.find((known): known is Format => known === wanted);
  if (!format) return failLocally(io, `Invalid output format: ${wanted}\nWrite one of ${formatNames.join(", ")}.`);
  const wrongCount = countMistake(command, parsed.args.length);
  if (wrongCount) return failLocally(io, `${wrongCount}\nUsage: ${name} ${command.usage}`);
  const wrapTtl = shared["wrap-ttl"] || io.env.VAULT_WRAP_TTL;
  const client = new VaultClient({ ...configOf(shared, io), ...(wrapTtl ? { wrapTtl } : {}) });
  try {
    const output = outputFor(io, format, shared.field);
    return await command.run({ values: parsed.values, args: parsed.args, io, client, output });
  } catch (error) {
    if (io.signal.aborted) return io.signal.reason === "SIGTERM" ? 143 : 130;
    if (error instanceof LocalMistake) return failLocally(io, error.message);
    if (!(error instanceof OperationalError)) throw error;
    await io.stderr(`${failureText(error)}\n`);
    return remoteFailure;
  } finally {
    await client.close();
  }
}

/** What the user gave cannot be used; the message says what and what to do. */
export class LocalMistake extends Error {
  override readonly name = "LocalMistake";
}

/** A failure as Vault's own command line words it: scripts look for the code and the listed errors. */
export function failureText(error: OperationalError): string {
  const { cause } = error;
  if (!(cause instanceof VaultRefusal)) return `Error: ${error.message}`;
  const { status, request, errors, advice } = cause;
  const listed = errors.map((one) => `* ${one.trimEnd()}\n`).join("");
  const said = `Error making API request.\n\nURL: ${request}\nCode: ${status}.`;
  return `${said}${listed === "" ? "\n" : ` Errors:\n\n${listed}`}${advice === "" ? "" : `\n${advice}`}`.trimEnd();
}

export async function failLocally(io: CommandIo, text: string): Promise<number> {
  await io.stderr(`${text}\n`);
  return localFailure;
}

function countMistake({ args: { least, most } }: VaultCommand, count: number): string | undefined {
  const wanted =
    least === most ? String(least) : most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`;
  if (count < least) return `Not enough arguments (expected ${wanted}, got ${count})`;
  return count > most ? `Too many arguments (expected ${wanted}, got ${count})` : undefined;
}

function helpText(command: VaultCommand, name: string): string {
  const program = name.split(" ")[0];
  const examples = command.examples.map((line) => `      $ ${program} ${line}\n`).join("");
  const own = Object.keys(command.flags).length > 0 ? `Flags:\n\n${describeFlags(command.flags)}\n` : "";
  const about = wrap(command.about, 77).join("\n  ");
  return `Usage: ${name} ${command.usage}\n\n  ${about}\n\n${examples}\n${own}Flags of every command:\n\n${describeFlags(sharedFlags)}`;
}
