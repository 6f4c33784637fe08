import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { jobOf } from "../../test/allocation-bench.ts";
import { FakeOrchestrator } from "../../test/fake-orchestrator.ts";
import { joinToken, type RealDiscovery, realDiscovery } from "../../test/real-discovery.ts";
import { type AgentConfig, type RunningAgent, startAgent } from "../agent.ts";
import type { ClientSettings } from "./settings.ts";

// An agent with all its parts, over a real server of discovery and one of jobs that does what the test says.
let discovery: RealDiscovery;
let jobs: FakeOrchestrator;
let folder: string;
const running = new Set<RunningAgent>();

beforeEach(async () => {
  discovery = await realDiscovery();
  jobs = await FakeOrchestrator.open();
  folder = await mkdtemp(join(tmpdir(), "client-"));
});

afterEach(async () => {
  for (const agent of running) await agent.stopTasks();
  for (const agent of running) await agent.close();
  running.clear();
  await jobs.stop();
  await discovery.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(client: Partial<ClientSettings> = {}, config: Partial<AgentConfig> = {}): Promise<RunningAgent> {
  const agent = await startAgent({
    servers: [discovery.address],
    joinToken: async () => joinToken,
    nodeName: "node-1",
    dataFolder: folder,
    http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    dns: [],
    client: { servers: [jobs.address], port: 0, drivers: { rawExec: true }, ...client },
    ...config,
  });
  running.add(agent);
  await agent.registered();
  return agent;
}

async function close(agent: RunningAgent): Promise<void> {
  running.delete(agent);
  await agent.close();
}

function shell(line: string, more = ""): string {
  return `task "main" {
    driver = "raw_exec"
    config { command = "/bin/sh"
      args = ["-c", ${JSON.stringify(line).replaceAll("${", "$${")}] }
    ${more}
  }`;
}

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 10_000, interval: 20 });
const statusOf = (id: string) => jobs.updates.get(id)?.ClientStatus;
const urlOf = ({ nomad: [first] }: RunningAgent, path: string) =>
  `http://127.0.0.1:${first?.kind === "tcp" ? first.port : 0}${path}`;
const batch = `type = "batch"`;

describe("registering", () => {
  test("a node says who it is and what it has, with the datacenter that jobs ask for", async () => {
    const agent = await start({ datacenter: "asia-east1", nodeClass: "small", meta: { rack: "r1" } });
    const [told] = jobs.registrations;
    expect(told).toMatchObject({
      ID: agent.nodeId,
      Name: "node-1",
      Datacenter: "asia-east1",
      NodeClass: "small",
      NodePool: "default",
      Meta: { rack: "r1" },
      Drivers: { raw_exec: { Detected: true, Healthy: true } },
    });
    expect(told?.Resources.MemoryMB).toBeGreaterThan(0);
    expect(told?.Key.length).toBeGreaterThan(40);
    expect(urlOf(agent, "")).toBe(`http://${told?.HTTPAddress}`);
  });

  test("an agent that no server has taken in yet ends when it is told to", async () => {
    const agent = await startAgent({
      servers: ["127.0.0.1:1"],
      dataFolder: folder,
      http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
      dns: [],
      client: { servers: ["127.0.0.1:1"], port: 0 },
    });
    await agent.close();
  });

  test("raw_exec is off where nobody has turned it on, and says how", async () => {
    await start({ drivers: {} });
    expect(jobs.registrations[0]?.Drivers["raw_exec"]).toMatchObject({ Detected: false, Healthy: false });
    expect(jobs.registrations[0]?.Drivers["raw_exec"]?.HealthDescription).toContain('plugin "raw_exec"');
    const id = jobs.run(
      jobOf(
        `restart { attempts = 0
      mode = "fail" }
      ${shell("true")}`,
        batch,
      ),
    );
    await until(() => expect(statusOf(id)).toBe("failed"));
    const events = jobs.updates.get(id)?.TaskStates["main"]?.Events.map(({ DisplayMessage }) => DisplayMessage);
    expect(events?.join("\n")).toContain("raw_exec is off on this node");
  });

  test("servers that have forgotten the node get it again, with what became of its allocations", async () => {
    await start();
    const id = jobs.run(jobOf(shell("exec sleep 60")));
    await until(() => expect(statusOf(id)).toBe("running"));
    jobs.updates.clear();
    jobs.forget();
    await until(() => expect(jobs.registrations).toHaveLength(2));
    await until(() => expect(statusOf(id)).toBe("running"));
  });

  test("without a data folder there are no jobs", async () => {
    const { dataFolder: _, ...none } = { dataFolder: folder };
    const client = { servers: [jobs.address], port: 0 };
    const config = {
      ...none,
      servers: [discovery.address],
      http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    } as const;
    await expect(startAgent({ ...config, dns: [], client })).rejects.toThrow(/-data-dir/);
  });
});

