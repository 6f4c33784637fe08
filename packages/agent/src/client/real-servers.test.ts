import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toApi } from "@millwright/jobs/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { jobOf } from "../../test/allocation-bench.ts";
import { cuttable } from "../../test/cuttable.ts";
import { joinToken, masterToken, type RealDiscovery, realDiscovery } from "../../test/real-discovery.ts";
import { type RealOrchestrator, realOrchestrator } from "../../test/real-orchestrator.ts";
import type { ClientSettings } from "./settings.ts";
import { type RunningAgent, startAgent } from "../agent.ts";

// Agents over real servers of discovery and of jobs.
let discovery: RealDiscovery;
let jobs: RealOrchestrator;
let folder: string;
const agents = new Set<RunningAgent>();
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  discovery = await realDiscovery();
  jobs = await realOrchestrator(discovery, masterToken);
  folder = await mkdtemp(join(tmpdir(), "real-servers-"));
});

afterEach(async () => {
  await Promise.all([...agents].map((agent) => agent.stopTasks()));
  await Promise.all([...agents].map((agent) => agent.close()));
  agents.clear();
  for (const close of closers.splice(0)) await close();
  await jobs.close();
  await discovery.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(
  name: string,
  servers = { discovery: discovery.address, jobs: jobs.address },
  more: Partial<ClientSettings> = {},
): Promise<RunningAgent> {
  const agent = await startAgent({
    servers: [servers.discovery],
    joinToken: async () => joinToken,
    nodeName: name,
    dataFolder: join(folder, name),
    http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    dns: [],
    client: { servers: [servers.jobs], port: 0, drivers: { rawExec: true }, ...more },
  });
  agents.add(agent);
  await agent.registered();
  return agent;
}

interface AllocationWire {
  readonly ID: string;
  readonly NodeName: string;
  readonly DesiredStatus: string;
  readonly ClientStatus: string;
}

async function allocations(): Promise<readonly AllocationWire[]> {
  return (await jobs.ask("GET /v1/job/shop/allocations")) as readonly AllocationWire[];
}

const running = async () =>
  (await allocations()).filter(
    ({ ClientStatus, DesiredStatus }) => ClientStatus === "running" && DesiredStatus === "run",
  );

/** Who writes into the file, by process: each instance of the job adds its own line every tenth of a second. */
const line = (file: string) => `while :; do echo $$ >> ${file}; sleep 0.1; done`;

const shell = (text: string) => `task "main" {
  driver = "raw_exec"
  config { command = "/bin/sh"
    args = ["-c", ${JSON.stringify(text).replaceAll("${", "$${")}] }
  resources { cpu = 50
    memory = 32 }
}`;

test("a job that is registered runs, says what it is, and ends when it is stopped", async () => {
  await start("a1");
  await jobs.ask("PUT /v1/jobs", { Job: toApi(jobOf(shell("echo hello from $NOMAD_JOB_NAME; exec sleep 60"))) });
  await vi.waitFor(async () => expect(await running()).toHaveLength(1), { timeout: 15_000, interval: 50 });
  const [one] = await allocations();
  const logs = () => fetch(`http://${jobs.address}/v1/client/fs/logs/${one?.ID}?task=main&type=stdout&plain=true`);
  await vi.waitFor(async () => expect(await (await logs()).text()).toBe("hello from shop\n"), { timeout: 5_000 });
  await jobs.ask("DELETE /v1/job/shop");
  await vi.waitFor(async () => expect((await allocations())[0]?.ClientStatus).toBe("complete"), { timeout: 10_000 });
});

test("where discovery has access control, a node runs jobs with its own token, and templates read with the operator's", async () => {
  await jobs.close();
  await discovery.close();
  discovery = await realDiscovery("deny");
  jobs = await realOrchestrator(discovery, masterToken);
  await start("a1", undefined, { consulToken: masterToken });
  const put = { method: "PUT", body: "green", headers: { "x-consul-token": masterToken } };
  expect((await fetch(`http://${discovery.address}/v1/kv/colour`, put)).status).toBe(200);
  const template = `template { data = "{{ key \\"colour\\" }}"
    destination = "local/colour" }`;
  const service = `network { port "http" {} }
    service { name = "shop-web"
      port = "http" }`;
  const task = shell("cat local/colour; exec sleep 60").replace(/}$/, `${template}\n}`);
  await jobs.ask("PUT /v1/jobs", { Job: toApi(jobOf(`${service}\n${task}`)) });
  await vi.waitFor(async () => expect(await running()).toHaveLength(1), { timeout: 15_000, interval: 50 });
  const [one] = await allocations();
  const logs = () => fetch(`http://${jobs.address}/v1/client/fs/logs/${one?.ID}?task=main&type=stdout&plain=true`);
  await vi.waitFor(async () => expect(await (await logs()).text()).toBe("green"), { timeout: 5_000 });
  const headers = { "x-consul-token": masterToken };
  const found = await (await fetch(`http://${discovery.address}/v1/catalog/service/shop-web`, { headers })).json();
  expect(found).toHaveLength(1);
});

test("a node that is cut off loses its work to another, and on its return nothing runs twice", async () => {
  const ways = { discovery: await cuttable(discovery.address), jobs: await cuttable(jobs.address) };
  closers.push(
    () => ways.discovery.close(),
    () => ways.jobs.close(),
  );
  await start("a1", { discovery: ways.discovery.address, jobs: ways.jobs.address });
  const file = join(folder, "beats");
  await jobs.ask("PUT /v1/jobs", { Job: toApi(jobOf(shell(line(file)))) });
  await vi.waitFor(async () => expect(await running()).toMatchObject([{ NodeName: "a1" }]), { timeout: 15_000 });
  await start("a2");
  const cutAt = performance.now();
  ways.discovery.cut();
  ways.jobs.cut();
  await vi.waitFor(async () => expect(await running()).toMatchObject([{ NodeName: "a2" }]), { timeout: 30_000 });
  expect(performance.now() - cutAt).toBeLessThan(20_000);
  expect(await writers(file, 500)).toBe(2);
  ways.discovery.mend();
  ways.jobs.mend();
  await vi.waitFor(async () => expect(await writers(file, 500)).toBe(1), { timeout: 30_000, interval: 100 });
  expect(await running()).toMatchObject([{ NodeName: "a2" }]);
}, 90_000);

async function writers(file: string, milliseconds: number): Promise<number> {
  const before = readFileSync(file, "utf8").length;
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return new Set(readFileSync(file, "utf8").slice(before).trim().split("\n")).size;
}
