import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The repository's root, with a slash at its end. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What the command reads; nothing by default. */
  readonly input?: string;
}

/** Runs a program to its end. */
export function runCommand(program: string, args: readonly string[], where: Surroundings): Promise<Outcome> {
  const child = spawn(program, args, { cwd: where.cwd, env: where.env, stdio: "pipe" });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(where.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code: code ?? 128, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    );
  });
}

/** A server of ours in a process of its own. */
export interface ServerProcess {
  /** Such as `http://127.0.0.1:41234`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts `millwright server` on a free port, and waits until it says where it listens. */
export async function startServerProcess(
  millwright: string,
  args: readonly string[],
  where: Surroundings,
): Promise<ServerProcess> {
  const child = spawn(millwright, ["server", "-http-port=0", ...args], {
    cwd: where.cwd,
    env: where.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { address: await saidAddress(child), stop };
}

function saidAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const found = /CONSUL_HTTP_ADDR=(http:\S+)/.exec(said);
        if (found) resolve(found[1]!);
      });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`The server ended before it listened:\n${said}`)));
  });
}

/** All that a program writes, to the end. */
export async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = "";
  if (stream) for await (const piece of stream) text += String(piece);
  return text;
}
