import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../../scripts/start/stage.ts";
import { onPath } from "./programs.ts";

/** A server of somebody else's that runs. */
export interface Peer {
  readonly name: string;
  readonly pid: number;
  /** `http://host:port` of its API. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Where a peer's program is; undefined where it is not installed. */
export const peerPrograms = {
  nomad: process.env.NOMAD_BIN ?? onPath("nomad"),
  consul: process.env.CONSUL_BIN ?? onPath("consul"),
  bao: process.env.BAO_BIN ?? onPath("bao") ?? onPath("vault"),
};

/** Nomad for development, a server and a client in one process, with raw_exec and nothing of Consul's. */
export async function startNomad(program: string, folder: string): Promise<Peer> {
  const http = await freePort();
  const file = join(folder, "nomad.hcl");
  const text = `bind_addr = "127.0.0.1"
    advertise {
      http = "127.0.0.1"
      rpc  = "127.0.0.1"
      serf = "127.0.0.1"
    }
    ports {
      http = ${http}
      rpc  = ${await freePort()}
      serf = ${await freePort()}
    }
    consul {
      address          = "127.0.0.1:1"
      auto_advertise   = false
      server_auto_join = false
      client_auto_join = false
    }
    plugin "raw_exec" {
      config {
        enabled = true
      }
    }
    client {
      alloc_dir = ${JSON.stringify(join(folder, "alloc"))}
      state_dir = ${JSON.stringify(join(folder, "state"))}
    }`;
  writeFileSync(file, text);
  const args = ["agent", "-dev", `-config=${file}`, "-log-level=ERROR"];
  return start({ name: "nomad agent -dev", program, args, url: `http://127.0.0.1:${http}`, ready: "/v1/nodes" });
}

export async function startConsul(program: string): Promise<Peer> {
  const [http, rpc, lan] = await Promise.all([freePort(), freePort(), freePort()]);
  const ports = [`-http-port=${http}`, `-server-port=${rpc}`, `-serf-lan-port=${lan}`, `-dns-port=${await freePort()}`];
  const off = ["-serf-wan-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-log-level=error"];
  const url = `http://127.0.0.1:${http}`;
  const args = ["agent", "-dev", ...ports, ...off];
  return start({ name: "consul agent -dev", program, args, url, ready: "/v1/catalog/nodes" });
}

export async function startBao(program: string): Promise<Peer> {
  const port = await freePort();
  const args = ["server", "-dev", `-dev-listen-address=127.0.0.1:${port}`, "-log-level=error", "-dev-no-store-token"];
  const url = `http://127.0.0.1:${port}`;
  return start({ name: "bao server -dev", program, args, url, ready: "/v1/sys/health" });
}

interface Start {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly url: string;
  /** A path that answers 200 once it can be used. */
  readonly ready: string;
}

async function start({ name, program, args, url, ready }: Start): Promise<Peer> {
  const child = spawn(program, args, { stdio: "ignore" });
  const ended = once(child, "exit");
  const peer = {
    name,
    pid: child.pid ?? 0,
    url,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
  const isReady = () =>
    fetch(url + ready).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let look = 0; !(await isReady()); look++) {
    if (look === 150 || child.exitCode !== null) throw new Error(`${program} ${args.join(" ")} does not start`);
    await pause(200);
  }
  return peer;
}
