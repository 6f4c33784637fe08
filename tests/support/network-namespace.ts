import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { textOf } from "./commands.ts";

/** A network of its own with nothing but a loopback interface, and its own `/etc/resolv.conf`. */
export interface NetworkNamespace {
  /** Starts a program in it. */
  spawn(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Runs a program in it to its end. */
  run(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<ProgramResult>;
  /** Ends it; programs that still run in it are not ended. */
  close(): Promise<void>;
}

export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Makes a namespace whose resolver asks 127.0.0.1 at port 53 and nothing else. It lives as long as one sleeping process, so
 * that nothing is left of it whatever happens to the test. Takes root, or a kernel that lets users have namespaces;
 * rejects with what is missing.
 */
export async function makeNetworkNamespace(resolvConf = "nameserver 127.0.0.1\n"): Promise<NetworkNamespace> {
  const folder = mkdtempSync(join(tmpdir(), "millwright-namespace-"));
  const files = { "resolv.conf": resolvConf, "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n" };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const mounts = Object.keys(files).map((name) => `mount --bind '${join(folder, name)}' /etc/${name}`);
  const script = ["set -e", ...mounts, "ip link set lo up", "echo ready", "exec sleep infinity"].join("\n");
  const isRoot = process.getuid?.() === 0;
  const kinds = ["--net", "--mount", ...(isRoot ? [] : ["--map-root-user"])];
  const holder = spawn("unshare", [...kinds, "sh", "-c", script], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(holder, "close");
  const close = async () => {
    holder.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const fault = await readiness(holder);
  if (fault !== undefined) {
    await close();
    throw new Error(
      `Cannot make a network namespace: ${fault}. This test takes root, or unprivileged user namespaces, and the programs unshare, nsenter and ip (Debian: util-linux, iproute2).`,
    );
  }
  const entry = [
    "--target",
    String(holder.pid),
    "--net",
    "--mount",
    ...(isRoot ? [] : ["--user", "--preserve-credentials"]),
  ];
  const start = (program: string, args: readonly string[], options: SpawnOptions = {}) =>
    spawn("nsenter", [...entry, "--wd=.", program, ...args], options);
  return {
    spawn: start,
    run: async (program, args, env = {}) => {
      const child = start(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
      const texts = Promise.all([textOf(child.stdout), textOf(child.stderr)]);
      const [status] = (await once(child, "close")) as [number | null];
      const [stdout, stderr] = await texts;
      return { status, stdout, stderr };
    },
    close,
  };
}

/** Undefined once the namespace is ready, else why it is not. */
async function readiness(holder: ChildProcess): Promise<string | undefined> {
  const failed = new Promise<string>((resolve) => holder.once("error", (error) => resolve(error.message)));
  const complaint = textOf(holder.stderr).then((text) => text.trim() || "it ended at once");
  const ready = new Promise<undefined>((resolve) => holder.stdout?.once("data", () => resolve(undefined)));
  return Promise.race([ready, failed, complaint]);
}
