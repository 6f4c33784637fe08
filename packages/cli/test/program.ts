import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CommandOutcome } from "./kv-io.ts";

/** The launcher, as a user calls it. */
export const launcher = fileURLToPath(new URL("../bin/millwright", import.meta.url));

export interface ProgramSetting {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: string;
  /** Called with all that was written so far, each time there is more. */
  readonly onOutput?: (child: ChildProcess, text: string) => void;
}

/** Runs the real program as a process of its own. A signal's exit code is -1. */
export function runProgram(args: readonly string[], setting: ProgramSetting = {}): Promise<CommandOutcome> {
  const { cwd, env = {}, program = launcher, onOutput } = setting;
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    onOutput?.(child, out);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, out, err }));
  });
}
