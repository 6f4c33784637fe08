import { readFileSync } from "node:fs";
import { ConsulClient } from "@millwright/clients/consul";
import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import { consulProvider } from "@millwright/providers/consul";
import { formatAddress } from "@millwright/daemon/listener";
import { rawEquals } from "@millwright/value/operations";
import { isNull } from "@millwright/value/value";
import { type RunningServer, startServer } from "@millwright/server/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

/* The consul provider against our own server: what each of the two is tested for alone has to hold between them. */

let server: RunningServer;
let client: ConsulClient;
let provider: Provider;

beforeEach(async () => {
  server = await startServer({ http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }] });
  const address = formatAddress(server.http[0]!);
  client = new ConsulClient({ address });
  provider = consulProvider({ CONSUL_HTTP_ADDR: address }).start();
  await configureForTest(provider);
});
afterEach(async () => {
  await provider.close();
  await client.close();
  await server.close();
});

async function keysUnder(prefix: string): Promise<Record<string, string>> {
  const { value } = await client.kv.list(prefix);
  return Object.fromEntries(value.map(({ key, value: bytes }) => [key, Buffer.from(bytes).toString()]));
}

test("both resources keep the provider contract, and leave nothing", async () => {
  const lives = [
    {
      type: "consul_key_prefix",
      config: { path_prefix: "app/", subkeys: { a: "1", b: "" }, subkey: [{ path: "c", value: "ü", flags: 7 }] },
      changes: [{ path_prefix: "app/", subkeys: { "a b/c%d?": "1" } }, { path_prefix: "other/" }],
      importId: () => "app/",
    },
    {
      type: "consul_keys",
      config: { key: [{ path: "x", value: "1", delete: true }] },
      changes: [
        {
          key: [
            { path: "x", value: "2", delete: true },
            { path: "y", name: "why", default: "d" },
          ],
        },
        {},
      ],
    },
  ];
  for (const life of lives) expect(await contractViolations(provider, life)).toEqual([]);
  expect(await keysUnder("")).toEqual({});
});

const check = { check_id: "tcp", name: "reached", tcp: "10.0.0.2:80", interval: "10s", timeout: "90s" };
const web = { name: "web", node: "outside", port: 80, tags: ["b", "a"], meta: { k: "v" } };

describe("nodes without an agent, and their services", () => {
  test("both keep the provider contract, and leave nothing", async () => {
    await client.catalog.register({ node: "outside", address: "10.0.0.2" });
    const lives = [
      {
        type: "consul_node",
        config: { name: "ext", address: "10.0.0.1" },
        changes: [
          { name: "ext", address: "10.0.0.1", meta: { role: "db" } },
          { name: "ext", address: "10.0.0.9" },
          { name: "other", address: "10.0.0.9", meta: {} },
        ],
        importId: () => "ext",
        interrupted: "present",
      },
      {
        type: "consul_service",
        config: { name: "plain", node: "outside" },
        changes: [
          { ...web, check: [{ ...check, header: [{ name: "x", value: ["1", "2"] }] }] },
          { ...web, service_id: "web-1", check: [check, { ...check, check_id: "http", http: "http://10.0.0.2" }] },
          { ...web, service_id: "web-1", check: [{ ...check, status: "passing" }], enable_tag_override: true },
          { ...web, service_id: "web-1", address: "10.1.1.1", tags: [], meta: {} },
        ],
        interrupted: "present",
      },
    ] as const;
    for (const life of lives) expect(await contractViolations(provider, life)).toEqual([]);
    const { value } = await client.catalog.node("outside");
    expect(value?.services).toEqual([]);
    expect((await client.health.node("outside")).value).toEqual([]);
    expect((await client.catalog.node("other")).value).toBeUndefined();
  });

  test("a service is found with its check's definition, and what was changed by hand is put right", async () => {
    const drive = await Drive.of(provider, "consul_service");
    await client.catalog.register({ node: "outside", address: "10.0.0.2" });
    const { state, plain } = await drive.apply({ ...web, check: [check] });
    expect(plain).toMatchObject({ id: "web", address: "10.0.0.2", datacenter: "dc1", meta: { k: "v" } });
    const [found] = (await client.health.service("web")).value;
    expect(found?.service).toMatchObject({ tags: ["b", "a"], meta: { "external-source": "terraform", k: "v" } });
    expect(found?.checks).toMatchObject([{ checkId: "tcp", status: "critical", definition: { tcp: "10.0.0.2:80" } }]);

    await client.catalog.register({
      node: "outside",
      address: "10.0.0.2",
      service: { service: "web", tags: ["changed"], port: 81 },
      checks: [{ checkId: "tcp", name: "reached", status: "passing", serviceId: "web" }],
    });
    const drifted = await drive.read(state);
    expect(drifted.plain).toMatchObject({ tags: ["changed"], port: 81, meta: {} });
    const { plain: again } = await drive.apply({ ...web, check: [check] }, drifted.state);
    // Whoever looks after the check has found it passing: that is no drift.
    expect(again).toMatchObject({ tags: ["b", "a"], port: 80, check: [{ status: "passing", timeout: "90s" }] });
  });

  test("a node or service that was removed by hand is made again", async () => {
    const drive = await Drive.of(provider, "consul_service");
    await client.catalog.register({ node: "outside", address: "10.0.0.2" });
    const { state } = await drive.apply(web);
    await client.catalog.deregister({ node: "outside" });
    expect(isNull((await drive.read(state)).state)).toBe(true);
    const { diagnostics } = await drive.apply(web);
    expect(diagnostics).toMatchObject([
      { summary: "No such node: outside", detail: expect.stringContaining("consul_node") },
    ]);
  });
});

