import { OperationalError } from "@millwright/core/errors";
import { spawn } from "node:child_process";
import { text as textOf } from "node:stream/consumers";
import { sourceErrors } from "./errors.ts";

export interface ProgramPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A program that fetches repositories, and the Debian package that brings it. */
export interface FetchingProgram {
  readonly name: string;
  readonly debian: string;
}

/** Runs it to its end. Throws `machine` where it is missing, and `notFound`, with what it said, where it fails. */
export async function runProgram(
  { name, debian }: FetchingProgram,
  args: readonly string[],
  { env, signal }: ProgramPorts,
): Promise<void> {
  const child = spawn(name, [...args], { env: { ...env }, signal, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  try {
    const [code, said] = await Promise.all([ended, textOf(child.stderr)]);
    if (code === 0) return;
    throw new OperationalError(sourceErrors.notFound, `${name} ended with ${code}: ${withoutLogins(said.trim())}`);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OperationalError) throw error;
    const message = `There is no program ${name} on this machine, which fetches it. Install it (on Debian: apt-get install ${debian}).`;
    throw new OperationalError(sourceErrors.machine, message, { cause: error });
  }
}

function withoutLogins(text: string): string {
  return text.replaceAll(/(\/\/)[^/@\s]*@/g, "$1");
}
