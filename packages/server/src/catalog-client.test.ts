import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestRunning } from "../test/running.ts";

let running: TestRunning;
beforeAll(async () => {
  running = await startTestServer({ nodeName: "n1" });
  for await (const { value } of running.client.health.watchNode("n1", { signal: AbortSignal.timeout(10_000) })) {
    if (value.some(({ status }) => status === "passing")) break;
  }
});
afterAll(() => running.close());

describe("our client against our server's catalog", () => {
  const web = {
    node: "ext",
    address: "10.0.0.9",
    id: "5f0c4f3e-0000-4000-8000-000000000009",
    nodeMeta: { env: "qa" },
    taggedAddresses: { lan: "10.0.0.9" },
    service: {
      service: "web",
      id: "web-1",
      tags: ["v1", "http"],
      address: "10.0.0.10",
      port: 8080,
      meta: { a: "b" },
      taggedAddresses: { wan: { address: "1.2.3.4", port: 80 } },
      weights: { passing: 3, warning: 1 },
    },
    checks: [{ checkId: "up", name: "Up", status: "warning", output: "slow", serviceId: "web-1", type: "http" }],
  } as const;

  test("what is registered is read back, field by field", async () => {
    const { client } = running;
    await client.catalog.register(web);
    const [instance] = (await client.catalog.service("web")).value;
    const service = {
      service: "web",
      id: "web-1",
      tags: ["v1", "http"],
      address: "10.0.0.10",
      port: 8080,
      meta: { a: "b" },
      taggedAddresses: { wan: { address: "1.2.3.4", port: 80 } },
      weights: { passing: 3, warning: 1 },
      enableTagOverride: false,
    };
    const node = { node: "ext", id: web.id, address: "10.0.0.9", datacenter: "dc1", meta: { env: "qa" } };
    expect(instance).toMatchObject({ node, service });
    expect((await client.catalog.node("ext")).value).toMatchObject({ node, services: [service] });
    expect((await client.health.service("web")).value).toMatchObject([
      {
        node,
        service,
        checks: [{ checkId: "up", status: "warning", output: "slow", serviceName: "web", type: "http" }],
      },
    ]);
    expect((await client.health.checks("web")).value).toMatchObject([{ checkId: "up", serviceTags: ["v1", "http"] }]);
    expect((await client.health.node("ext")).value).toMatchObject([{ checkId: "up" }]);
    expect((await client.catalog.nodes()).value.map((each) => each.node).sort()).toEqual(["ext", "n1"]);
    expect((await client.catalog.services()).value).toMatchObject({ web: ["v1", "http"] });
    expect(await client.catalog.datacenters()).toEqual(["dc1"]);
    expect((await client.catalog.node("none")).value).toBeUndefined();
  });

  test("lists are narrowed by tags, health, meta data and filters", async () => {
    const { catalog, health } = running.client;
    const count = async (answer: Promise<{ readonly value: readonly unknown[] }>) => (await answer).value.length;
    expect(await count(catalog.service("web", { tags: ["v1", "http"] }))).toBe(1);
    expect(await count(catalog.service("web", { tags: ["v1", "v2"] }))).toBe(0);
    expect(await count(health.service("web", { passing: true }))).toBe(0);
    expect(await count(catalog.nodes({ nodeMeta: { env: "qa" } }))).toBe(1);
    expect(await count(catalog.nodes({ filter: 'Meta.env == "qa"' }))).toBe(1);
    expect(await count(health.service("web", { filter: "Service.Port == 8080 and v1 in Service.Tags" }))).toBe(1);
    expect(await count(health.state("warning", { filter: "CheckID == up" }))).toBe(1);
    await expect(catalog.nodes({ filter: "Meta.env =" })).rejects.toMatchObject({ code: "CLIENT_BAD_REQUEST" });
  });

  test("watches tell each later state", async () => {
    const { client } = running;
    const stop = new AbortController();
    const seen: string[] = [];
    const steps = ["critical", "passing"] as const;
    const pending = [...steps];
    for await (const { value } of client.health.watchService("web", { signal: stop.signal })) {
      seen.push(value[0]?.checks[0]?.status ?? "");
      const status = pending.shift();
      if (status) await client.catalog.register({ ...web, checks: [{ ...web.checks[0], status }] });
      else stop.abort();
    }
    expect(seen).toEqual(["warning", "critical", "passing"]);
  });

  test("what is deregistered is gone", async () => {
    const { client } = running;
    await client.catalog.deregister({ node: "ext", checkId: "up" });
    expect((await client.health.node("ext")).value).toEqual([]);
    await client.catalog.deregister({ node: "ext", serviceId: "web-1" });
    expect((await client.catalog.service("web")).value).toEqual([]);
    await client.catalog.deregister({ node: "ext" });
    expect((await client.catalog.nodes()).value.map(({ node }) => node)).toEqual(["n1"]);
  });
});