describe("the steps of the key-value story", () => {
  const prefix = "myservice/mycomponent/";
  const one = { appParam1: "val1", appParam2: "var2" };
  const two = { ...one, dbHostname: "db.service.consul", dbHostnameLeader: "rw.db.query.consul" };

  test("keys are added, drift is removed, and the prefix is empty in the end", async () => {
    const drive = await Drive.of(provider, "consul_key_prefix");
    const first = await drive.apply({ path_prefix: prefix, subkeys: one });
    expect(await keysUnder(prefix)).toEqual({ [`${prefix}appParam1`]: "val1", [`${prefix}appParam2`]: "var2" });

    const second = await drive.plan({ path_prefix: prefix, subkeys: two }, first.state);
    expect(second.plain.subkeys).toEqual(two);
    const { state } = await drive.apply({ path_prefix: prefix, subkeys: two }, first.state);
    expect((await drive.plan({ path_prefix: prefix, subkeys: two }, state)).planned).toEqual(state);

    await client.kv.put(`${prefix}byHand`, "x");
    const drifted = await drive.read(state);
    expect(drifted.plain.subkeys).toEqual({ ...two, byHand: "x" });
    await drive.apply({ path_prefix: prefix, subkeys: two }, drifted.state);
    expect(Object.keys(await keysUnder(prefix))).toHaveLength(4);

    expect((await drive.destroy(state)).diagnostics).toEqual([]);
    expect(await keysUnder(prefix)).toEqual({});
  });

  test("a prefix in use is refused, also when it comes into use at the same moment", async () => {
    const drive = await Drive.of(provider, "consul_key_prefix");
    await client.kv.put(`${prefix}there`, "x");
    const refused = await drive.apply({ path_prefix: prefix, subkeys: one });
    expect(refused.diagnostics).toMatchObject([
      { summary: expect.stringMatching(/^1 keys already exist under myservice/) },
    ]);
    await client.kv.deleteTree(prefix);

    const both = await Promise.all([1, 2].map(() => drive.apply({ path_prefix: prefix, subkeys: one })));
    expect(both.filter(({ diagnostics }) => diagnostics.length === 0)).toHaveLength(1);
    expect(Object.keys(await keysUnder(prefix))).toHaveLength(2);
  });

  test("a thousand keys are written, read and changed", async () => {
    const drive = await Drive.of(provider, "consul_key_prefix");
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, `value ${i}`]));
    const { state } = await drive.apply({ path_prefix: "many/", subkeys: many });
    expect((await drive.read(state)).state).toEqual(state);
    const { diagnostics } = await drive.apply({ path_prefix: "many/", subkeys: { ...many, k1: "new" } }, state);
    expect(diagnostics).toEqual([]);
    expect((await keysUnder("many/"))["many/k1"]).toBe("new");
  });
});

const recorded = JSON.parse(
  readFileSync(new URL("../packages/providers/testdata/states/consul-services.json", import.meta.url), "utf8"),
) as readonly { type: string; config: object; schema_version: number; attributes: Record<string, unknown> }[];

// They were written by terraform-provider-consul 2.21.0 to Consul 1.16.1.
test("nodes and services of the registry's provider are as they should be, and written the same by ours", async () => {
  for (const { type, config, schema_version, attributes } of recorded) {
    const drive = await Drive.of(provider, type);
    const written = await drive.apply({ ...config });
    expect(written).toMatchObject({ diagnostics: [], plain: inOrder(attributes) });
    const { state } = await drive.upgrade(schema_version, attributes);
    const read = await drive.read(state);
    expect(read.diagnostics).toEqual([]);
    const { planned, plain } = await drive.plan({ ...config }, read.state);
    expect(rawEquals(planned, state), JSON.stringify(plain)).toBe(true);
  }
});

