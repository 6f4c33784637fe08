import type { Provider } from "@millwright/provider/protocol";
import { configureForTest } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeConsul } from "../../test/fake-consul.ts";
import { consulProvider } from "./provider.ts";

type Data = Readonly<Record<string, unknown>>;
let consul: FakeConsul;
let provider: Provider;

beforeEach(async () => {
  consul = await FakeConsul.start();
  provider = await started({ CONSUL_HTTP_ADDR: consul.address });
});
afterEach(async () => {
  await provider.close();
  await consul.stop();
});

async function started(env: Readonly<Record<string, string>>, config: Data = {}): Promise<Provider> {
  const fresh = consulProvider(env).start();
  await configureForTest(fresh, config);
  return fresh;
}

/** Writes a key through the provider. */
async function keys(more: Data = {}) {
  return (await Drive.of(provider, "consul_keys")).apply({ key: [{ path: "k", value: "v" }], ...more });
}

describe("data sources", () => {
  async function look(type: string, data: Data) {
    const { block } = (await provider.schema()).dataSources.get(type)!;
    const { state, diagnostics } = await provider.readDataSource({ type, config: objectFor(block, data) });
    return { plain: plainOf(block, state) as Data, diagnostics };
  }

  test("consul_keys reads by name, with defaults", async () => {
    consul.keys.set("a", { value: "1", flags: 0 });
    const key = [
      { name: "there", path: "a" },
      { name: "default", path: "none", default: "dd" },
      { name: "empty", path: "none" },
    ];
    const { plain } = await look("consul_keys", { key });
    expect(plain).toMatchObject({ id: "-", datacenter: "dc1", var: { there: "1", default: "dd", empty: "" } });
    expect(plain.key).toContainEqual({ name: "empty", path: "none", default: "" });
    const strict = await look("consul_keys", { key, error_on_missing_keys: true });
    expect(strict.diagnostics).toMatchObject([
      { summary: 'Key "none" does not exist', attribute: [{ attribute: "key" }] },
    ]);
  });

  test("consul_key_prefix reads all keys under it, or those that are asked for", async () => {
    consul.keys.set("p/a", { value: "1", flags: 0 });
    consul.keys.set("p/b/c", { value: "2", flags: 0 });
    expect((await look("consul_key_prefix", { path_prefix: "p/" })).plain).toMatchObject({
      id: "-",
      subkeys: { a: "1", "b/c": "2" },
      var: {},
    });
    const subkey = [
      { name: "x", path: "a" },
      { name: "y", path: "none", default: "d" },
    ];
    expect((await look("consul_key_prefix", { path_prefix: "p/", subkey })).plain).toMatchObject({
      subkeys: null,
      var: { x: "1", y: "d" },
    });
  });
});

describe("the provider's configuration", () => {
  test("wins over the environment, and says where its keys are", async () => {
    provider = await started(
      { CONSUL_HTTP_ADDR: "127.0.0.1:1", CONSUL_HTTP_TOKEN: "env" },
      {
        address: consul.address,
        token: "mine",
        datacenter: "dc9",
        http_auth: "u:p",
        header: [{ name: "X-Extra", value: "1" }],
      },
    );
    expect((await keys()).plain).toMatchObject({ datacenter: "dc9" });
    expect(consul.takeRequests()[0]).toBe('PUT /v1/kv/k?dc=dc9 "v"');
    expect(consul.headers[0]).toMatchObject({ "x-consul-token": "mine", "x-extra": "1", authorization: "Basic dTpw" });
  });

  test("each resource can name a datacenter, namespace, partition and token of its own", async () => {
    await keys({ datacenter: "dc2", namespace: "n", partition: "p", token: "t" });
    expect(consul.takeRequests()[0]).toBe('PUT /v1/kv/k?dc=dc2&ns=n&partition=p "v"');
    expect(consul.headers.at(-1)).toMatchObject({ "x-consul-token": "t" });
  });

  test("trades a JWT for a token", async () => {
    provider = await started(
      { CONSUL_HTTP_ADDR: consul.address },
      { auth_jwt: [{ auth_method: "ci", bearer_token: "jwt", meta: { run: "1" } }] },
    );
    expect(consul.takeRequests()).toEqual([
      'POST /v1/acl/login {"AuthMethod":"ci","BearerToken":"jwt","Meta":{"run":"1"}}',
    ]);
    await keys();
    expect(consul.headers.at(-1)).toMatchObject({ "x-consul-token": "traded" });
  });

  test("that is not known yet lets new objects be planned, and nothing be read", async () => {
    const fresh = consulProvider({}).start();
    const { provider: settings } = await fresh.schema();
    const { diagnostics } = await fresh.configure({
      terraformVersion: "1.11.4",
      config: objectFor(settings.block, { address: undefined }),
    });
    expect(diagnostics).toEqual([]);
    const drive = await Drive.of(fresh, "consul_keys");
    expect((await drive.plan({ key: [{ path: "k" }] })).diagnostics).toEqual([]);
    expect((await drive.read(drive.object({}))).diagnostics).toMatchObject([
      { summary: "Provider consul is not configured yet" },
    ]);
  });

  test.each([
    {
      name: "two CA certificates",
      config: { ca_file: "a", ca_pem: "b" },
      want: /"ca_file" and "ca_pem" cannot be set together/,
    },
    {
      name: "insecure_https without https",
      config: { insecure_https: true },
      want: /insecure_https needs scheme = "https"/,
    },
    { name: "another scheme", config: { scheme: "ftp" }, want: /"http" or "https"/ },
  ])("refuses $name", async ({ config, want }) => {
    const fresh = consulProvider({}).start();
    const { provider: settings } = await fresh.schema();
    const { diagnostics } = await fresh.validateProviderConfig({ config: objectFor(settings.block, config) });
    expect(diagnostics.map((d) => d.detail).join("\n")).toMatch(want);
  });

  test("an address that is none is told when the provider is configured", async () => {
    const fresh = consulProvider({}).start();
    const { provider: settings } = await fresh.schema();
    const { diagnostics } = await fresh.configure({
      terraformVersion: "1.11.4",
      config: objectFor(settings.block, { address: "http://" }),
    });
    expect(diagnostics).toMatchObject([{ severity: "error", summary: "Cannot configure provider consul" }]);
  });
});

test.each([
  {
    name: "of the provider block",
    env: {},
    config: (address: string) => ({ address }),
    want: /that of the provider block/,
  },
  {
    name: "of the environment",
    env: (address: string) => ({ CONSUL_HTTP_ADDR: address }),
    config: () => ({}),
    want: /comes from CONSUL_HTTP_ADDR/,
  },
])("an address $name that nobody answers at is named, with what to check", async ({ env, config, want }) => {
  const { address } = consul;
  await consul.stop();
  provider = await started(typeof env === "function" ? env(address) : env, config(address));
  const drive = await Drive.of(provider, "consul_key_prefix");
  const given = drive.object({ id: "a/", path_prefix: "a/" });
  const { state, diagnostics } = await drive.read(given);
  expect(state).toEqual(given);
  expect(diagnostics).toMatchObject([
    { severity: "error", summary: `Cannot reach Consul at http://${address}`, detail: expect.stringMatching(want) },
  ]);
  expect(diagnostics[0]!.detail).toMatch(/connection refused\. Check that a server runs there/);
  consul = await FakeConsul.start();
});