describe("our client against our agent", () => {
  test("registers, marks, maintains and deregisters", async () => {
    const { agent } = running.client;
    await agent.registerService({ Name: "api", Port: 1, Check: { CheckID: "alive", TTL: "1h" } });
    expect(await agent.services()).toContainEqual(expect.objectContaining({ id: "api", port: 1 }));
    const status = async () => (await agent.checks()).find(({ checkId }) => checkId === "alive");
    expect(await status()).toMatchObject({ status: "critical" });
    for (const [mark, want] of [
      [() => agent.passCheck("alive", "fine"), { status: "passing", output: "fine" }],
      [() => agent.warnCheck("alive"), { status: "warning" }],
      [() => agent.failCheck("alive"), { status: "critical" }],
      [
        () => agent.updateCheck("alive", { status: "passing", output: "again" }),
        { status: "passing", output: "again" },
      ],
    ] as const) {
      await mark();
      expect(await status()).toMatchObject(want);
    }
    await agent.maintenance({ enable: true, reason: "repair", serviceId: "api" });
    expect((await agent.checks()).some(({ status: is, notes }) => is === "critical" && notes === "repair")).toBe(true);
    await agent.maintenance({ enable: false, serviceId: "api" });
    await agent.deregisterService("api");
    await expect(agent.deregisterService("api")).rejects.toMatchObject({ code: "CLIENT_NOT_FOUND" });
  });

  test("knows itself and the members", async () => {
    const { agent } = running.client;
    expect(await agent.self()).toMatchObject({ Config: { NodeName: "n1", Server: true } });
    expect(await agent.members()).toMatchObject([{ name: "n1", status: "alive", tags: { role: "consul", dc: "dc1" } }]);
  });
});

describe("our client, as a node", () => {
  test("joins, lives, and is refused with a reason", async () => {
    const { client, server } = running;
    const id = "5f0c4f3e-0000-4000-8000-000000000042";
    const request = { joinToken: server.joinToken.token, node: "n42", id, address: "10.0.0.42" };
    expect(await client.node.join({ ...request, joinToken: "wrong" })).toMatchObject({ kind: "wrong-join-token" });
    const joined = await client.node.join(request);
    expect(joined).toMatchObject({ kind: "joined", datacenter: "dc1", livenessMilliseconds: 10_000 });
    const token = joined.kind === "joined" ? joined.nodeToken : "";
    expect(await client.node.liveness({ node: "n42", id }, { token })).toMatchObject({ kind: "alive" });
    expect(await client.node.liveness({ node: "n42", id }, { token: "other" })).toMatchObject({
      kind: "unknown-token",
    });
    const session = await client.sessions.create({ node: "n42", lockDelayMilliseconds: 0 }, { token });
    await expect(client.sessions.create({ node: "n1" }, { token })).rejects.toThrow(
      /the identity of node "n42" lacks permission 'session:write' on "n1"/,
    );
    const foreign = await client.sessions.create({ node: "n1" });
    await expect(client.sessions.destroy(foreign, { token })).rejects.toMatchObject({ code: "CLIENT_DENIED" });
    await client.sessions.destroy(session, { token });
    await client.sessions.destroy(foreign);
    const other = { ...request, id: "5f0c4f3e-0000-4000-8000-000000000043" };
    expect(await client.node.join(other)).toMatchObject({ kind: "name-taken" });
  });
});
