import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConsulClient } from "@millwright/clients/consul";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningAgent, startAgent } from "./agent.ts";

let folder: string;
const opened: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agent-"));
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  await rm(folder, { recursive: true });
});

const anyPort = { http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }], dns: [{ host: "127.0.0.1", port: 0 }] } as const;

async function start(config: Partial<Parameters<typeof startAgent>[0]> = {}): Promise<RunningAgent> {
  const agent = await startAgent({ servers: [], nodeName: "a1", ...anyPort, ...config });
  opened.push(() => agent.close());
  return agent;
}

function clientOf(port: number): ConsulClient {
  const client = new ConsulClient({ address: `127.0.0.1:${port}` });
  opened.push(() => client.close());
  return client;
}

const portOf = ({ http: [first] }: RunningAgent) => (first?.kind === "tcp" ? first.port : 0);

describe("an agent", () => {
  test("answers HTTP and DNS, and says where", async () => {
    const agent = await start({ dataFolder: folder });
    const self = await clientOf(portOf(agent)).agent.self();
    expect(self).toMatchObject({
      Config: { NodeName: "a1", NodeID: agent.nodeId },
      DebugConfig: { HTTPPort: portOf(agent), DNSPort: agent.dns[0]?.port },
    });
    const running = JSON.parse(await readFile(join(folder, "running.json"), "utf8"));
    expect(running).toMatchObject({ pid: process.pid, http: [`127.0.0.1:${portOf(agent)}`] });
  });

  test("whose port is taken does not start, says what to do, and leaves nothing behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    opened.push(async () => taken.close());
    const address = taken.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const dns = [{ host: "127.0.0.1", port }];
    await expect(start({ dns })).rejects.toThrow(new RegExp(`Cannot listen for DNS on 127\\.0\\.0\\.1:${port}`));
    const agent = await start({ dns, freePortsIfTaken: true });
    expect(agent.dns[0]?.port).not.toBe(port);
  });

  test("whose data folder another one works on does not start, and the other goes on", async () => {
    const first = await start({ dataFolder: folder });
    await expect(start({ dataFolder: folder })).rejects.toThrow(
      `The data folder ${folder} is already in use by process ${process.pid}. Stop that one first`,
    );
    const running = JSON.parse(await readFile(join(folder, "running.json"), "utf8"));
    expect(running).toMatchObject({ http: [`127.0.0.1:${portOf(first)}`] });
    await first.close();
    await start({ dataFolder: folder });
  });

  test("takes services of its configuration, and other ones at a reload", async () => {
    const agent = await start({ services: [{ name: "web" }, { name: "db" }] });
    const client = clientOf(portOf(agent));
    await client.agent.registerService({ Name: "by-hand" });
    agent.reconfigure({ services: [{ name: "web", port: 81 }] });
    const services = await client.agent.services();
    expect(services.map(({ id, port }) => `${id} ${port}`)).toEqual(["web 81", "by-hand 0"]);
  });

  const mistakes = [
    {
      name: "without a name",
      services: [{ port: 1 }],
      want: /"without a name" of the configuration.*Missing service name/,
    },
    {
      name: "with a script where none may run",
      services: [{ name: "web", check: { args: ["true"], interval: "1s" } }],
      want: /The check "service:web" runs a script, and scripts are disabled.*enable_local_script_checks/,
    },
  ];
  test.each(mistakes)("a service $name is refused at the start", async ({ services, want }) => {
    await expect(start({ services })).rejects.toThrow(want);
  });
});

describe("an agent that is killed", () => {
  const program = fileURLToPath(new URL("../test/crash-agent.ts", import.meta.url));

  async function startProcess(): Promise<{ child: ChildProcess; port: number }> {
    const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "inherit"] });
    opened.push(async () => child.kill("SIGKILL"));
    const port = await new Promise<number>((resolve) =>
      child.stdout?.once("data", (text) => resolve(Number(`${text}`))),
    );
    return { child, port };
  }

  test("has its services, checks and results again when it is started again", async () => {
    const first = await startProcess();
    const client = clientOf(first.port);
    const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
    for (const [i, name] of names.entries()) {
      await client.agent.registerService({ Name: name, Check: { TTL: "1h" } });
      // A result is kept soon after its answer, a registration before.
      if (i === 3) await client.agent.passCheck("service:s3", "fine");
      if (i === 3) await new Promise((resolve) => setTimeout(resolve, 200));
    }
    first.child.kill("SIGKILL");
    await new Promise((resolve) => first.child.once("exit", resolve));
    const again = clientOf((await startProcess()).port);
    expect((await again.agent.services()).map(({ id }) => id)).toEqual(names);
    const checks = await again.agent.checks();
    expect(checks.find(({ checkId }) => checkId === "service:s3")).toMatchObject({ status: "passing", output: "fine" });
  });
});
