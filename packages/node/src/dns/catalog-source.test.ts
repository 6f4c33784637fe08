import { ConsulClient } from "@millwright/clients/consul";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { afterEach, describe, expect, test } from "vitest";
import { type FakeConsul, startFakeConsul } from "../../test/support/fake-consul.ts";
import type { CatalogSource, Lookup } from "./catalog.ts";
import { type CatalogSourceOptions, openCatalogSource } from "./catalog-source.ts";
import { addressKey, type HostAddress } from "./host-address.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function open(
  changes: Partial<CatalogSourceOptions> = {},
): Promise<{ consul: FakeConsul; source: CatalogSource }> {
  const consul = await startFakeConsul();
  const client = new ConsulClient({ address: consul.address }, { attempts: 1 });
  const ports = { clock: systemClock, chance: systemChance, log: silentLog };
  const source = openCatalogSource({ call: (read) => read(client), ...ports, ...changes });
  opened.push(consul, client, source);
  return { consul, source };
}

const wireNode = (node: string, address: string) => ({
  Node: node,
  Address: address,
  Datacenter: "dc1",
  Meta: { rack: "a" },
});
const wireEntry = (address: string, statuses: readonly string[] = ["passing"]) => ({
  Node: wireNode("N1", "10.0.0.1"),
  Service: { Service: "web", Tags: ["V1"], Address: address, Port: 80, Weights: { Passing: 5, Warning: 2 } },
  Checks: statuses.map((Status) => ({ Status })),
});
const webPath = "/v1/health/service/web";

const hex = (address: HostAddress | undefined) =>
  address && "bytes" in address ? addressKey(address.bytes) : undefined;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 5_000;
  while (!(await condition())) {
    expect(performance.now()).toBeLessThan(end);
    await systemClock.sleep(5);
  }
}

async function valueOf<T>(lookup: Lookup<T>): Promise<T> {
  return (await lookup).value;
}

describe("a service", () => {
  test("is read once, then answered from memory, and a change is seen without a further question", async () => {
    const { consul, source } = await open();
    consul.set(webPath, [wireEntry("")]);
    expect(await valueOf(source.service("web", undefined))).toEqual([
      {
        node: {
          name: "N1",
          datacenter: "dc1",
          address: { kind: "ipv4", bytes: Uint8Array.of(10, 0, 0, 1) },
          meta: { rack: "a" },
        },
        address: { kind: "ipv4", bytes: Uint8Array.of(10, 0, 0, 1) },
        port: 80,
        tags: ["v1"],
        health: "passing",
        weight: 5,
      },
    ]);
    await until(() => consul.waiting === 1);
    for (let i = 0; i < 100; i++) expect(source.service("web", undefined)).not.toBeInstanceOf(Promise);
    expect(consul.requests).toEqual([webPath, webPath]);
    const before = performance.now();
    consul.set(webPath, [wireEntry("10.0.0.7")]);
    await until(async () => hex((await valueOf(source.service("web", undefined)))[0]?.address) === "0a000007");
    expect(performance.now() - before).toBeLessThan(2_500);
  });

  test("that is unknown is found as soon as it is registered", async () => {
    const { consul, source } = await open();
    expect(await valueOf(source.service("web", undefined))).toEqual([]);
    await until(() => consul.waiting === 1);
    consul.set(webPath, [wireEntry("")]);
    await until(async () => (await valueOf(source.service("web", undefined))).length === 1);
  });

  test.each([
    { name: "passing checks", statuses: ["passing", "passing"], want: ["passing", 5] },
    { name: "no checks", statuses: [], want: ["passing", 5] },
    { name: "one warning", statuses: ["passing", "warning"], want: ["warning", 2] },
    { name: "a critical check beside a warning", statuses: ["warning", "critical"], want: ["critical", 2] },
  ])("is as healthy as the worst of its checks: $name", async ({ statuses, want }) => {
    const { consul, source } = await open();
    consul.set(webPath, [wireEntry("", statuses)]);
    const [instance] = await valueOf(source.service("web", undefined));
    expect([instance?.health, instance?.weight]).toEqual(want);
  });

  test("many questions at a time are one request", async () => {
    const { consul, source } = await open();
    await Promise.all(Array.from({ length: 50 }, () => source.service("web", undefined)));
    expect(consul.requests.length).toBeLessThanOrEqual(2);
  });

  test("elsewhere is asked for there, and a datacenter that nobody knows has nothing", async () => {
    const { consul, source } = await open({ token: () => "the-token" });
    consul.set(webPath, [wireEntry("")]);
    expect(await valueOf(source.service("web", "dc2"))).toHaveLength(1);
    expect(consul.requests[0]).toBe(`${webPath}?dc=dc2`);
    expect([...consul.tokens]).toEqual(["the-token"]);
    consul.refuse({ status: 500, text: "No path to datacenter" });
    expect(await valueOf(source.service("web", "dc9"))).toEqual([]);
    await systemClock.sleep(100);
    expect(consul.requests.filter((request) => request.endsWith("dc9"))).toHaveLength(1);
  });
});

