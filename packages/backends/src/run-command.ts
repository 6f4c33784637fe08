import { spawn } from "node:child_process";
import { once } from "node:events";
import type { BackendPorts } from "./backend-type.ts";

/**
 * Runs a program to its end, in the configuration's folder; gives what it wrote to standard output. Rejects with an error whose
 * message says why it failed, with the first words of what it wrote to standard error.
 */
export async function runCommand(
  [program = "", ...args]: readonly string[],
  input: string,
  { folder, env }: Pick<BackendPorts, "folder" | "env">,
): Promise<string> {
  const child = spawn(program, args, { cwd: folder, env: { ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // A command that ends without reading is told by its end.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  const words = Buffer.concat(err).toString("utf8").trim().slice(0, 500);
  if (code !== 0) throw new Error(`it ended with ${String(code)}${words === "" ? "" : `: ${words}`}`);
  return Buffer.concat(out).toString("utf8");
}