describe("running", () => {
  test("an allocation is run, told of, and stopped when the servers say so", async () => {
    await start();
    const id = jobs.run(jobOf(shell("echo $NOMAD_REGION; exec sleep 60")));
    await until(() => expect(statusOf(id)).toBe("running"));
    jobs.desire(id, "stop");
    await until(() => expect(statusOf(id)).toBe("complete"));
  });

  test("while no server answers tasks go on, and their ends are told when one is back", async () => {
    await start();
    const long = jobs.run(jobOf(shell("exec sleep 60")));
    const short = jobs.run(jobOf(shell("sleep 1; exit 3"), `${batch}`), {});
    await until(() => expect([statusOf(long), statusOf(short)]).toEqual(["running", "running"]));
    await jobs.stop();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect([statusOf(long), statusOf(short)]).toEqual(["running", "running"]);
    await jobs.start();
    await until(() => expect(jobs.updates.get(short)?.TaskStates["main"]?.Events.at(-1)).toBeDefined());
    await until(() =>
      expect(jobs.updates.get(short)?.TaskStates["main"]?.Events.some(({ Type }) => Type === "Terminated")).toBe(true),
    );
    expect(statusOf(long)).toBe("running");
  });

  test("an agent that takes its tasks with it starts nothing in their place", async () => {
    const agent = await start();
    const id = jobs.run(jobOf(shell("exec sleep 60")));
    await until(() => expect(statusOf(id)).toBe("running"));
    const stopping = agent.stopTasks();
    const other = jobs.run(jobOf(shell("exec sleep 60")));
    await stopping;
    await until(() => expect(statusOf(id)).toBe("complete"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(statusOf(other)).toBeUndefined();
  });

  test("an agent that is started anew finds its tasks, also without servers, and what ended meanwhile", async () => {
    const first = await start();
    const long = jobs.run(jobOf(shell("exec sleep 60")));
    const short = jobs.run(
      jobOf(
        `restart { attempts = 0
      mode = "fail" }
      ${shell("sleep 1; exit 3")}`,
        batch,
      ),
    );
    await until(() => expect([statusOf(long), statusOf(short)]).toEqual(["running", "running"]));
    await jobs.stop();
    await close(first);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await jobs.start();
    await start();
    await until(() => expect([statusOf(long), statusOf(short)]).toEqual(["running", "failed"]));
    const ended = jobs.updates.get(short)?.TaskStates["main"]?.Events.find(({ Type }) => Type === "Terminated");
    expect(ended?.DisplayMessage).toContain("Exit Code: 3");
  });

  test("a node that was taken for lost stops what was placed elsewhere, and starts nothing twice", async () => {
    const first = await start();
    const id = jobs.run(jobOf(shell("exec sleep 60")));
    await until(() => expect(statusOf(id)).toBe("running"));
    await jobs.stop();
    jobs.desire(id, "stop");
    await jobs.start();
    await until(() => expect(statusOf(id)).toBe("complete"));
    expect(jobs.updates.get(id)?.TaskStates["main"]?.Restarts).toBe(0);
    await close(first);
  });

  test("many changes come in few requests, and one that is refused keeps no other back", async () => {
    await start();
    const ids = Array.from({ length: 6 }, () => jobs.run(jobOf(shell("true"), batch)));
    jobs.refused.add(ids[0] ?? "");
    await until(() => expect(ids.slice(1).map(statusOf)).toEqual(Array(5).fill("complete")));
    expect(statusOf(ids[0] ?? "")).toBeUndefined();
    expect(Math.max(...jobs.batches)).toBeGreaterThan(1);
    const before = jobs.batches.length;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(jobs.batches).toHaveLength(before);
  });

  test("what a job does not want to go on without servers is stopped then", async () => {
    const agent = await start();
    const id = jobs.run(jobOf(`stop_after_client_disconnect = "2s"\n${shell("exec sleep 60")}`));
    const other = jobs.run(jobOf(shell("exec sleep 60")));
    await until(() => expect([statusOf(id), statusOf(other)]).toEqual(["running", "running"]));
    await jobs.stop();
    const tasks = async (which: string) => {
      const stats = await keyed(agent, `/v1/client/allocation/${which}/stats`);
      return Object.keys((await stats.json()).Tasks);
    };
    await expect.poll(() => tasks(id), { timeout: 20_000 }).toEqual([]);
    expect(await tasks(other)).toEqual(["main"]);
    await jobs.start();
  });
});

async function keyed(agent: RunningAgent, path: string) {
  const key = jobs.registrations.at(-1)?.Key ?? "";
  const answer = await fetch(urlOf(agent, path), { headers: { authorization: `Bearer ${key}` } });
  return {
    status: answer.status,
    json: async () => (await answer.json()) as { Tasks: object },
    text: () => answer.text(),
  };
}

describe("services of tasks", () => {
  test("are in the catalog while the task runs, and go with it", async () => {
    const agent = await start();
    const service = `service { name = "shop-web"
      port = "http"
      check { type = "script"
        name = "fine"
        command = "/bin/true"
        interval = "1s"
        timeout = "1s" } }
      network { port "http" {} }`;
    const id = jobs.run(jobOf(`${service}\n${shell("exec sleep 60")}`), {
      Ports: [{ Task: null, Label: "http", Value: 4711, To: 0 }],
    });
    const catalog = async () =>
      (await (await fetch(`http://${discovery.address}/v1/health/service/shop-web?passing`)).json()) as object[];
    await vi.waitFor(async () => expect(await catalog()).toHaveLength(1), { timeout: 10_000, interval: 50 });
    jobs.desire(id, "stop");
    await until(() => expect(statusOf(id)).toBe("complete"));
    expect(await catalog()).toHaveLength(0);
    expect(agent.nodeName).toBe("node-1");
  });
});

describe("Nomad's API at a node", () => {
  test("anything is asked of a server, with the caller's token; what is the node's comes back to it with its key", async () => {
    const agent = await start();
    const id = jobs.run(jobOf(shell("echo hello; echo oh >&2; exec sleep 60")));
    await until(() => expect(statusOf(id)).toBe("running"));
    expect(await (await fetch(urlOf(agent, "/v1/jobs"))).json()).toEqual({ asked: "/v1/jobs" });
    const logs = (query: string) => fetch(urlOf(agent, `/v1/client/fs/logs/${id}?task=main&plain=true&${query}`));
    await vi.waitFor(async () => expect(await (await logs("type=stdout")).text()).toBe("hello\n"), { timeout: 5_000 });
    expect(await (await logs("type=stderr")).text()).toBe("oh\n");
    const wrong = await fetch(urlOf(agent, `/v1/client/fs/ls/${id}`), { headers: { authorization: "Bearer wrong" } });
    expect(wrong.status).toBe(200);
  });

  test("a task that could not be started has no output to show, also when it is given up", async () => {
    const agent = await start();
    const missing = `restart { attempts = 0
      mode = "fail" }
      task "main" { driver = "raw_exec"
      config { command = "/no/such/program" } }`;
    const id = jobs.run(jobOf(missing));
    await until(() => expect(statusOf(id)).toBe("failed"));
    const answer = await fetch(urlOf(agent, `/v1/client/fs/logs/${id}?task=main&type=stdout&plain=true`));
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringMatching(/not started yet.*alloc status/)]);
  });

  test("what is about the agent that is asked is about this node", async () => {
    const agent = await start();
    const self = await (await fetch(urlOf(agent, "/v1/agent/self"))).json();
    expect(self).toMatchObject({ asked: "/v1/agent/self", config: { Client: { Enabled: true } } });
    expect(self).toMatchObject({ stats: { client: { node_id: agent.nodeId, num_allocations: "0" } } });
    const stats = (await (await fetch(urlOf(agent, "/v1/client/stats"))).json()) as { Memory: { Total: number } };
    expect(stats.Memory.Total).toBeGreaterThan(0);
    expect(jobs.asked.at(-1)).toBe(`/v1/client/stats?node_id=${agent.nodeId}`);
    expect(await (await fetch(urlOf(agent, "/v1/agent/health"))).json()).toEqual({
      client: { ok: true, message: "ok" },
    });
  });

  test("a server with an old key is refused, and not asked in turn", async () => {
    const agent = await start();
    const headers = { authorization: "Bearer old", "x-millwright-forwarded": "1" };
    const before = jobs.requests.length;
    const answer = await fetch(urlOf(agent, "/v1/client/stats"), { headers });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("another key")]);
    expect(jobs.requests.slice(before).filter((line) => line.includes("/v1/client"))).toEqual([]);
  });

  test("logs are followed through a server until the task has ended", async () => {
    const agent = await start();
    const id = jobs.run(jobOf(shell("for i in 1 2 3; do echo line $i; sleep 0.4; done"), batch));
    await until(() => expect(["running", "complete"]).toContain(statusOf(id)));
    const answer = await fetch(urlOf(agent, `/v1/client/fs/logs/${id}?task=main&type=stdout&follow=true&plain=true`));
    expect(await answer.text()).toBe("line 1\nline 2\nline 3\n");
  });

  test("a task is restarted and signalled", async () => {
    const agent = await start();
    const id = jobs.run(jobOf(shell("trap 'echo got usr1' USR1; while :; do sleep 0.1; done")));
    await until(() => expect(statusOf(id)).toBe("running"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const put = (path: string, body: object) =>
      fetch(urlOf(agent, `/v1/client/allocation/${id}/${path}`), { method: "PUT", body: JSON.stringify(body) });
    expect((await put("signal", { Signal: "SIGUSR1", Task: "main" })).status).toBe(200);
    const output = async () =>
      (await fetch(urlOf(agent, `/v1/client/fs/logs/${id}?task=main&type=stdout&plain=true`))).text();
    await vi.waitFor(async () => expect(await output()).toBe("got usr1\n"), { timeout: 5_000, interval: 50 });
    expect((await put("restart", { TaskName: "main" })).status).toBe(200);
    await until(() => expect(jobs.updates.get(id)?.TaskStates["main"]?.Restarts).toBe(1));
    expect((await put("restart", { TaskName: "none" })).status).toBe(404);
    expect((await put("signal", {})).status).toBe(400);
  });
});
