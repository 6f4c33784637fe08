import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** A real etcd with one member on free loopback ports, its data in a temporary folder. */
export interface EtcdServer {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Process id of the running member. */
  pid(): number;
  /** Ends the member at once, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
}

/** Starts an etcd. Throws, naming the Debian package, where there is no `etcd` on the PATH. */
export async function startEtcd(...flags: readonly string[]): Promise<EtcdServer> {
  if (spawnSync("etcd", ["--version"]).error)
    throw new Error(
      "These tests need a real etcd, and there is none on the PATH. Install Debian's package etcd-server.",
    );
  const folder = mkdtempSync(join(tmpdir(), "millwright-etcd-"));
  const [clientPort, peerPort] = [await freePort(), await freePort()];
  const endpoint = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const args = [
    ...["--name", "test", "--data-dir", folder, "--log-level", "error"],
    ...["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint],
    ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `test=${peer}`],
    ...flags,
  ];
  let member: ChildProcess;
  const start = async () => {
    member = spawn("etcd", args, { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env["PATH"] } });
    let said = "";
    member.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      said = (said + chunk).slice(-4_000);
    });
    await healthy(endpoint, member, () => said);
  };
  const kill = async () => {
    if (member.exitCode !== null || member.signalCode !== null) return;
    member.kill("SIGKILL");
    await once(member, "exit");
  };
  const stop = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, kill, start, stop, pid: () => member.pid ?? 0 };
}

async function healthy(endpoint: string, member: ChildProcess, said: () => string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (member.exitCode !== null) throw new Error(`etcd ended with ${member.exitCode}: ${said()}`);
    const ok = await fetch(`${endpoint}/health`).then(
      async (response) => (await response.text()).includes("true"),
      () => false,
    );
    if (ok) return;
    await pause(50);
  }
  throw new Error(`etcd was not healthy within 15 s: ${said()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no free port");
  return address.port;
}
