import { readFileSync } from "node:fs";
import { ConsulClient } from "@millwright/clients/consul";
import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import { consulProvider } from "@millwright/providers/consul";
import { formatAddress } from "@millwright/daemon/listener";
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
