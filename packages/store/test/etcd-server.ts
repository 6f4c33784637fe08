import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** One member of a real etcd, on free loopback ports, its data in a temporary folder. */
export interface EtcdServer {
  /** `http://127.0.0.1:PORT`, or https where it was asked for. */
  readonly endpoint: string;
  readonly folder: string;
  /** Of the running member. */
  readonly pid: number;
  /** Stops the running member without ending it; resolves once it stands still. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Ends the member at once, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and data. */
  start(): Promise<void>;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
}

export interface EtcdServerOptions {
  readonly flags?: readonly string[];
  /** With a certificate that etcd makes for itself: `<folder>/fixtures/client/cert.pem`. */
  readonly tls?: boolean;
}

/** Starts an etcd of one member. Throws, naming the Debian package, where there is no `etcd` on the PATH. */
export async function startEtcd(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const [server] = await startEtcdCluster(1, options);
  if (!server) throw new Error("a cluster of one has one member");
  return server;
}

/** Starts an etcd of so many members. */
export async function startEtcdCluster(members: number, options: EtcdServerOptions = {}): Promise<EtcdServer[]> {
  if (spawnSync("etcd", ["--version"]).error)
    throw new Error(
      "These tests need a real etcd, and there is none on the PATH. Install Debian's package etcd-server.",
    );
  const places = await Promise.all(Array.from({ length: members }, (_, i) => placeOf(`member${i}`, options)));
  const cluster = places.map(({ name, peer }) => `${name}=${peer}`).join(",");
  const servers = places.map((place) => serverAt(place, cluster, options));
  try {
    await Promise.all(servers.map((server) => server.start()));
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
  return servers;
}

interface Place {
  readonly name: string;
  readonly folder: string;
  readonly client: string;
  readonly peer: string;
  readonly metrics: string;
}

async function placeOf(name: string, { tls }: EtcdServerOptions): Promise<Place> {
  const [client, peer, metrics] = await freePorts(3);
  const folder = mkdtempSync(join(tmpdir(), "millwright-etcd-"));
  const url = (port: number | undefined) => `http://127.0.0.1:${port}`;
  return {
    name,
    folder,
    client: url(client).replace("http:", tls ? "https:" : "http:"),
    peer: url(peer),
    metrics: url(metrics),
  };
}

function serverAt(place: Place, cluster: string, options: EtcdServerOptions): EtcdServer {
  const { name, folder, client, peer, metrics } = place;
  const args = [
    ...["--name", name, "--data-dir", folder, "--log-level", "error", "--listen-metrics-urls", metrics],
    ...["--listen-client-urls", client, "--advertise-client-urls", client],
    ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster],
    ...(options.tls ? ["--auto-tls"] : []),
    ...(options.flags ?? []),
  ];
  let member: ChildProcess | undefined;
  const kill = async () => {
    if (!member || member.exitCode !== null || member.signalCode !== null) return;
    member.kill("SIGKILL");
    await once(member, "exit");
  };
  return {
    endpoint: client,
    folder,
    get pid() {
      return member?.pid ?? 0;
    },
    kill,
    freeze: async () => {
      member?.kill("SIGSTOP");
      while (!readFileSync(`/proc/${member?.pid}/stat`, "utf8").includes(") T ")) await pause(5);
    },
    thaw: () => void member?.kill("SIGCONT"),
    start: async () => {
      const started = spawn("etcd", args, { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env["PATH"] } });
      member = started;
      let said = "";
      started.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        said = (said + chunk).slice(-4_000);
      });
      await healthy(metrics, started, () => said);
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function healthy(metrics: string, member: ChildProcess, said: () => string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (member.exitCode !== null) throw new Error(`etcd ended with ${member.exitCode}: ${said()}`);
    const ok = await fetch(`${metrics}/health`).then(
      async (response) => (await response.text()).includes("true"),
      () => false,
    );
    if (ok) return;
    await pause(50);
  }
  throw new Error(`etcd was not healthy within 30 s: ${said()}`);
}

// All are held at once, so that they differ.
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, "listening");
    const address = server.address();
    if (typeof address === "object" && address !== null) ports.push(address.port);
  }
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  return ports;
}