/** Checks come in the order of their set, headers too: both sides have the same. */
function inOrder(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== "check"));
}

describe("data sources of the catalog", () => {
  beforeEach(async () => {
    const checks = (status: "passing" | "critical") => [{ checkId: "c", name: "c", status, serviceId: "web" }];
    const service = { service: "web", port: 80, tags: ["a", "b"] };
    await client.catalog.register({ node: "n1", address: "10.0.0.1", service, checks: checks("passing") });
    await client.catalog.register({ node: "n2", address: "10.0.0.2", service, checks: checks("critical") });
  });

  async function read(type: string, config: Readonly<Record<string, unknown>>) {
    const { block } = (await provider.schema()).dataSources.get(type)!;
    const { state, diagnostics } = await provider.readDataSource({ type, config: objectFor(block, config) });
    return { diagnostics, plain: state.data === null ? {} : (plainOf(block, state) as Record<string, unknown>) };
  }

  test("consul_service_health finds the instances that pass, or all", async () => {
    const { plain } = await read("consul_service_health", { name: "web" });
    expect(plain).toMatchObject({
      id: 'service-health-dc1-"web"-""',
      results: [
        {
          node: [{ name: "n1", address: "10.0.0.1", datacenter: "dc1" }],
          service: [{ id: "web", port: 80, tags: ["a", "b"] }],
          checks: [{ id: "c", status: "passing", service_name: "web" }],
        },
      ],
    });
    expect((await read("consul_service_health", { name: "web", passing: false })).plain.results).toHaveLength(2);
    expect((await read("consul_service_health", { name: "web", tag: "none" })).plain.results).toEqual([]);
  });

  test("consul_service_health waits for an instance, and says when there was none", async () => {
    const waiting = read("consul_service_health", { name: "late", wait_for: "20s" });
    await client.catalog.register({ node: "n1", address: "10.0.0.1", service: { service: "late" } });
    expect((await waiting).plain.results).toHaveLength(1);
    const { diagnostics } = await read("consul_service_health", { name: "never", wait_for: "50ms" });
    expect(diagnostics).toMatchObject([{ summary: "No healthy instance of never" }]);
  });

  test("consul_services and consul_nodes list what there is", async () => {
    const { plain: services } = await read("consul_services", {});
    expect(services).toMatchObject({ id: "catalog-services-dc1", services: { web: "a b" }, tags: { a: "web" } });
    const { plain: nodes } = await read("consul_nodes", { query_options: [{ require_consistent: true }] });
    expect(nodes.node_names).toEqual(expect.arrayContaining(["n1", "n2"]));
    expect(nodes.nodes).toContainEqual({ id: "n1", name: "n1", address: "10.0.0.1", meta: {}, tagged_addresses: {} });
  });
});

test("data sources see what resources wrote", async () => {
  await (await Drive.of(provider, "consul_keys")).apply({ key: [{ path: "shared/host", value: "db1" }] });
  const { block } = (await provider.schema()).dataSources.get("consul_key_prefix")!;
  const config = objectFor(block, { path_prefix: "shared/" });
  const { state } = await provider.readDataSource({ type: "consul_key_prefix", config });
  expect(plainOf(block, state)).toMatchObject({ subkeys: { host: "db1" }, datacenter: "dc1" });
});

test("the requests that the registry's provider makes are answered as it expects", async () => {
  const log = readFileSync(new URL("../packages/providers/testdata/consul/requests.txt", import.meta.url), "utf8");
  const requests = log.split("\n").flatMap((line) => {
    const found = /^(GET|PUT|DELETE) (\S+)(?: (".*"))? -> (\d+)$/.exec(line);
    return found ? [{ method: found[1]!, path: found[2]!, body: found[3], status: Number(found[4]) }] : [];
  });
  expect(requests.length).toBeGreaterThan(30);
  for (const { method, path, body, status } of requests) {
    const sent = body === undefined ? {} : { body: JSON.parse(body) as string };
    const answer = await fetch(`http://${formatAddress(server.http[0]!)}${path}`, { method, ...sent });
    await answer.arrayBuffer();
    expect(answer.status, `${method} ${path}`).toBe(status);
  }
  expect(Object.keys(await keysUnder(""))).toEqual(["x/3"]);
});