describe("when the servers do not answer", () => {
  test("what is known is answered on, the rest fails, and all comes back by itself", async () => {
    const { consul, source } = await open();
    consul.set(webPath, [wireEntry("")]);
    await source.service("web", undefined);
    consul.refuse({ status: 500, text: "No cluster leader" });
    await systemClock.sleep(50);
    expect(await valueOf(source.service("web", undefined))).toHaveLength(1);
    await expect(source.service("other", undefined)).rejects.toThrow(/No cluster leader/);
    consul.refuse(undefined);
    consul.set(webPath, [wireEntry(""), wireEntry("10.0.0.7")]);
    await until(async () => (await valueOf(source.service("web", undefined))).length === 2);
    await until(
      async () => (await Promise.resolve(source.service("other", undefined)).catch(() => undefined)) !== undefined,
    );
  });

  test("the first question does not wait without end", async () => {
    const { consul, source } = await open({ firstMilliseconds: 100 });
    consul.refuse("silence");
    await expect(source.node("n1", undefined)).rejects.toThrow(/No server has answered for node n1 within 0.1 s/);
    await expect(source.node("n1", undefined)).rejects.toThrow(/No server/);
  });

  test("answers that are too old are none", async () => {
    const { consul, source } = await open({ maxStaleMilliseconds: 50 });
    consul.set(webPath, [wireEntry("")]);
    await source.service("web", undefined);
    await consul.close();
    await until(
      async () => (await Promise.resolve(source.service("web", undefined)).catch(() => undefined)) === undefined,
    );
  });

  test("an index that goes back is begun anew", async () => {
    const { consul, source } = await open();
    consul.set(webPath, [wireEntry(""), wireEntry("10.0.0.8")]);
    await source.service("web", undefined);
    await until(() => consul.waiting === 1);
    const port = Number(consul.address.split(":")[1]);
    await consul.close();
    const other = await startFakeConsul(port);
    opened.push(other);
    other.set(webPath, [wireEntry("10.0.0.9")]);
    await until(async () => hex((await valueOf(source.service("web", undefined)))[0]?.address) === "0a000009");
  });
});

describe("nodes and addresses", () => {
  test("a node is found, or is not there", async () => {
    const { consul, source } = await open();
    consul.set("/v1/catalog/node/n1", { Node: wireNode("N1", "10.0.0.1"), Services: {} });
    expect(await valueOf(source.node("n1", undefined))).toMatchObject({ name: "N1", meta: { rack: "a" } });
    expect(await valueOf(source.node("n2", undefined))).toBeUndefined();
  });

  test("an address is that of a node, else of services", async () => {
    const { consul, source } = await open();
    consul.set("/v1/catalog/nodes", [wireNode("N1", "10.0.0.1")]);
    consul.set("/v1/catalog/services", { web: [], db: [] });
    for (const name of ["web", "db"]) {
      const ownFields = { ServiceName: name, ServiceAddress: name === "db" ? "10.0.0.5" : "" };
      consul.set(`/v1/catalog/service/${name}`, [{ ...wireNode("N1", "10.0.0.1"), ...ownFields }]);
    }
    expect(await valueOf(source.owners("0a000001"))).toEqual({ nodes: ["N1"], services: [] });
    expect(await valueOf(source.owners("0a000005"))).toEqual({ nodes: [], services: ["db"] });
    expect(await valueOf(source.owners("0a000009"))).toEqual({ nodes: [], services: [] });
  });
});

describe("how many names are watched", () => {
  test("names that nobody asks for any more are let go", async () => {
    const { consul, source } = await open({ idleMilliseconds: 300, unknownIdleMilliseconds: 40 });
    consul.set(webPath, [wireEntry("")]);
    await source.service("web", undefined);
    await source.service("nothing", undefined);
    await until(() => consul.waiting === 2);
    await until(() => consul.waiting === 1);
    expect(source.service("web", undefined)).not.toBeInstanceOf(Promise);
    await until(() => consul.waiting === 0);
    expect(await valueOf(source.service("web", undefined))).toHaveLength(1);
  });

  test("beyond the bound a name of which there is nothing goes before one that is known", async () => {
    const { consul, source } = await open({ names: 3 });
    consul.set(webPath, [wireEntry("")]);
    await source.service("web", undefined);
    const asked = Array.from({ length: 20 }, (_, i) => Promise.resolve(source.service(`nothing-${i}`, undefined)));
    const settled = await Promise.allSettled(asked);
    // Those that were pushed out before their answer came get none.
    expect(settled.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(2);
    await until(() => consul.waiting === 3);
    expect(source.service("web", undefined)).not.toBeInstanceOf(Promise);
  });

  test("closing ends all watches, and a question that waits", async () => {
    const { consul, source } = await open();
    await source.service("web", undefined);
    await until(() => consul.waiting === 1);
    consul.refuse("silence");
    const waits = Promise.resolve(source.service("late", undefined)).catch((error: unknown) => String(error));
    await source.close();
    expect(await waits).toMatch(/closing/);
    await until(() => consul.waiting === 0);
  });
});
