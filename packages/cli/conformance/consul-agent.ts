import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./free-port.ts";

/** A real Consul on free loopback ports, in memory. */
export interface ConsulAgent {
  readonly address: string;
  stop(): void;
}

export async function startConsul(): Promise<ConsulAgent> {
  const [http, server, lan, wan] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const ports = [`-http-port=${http}`, `-server-port=${server}`, `-serf-lan-port=${lan}`, `-serf-wan-port=${wan}`];
  const off = ["-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1"];
  const child = spawn("consul", ["agent", "-dev", ...ports, ...off], { stdio: "ignore" });
  const address = `http://127.0.0.1:${http}`;
  for (const end = Date.now() + 30_000; Date.now() < end; await pause(100)) {
    const leader = await fetch(`${address}/v1/status/leader`).catch(() => undefined);
    if (leader?.ok && (await leader.text()).length > 2) return { address, stop: () => void child.kill("SIGKILL") };
  }
  child.kill("SIGKILL");
  throw new Error("Consul does not answer");
}
