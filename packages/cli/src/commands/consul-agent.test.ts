import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulClient } from "@millwright/clients/consul";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CommandOutcome, outcomeOf } from "../../test/kv-io.ts";
import { runConsulAgent } from "./consul-agent.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-cli-consul-agent-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the command until its banner is there, does something with it, and stops it. */
async function whileRunning(
  args: readonly string[],
  work: (client: ConsulClient, address: string) => Promise<void>,
): Promise<CommandOutcome> {
  const stop = new AbortController();
  const started = Promise.withResolvers<string>();
  const all = ["-http-port=0", "-dns-port=0", "-log-level=error", ...args];
  const ended = outcomeOf((io) => runConsulAgent(all, io), {
    cwd: folder,
    signal: stop.signal,
    onOutput: (text) => started.resolve(/(http|unix):\/\/\S+/.exec(text)?.[0] ?? ""),
  });
  const address = await Promise.race([started.promise, ended.then(({ err }) => Promise.reject(new Error(err)))]);
  const client = new ConsulClient({ address }, { attempts: 1 });
  try {
    await work(client, address);
  } finally {
    await client.close();
    stop.abort("SIGINT");
  }
  return ended;
}

const writeConfig = (config: object) => writeFile(join(folder, "c.json"), JSON.stringify(config));
const server = ["-server", "-bootstrap", "-node=n1", "-data-dir=data", "-config-file=c.json"];

describe("a server in Consul's words", () => {
  test("has the ID and the metadata of its configuration, and says once what has no effect", async () => {
    const id = "adf4238a-882b-9ddc-4a9d-5b6758e4159e";
    await writeConfig({ node_id: id, node_meta: { rack: "7" }, telemetry: {}, performance: { raft_multiplier: 1 } });
    const outcome = await whileRunning(server, async (client) => {
      await expect
        .poll(async () => (await client.catalog.nodes({ nodeMeta: { rack: "7" } })).value.map((node) => node.id))
        .toEqual([id]);
    });
    expect(outcome.code).toBe(0);
    expect(outcome.err.match(/Warning/g)).toHaveLength(1);
  });

  test("listens at the addresses of its configuration, and writes its number where no folder was", async () => {
    await writeConfig({ addresses: { http: "unix://api.sock" } });
    await whileRunning([...server, "-pid-file=run/n1/pid"], async (client, address) => {
      expect(address).toBe(`unix://${join(folder, "api.sock")}`);
      expect(await client.agentSelf()).toMatchObject({ nodeName: "n1" });
      expect(await readFile(join(folder, "run/n1/pid"), "utf8")).toBe(`${process.pid}\n`);
    });
  });

  test("reads services again at a reload", async () => {
    await writeFile(join(folder, "c.json"), "");
    await whileRunning(server, async (client, address) => {
      await writeConfig({ service: { name: "redis", port: 1234 } });
      await fetch(`${address}/v1/agent/reload`, { method: "PUT" });
      expect((await client.agent.services()).map(({ id, port }) => [id, port])).toEqual([
        ["consul", 8300],
        ["redis", 1234],
      ]);
    });
  });

  test("keeps to the access control of its configuration", async () => {
    await writeConfig({ acl: { enabled: true, default_policy: "deny", tokens: { master: "root" } } });
    await whileRunning(server, async (client) => {
      await expect(client.kv.put("a", "1")).rejects.toThrow(/Permission denied/);
      await client.kv.put("a", "1", { token: "root" });
    });
  });

  test("with access control that nobody could use does not start", async () => {
    await writeConfig({ acl: { enabled: true, default_policy: "deny" } });
    const outcome = await outcomeOf((io) => runConsulAgent(server, io), { cwd: folder });
    expect(outcome).toMatchObject({ code: 1, err: expect.stringMatching(/give acl\.tokens\.initial_management too/) });
  });
});

describe("a client agent in Consul's words", () => {
  const joins = async (config: object) => {
    await writeConfig(config);
    const outcome = { status: 0, text: "" };
    await whileRunning(server, async (_, address) => {
      await whileRunning(["-node=n2"], async (_client, agent) => {
        const reply = await fetch(`${agent}/v1/agent/join/${encodeURIComponent(address)}`, { method: "PUT" });
        Object.assign(outcome, { status: reply.status, text: await reply.text() });
      });
    });
    return outcome;
  };

  test("joins by an address alone, where everybody may do everything", async () => {
    expect(await joins({ acl: { enabled: false } })).toEqual({ status: 200, text: "" });
  });

  test.each([
    { name: "access control", config: { acl: { enabled: true, tokens: { initial_management: "root" } } } },
    { name: "a key for nodes", config: { encrypt: "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=" } },
  ])("needs the join token of a server with $name", async ({ config }) => {
    expect(await joins(config)).toEqual({ status: 400, text: expect.stringMatching(/none was given/) });
  });
});
