import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { keyRange, prefixRange } from "@millwright/store/contract";
import { openEtcdStore } from "@millwright/store/etcd";
import { startEtcd } from "@millwright/store/etcd-server";
import { HttpCaller } from "./http-load.ts";
import type { LoopFigures } from "./loop-watch.ts";
import { startOwnServer } from "./own-server.ts";
import { onPath } from "./programs.ts";

/** A server of keys and values under measurement. */
export interface KvServer {
  readonly name: string;
  /** Whose memory counts. */
  readonly pids: readonly number[];
  /** Opens one connection; `close` ends all. */
  connect(): Promise<KvConnection>;
  /** Where it speaks Consul's API. */
  readonly port?: number;
  /** Of the event loop since the call before; only of ours. */
  readonly loop?: () => Promise<LoopFigures>;
  stop(): Promise<void>;
}

export interface KvConnection {
  put(key: string, value: Buffer): Promise<unknown>;
  /** Undefined where it does not offer that. */
  readonly get: Readonly<Record<Consistency, ((key: string) => Promise<unknown>) | undefined>>;
  list(prefix: string): Promise<unknown>;
  close(): void;
}

export type Consistency = "default" | "consistent" | "stale";

/** Ours over SQLite. */
export async function ownOverSqlite(folder: string): Promise<KvServer> {
  const server = await startOwnServer({ store: { kind: "sqlite", dataFolder: join(folder, "own") } });
  return { name: "millwright, sqlite", pids: [server.pid], ...overHttp(server.http), ...server };
}

/** Ours over an etcd of one member, which counts with it. */
export async function ownOverEtcd(folder: string): Promise<KvServer> {
  const etcd = await startEtcd();
  const dataFolder = join(folder, "own-etcd");
  const store = { kind: "etcd", endpoints: [etcd.endpoint], prefix: "bench/", dataFolder } as const;
  const server = await startOwnServer({ store });
  const stop = async () => {
    await server.stop();
    await etcd.stop();
  };
  const pids = [server.pid, etcd.pid];
  return { name: "millwright, etcd", pids, ...overHttp(server.http), loop: server.loop, stop };
}

/** An etcd of one member, spoken to as our own store speaks to it, over gRPC. */
export async function etcdItself(): Promise<KvServer> {
  const etcd = await startEtcd();
  const store = await openEtcdStore({ endpoints: [etcd.endpoint], prefix: "bench/" });
  const get = (key: string) => store.range(keyRange(key));
  const connection: KvConnection = {
    put: (key, value) => store.txn({ then: [{ op: "put", key, value }] }),
    get: { default: undefined, consistent: get, stale: undefined },
    list: (prefix) => store.range(prefixRange(prefix)),
    close: () => undefined,
  };
  const stop = async () => {
    await store.close();
    await etcd.stop();
  };
  return { name: "etcd itself", pids: [etcd.pid], connect: async () => connection, stop };
}

/** A real Consul, one server, its log on disk as a cluster has it; undefined where there is none. */
export async function consulItself(folder: string): Promise<KvServer | undefined> {
  const program = process.env.CONSUL_BIN ?? onPath("consul");
  if (program === undefined) return undefined;
  const [http, rpc, lan, dns] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const ports = [`-http-port=${http}`, `-dns-port=${dns}`, `-server-port=${rpc}`, `-serf-lan-port=${lan}`];
  const off = ["-serf-wan-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-log-level=error"];
  const place = ["-bind=127.0.0.1", `-data-dir=${join(folder, "consul")}`, "-node=bench"];
  // By default one address may have 200 connections: too few for a thousand that wait.
  const limits = ["-hcl", "limits { http_max_conns_per_client = 5000 }"];
  const child: ChildProcess = spawn(
    program,
    ["agent", "-server", "-bootstrap-expect=1", ...place, ...ports, ...off, ...limits],
    { stdio: "ignore" },
  );
  await untilItWrites(http);
  const stop = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { name: "consul", pids: [child.pid ?? 0], ...overHttp(http), stop };
}

function overHttp(port: number): Pick<KvServer, "connect" | "port"> {
  const connectOne = async (): Promise<KvConnection> => {
    const caller = await HttpCaller.open(port);
    return {
      put: (key, value) => caller.call("PUT", `/v1/kv/${key}`, value),
      get: {
        default: (key) => caller.call("GET", `/v1/kv/${key}`),
        consistent: (key) => caller.call("GET", `/v1/kv/${key}?consistent`),
        stale: (key) => caller.call("GET", `/v1/kv/${key}?stale`),
      },
      list: (prefix) => caller.call("GET", `/v1/kv/${prefix}?recurse`),
      close: () => caller.close(),
    };
  };
  return { port, connect: connectOne };
}

async function untilItWrites(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const status = await fetch(`http://127.0.0.1:${port}/v1/kv/started`, { method: "PUT", body: "" }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(100);
  }
  throw new Error("the Consul beside ours did not take writes within 20 s");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
