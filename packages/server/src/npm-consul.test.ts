import Consul from "consul";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestServer, type TestRunning } from "../test/running.ts";

// The npm package "consul": a client of Consul's API written by others, used as its documentation shows.
describe("the npm client", () => {
  let running: TestRunning;
  let consul: Consul;
  beforeAll(async () => {
    running = await startTestServer();
    consul = new Consul({ host: "127.0.0.1", port: running.port });
  });
  afterAll(() => running.close());
  beforeEach(() => running.client.kv.deleteTree(""));

  test("sets and gets", async () => {
    expect(await consul.kv.set("hello", "world")).toBe(true);
    expect(await consul.kv.get("hello")).toMatchObject({ Key: "hello", Value: "world", Flags: 0, LockIndex: 0 });
    expect(await consul.kv.get("none")).toBeUndefined();
  });

  test("keeps flags, bytes and odd keys", async () => {
    const bytes = Buffer.from([0, 255, 128]);
    await consul.kv.set({ key: "with space/ü?#", value: bytes, flags: 42 });
    expect(await consul.kv.get({ key: "with space/ü?#", raw: true })).toEqual(bytes);
    expect(await consul.kv.get("with space/ü?#")).toMatchObject({ Flags: 42 });
  });

  test("recurses and lists keys", async () => {
    for (const key of ["a/1", "a/2/x", "b"]) await consul.kv.set(key, key);
    const tree = await consul.kv.get({ key: "a/", recurse: true });
    expect(tree).toMatchObject([{ Key: "a/1" }, { Key: "a/2/x" }]);
    expect(await consul.kv.keys()).toEqual(["a/1", "a/2/x", "b"]);
    expect(await consul.kv.keys({ key: "a/", separator: "/" })).toEqual(["a/1", "a/2/"]);
    await expect(consul.kv.keys("none")).rejects.toThrow(/not found/);
  });

  test("checks and sets", async () => {
    expect(await consul.kv.set({ key: "a", value: "1", cas: 0 })).toBe(true);
    // That client gives undefined where the answer is "false".
    expect(await consul.kv.set({ key: "a", value: "2", cas: 0 })).toBeFalsy();
    const entry = await consul.kv.get("a");
    expect(await consul.kv.set({ key: "a", value: "2", cas: entry?.ModifyIndex ?? 0 })).toBe(true);
    expect(await consul.kv.del({ key: "a", cas: entry?.ModifyIndex ?? 0 })).toBeFalsy();
  });

  test("deletes keys and trees", async () => {
    for (const key of ["a/1", "a/2", "b"]) await consul.kv.set(key, key);
    expect(await consul.kv.del("b")).toBe(true);
    expect(await consul.kv.del({ key: "a/", recurse: true })).toBe(true);
    expect(await consul.kv.keys()).toEqual([]);
  });

  test("runs transactions", async () => {
    const done = await consul.transaction.create([
      { KV: { Verb: "set", Key: "t", Value: Buffer.from("v").toString("base64") } },
      { KV: { Verb: "get", Key: "t" } },
    ] as never);
    expect(done).toMatchObject({
      Results: [{ KV: { Key: "t", Value: null } }, { KV: { Key: "t", Value: "dg==" } }],
      Errors: null,
    });
    await expect(
      consul.transaction.create([{ KV: { Verb: "check-not-exists", Key: "t" } }] as never),
    ).rejects.toThrow();
  });

  test("asks for status and the agent", async () => {
    expect(await consul.status.leader()).toBe("127.0.0.1:8300");
    expect(await consul.status.peers()).toEqual(["127.0.0.1:8300"]);
    expect(await consul.agent.self()).toMatchObject({ Config: { Datacenter: "dc1" } });
  });

  test("finds what it has registered with the agent in the catalog at once, and not what it has deregistered", async () => {
    const service = { name: "foo", tags: ["bar"], check: { name: "alive", ttl: "15s" } };
    const catalog = async () => {
      const [instances, checks] = await Promise.all([
        consul.catalog.service.nodes("foo"),
        consul.health.checks("foo") as Promise<unknown[]>,
      ]);
      return [instances.length, checks.length];
    };
    for (let round = 0; round < 20; round++) {
      await consul.agent.service.register(service as never);
      expect(await catalog()).toEqual([1, 1]);
      await consul.agent.service.deregister("foo");
      expect(await catalog()).toEqual([0, 0]);
    }
  });

  test("keeps a service's socket in the catalog", async () => {
    // The client has no name for it.
    await fetch(`${running.url}/v1/agent/service/register`, {
      method: "PUT",
      body: JSON.stringify({ Name: "foo", SocketPath: "/run/foo.sock" }),
    });
    expect(await consul.catalog.service.nodes("foo")).toMatchObject([{ ServiceSocketPath: "/run/foo.sock" }]);
    await consul.agent.service.deregister("foo");
  });

  test("fires and lists events", async () => {
    const fired = await consul.event.fire("deploy", "v1");
    expect(fired).toMatchObject({ Name: "deploy", Payload: "v1" });
    expect(await consul.event.list("deploy")).toMatchObject([{ ID: fired.ID, Payload: "v1" }]);
  });

  test("watches a key from before it exists to after it is gone", async () => {
    const seen: (string | undefined)[] = [];
    const watch = consul.watch({ method: consul.kv.get as never, options: { key: "w", wait: "5s" } });
    const change = () => new Promise<void>((resolve) => watch.once("change", () => resolve()));
    watch.on("change", (data: { Value: string } | undefined) => void seen.push(data?.Value));
    await change();
    const steps = [() => consul.kv.set("w", "1"), () => consul.kv.set("w", "2"), () => consul.kv.del("w")];
    for (const step of steps) {
      const next = change();
      await consul.kv.set("unrelated", String(Math.random()));
      await step();
      await next;
    }
    watch.end();
    expect(seen).toEqual([undefined, "1", "2", undefined]);
  });

  test("watches the healthy instances of a service, from its checks' results to its end", async () => {
    const method = consul.health.service as never;
    const watch = consul.watch({ method, options: { service: "api", passing: true, wait: "5s" } as never });
    let healthy = -1;
    watch.on("change", (instances: unknown[]) => (healthy = instances.length));
    const reached = (wanted: number) => expect.poll(() => healthy, { timeout: 3_000 }).toBe(wanted);
    await consul.agent.service.register({ name: "api", check: { name: "alive", ttl: "1m" } } as never);
    await reached(0);
    await consul.agent.check.pass("service:api");
    await reached(1);
    await consul.agent.check.fail("service:api");
    await reached(0);
    await consul.agent.check.pass("service:api");
    await reached(1);
    await consul.agent.service.deregister("api");
    await reached(0);
    watch.end();
  });

  test("watches a prefix", async () => {
    const watch = consul.watch({ method: consul.kv.keys as never, options: { key: "p/", wait: "5s" } });
    const change = () => new Promise<string[]>((resolve) => watch.once("change", resolve));
    watch.on("error", () => undefined);
    await consul.kv.set("p/1", "x");
    let keys = await change();
    while (!keys.includes("p/1")) keys = await change();
    const next = change();
    await consul.kv.set("p/2", "x");
    expect(await next).toEqual(["p/1", "p/2"]);
    watch.end();
  });
});
