import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import { proposedObject } from "@millwright/provider/testing/proposed";
import type { Value } from "@millwright/value/value";
import { isNull, nullValue } from "@millwright/value/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeConsul } from "../../test/fake-consul.ts";
import { consulProvider } from "./provider.ts";

type Data = Readonly<Record<string, unknown>>;
let consul: FakeConsul;
let provider: Provider;
const noPrivate = new Uint8Array();

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

async function blockOf(type: string) {
  return (await provider.schema()).resources.get(type)!.block;
}

async function plan(type: string, data: Data, prior?: Value) {
  const block = await blockOf(type);
  const config = objectFor(block, data);
  const before = prior ?? nullValue(config.type);
  const proposed = proposedObject(block, before, config);
  const answer = await provider.planResourceChange({ type, prior: before, proposed, config, priorPrivate: noPrivate });
  return {
    ...answer,
    plain: plainOf(block, answer.planned) as Data,
    call: { type, prior: before, planned: answer.planned, config, plannedPrivate: noPrivate },
  };
}

async function apply(type: string, data: Data, prior?: Value) {
  const { call } = await plan(type, data, prior);
  const { newState, diagnostics } = await provider.applyResourceChange(call);
  return { newState, diagnostics, plain: plainOf(await blockOf(type), newState) as Data };
}

async function destroy(type: string, prior: Value) {
  const nothing = nullValue(prior.type);
  return provider.applyResourceChange({ type, prior, planned: nothing, config: nothing, plannedPrivate: noPrivate });
}

async function read(type: string, current: Value) {
  const { newState, diagnostics } = await provider.readResource({ type, current, private: noPrivate });
  expect(diagnostics).toEqual([]);
  return { newState, plain: plainOf(await blockOf(type), newState) as Data };
}

test("both resources keep the provider contract", async () => {
  const prefix = {
    type: "consul_key_prefix",
    config: { path_prefix: "app/", subkeys: { a: "1", b: "2" }, subkey: [{ path: "c", value: "3", flags: 7 }] },
    changes: [
      { path_prefix: "app/", subkeys: { a: "1", d: "4" } },
      { path_prefix: "app/", subkey: [{ path: "a", value: "1" }] },
      { path_prefix: "other/" },
    ],
    importId: () => "app/",
  };
  expect(await contractViolations(provider, prefix)).toEqual([]);
  const key = { path: "x", value: "1", delete: true };
  const keys = {
    type: "consul_keys",
    config: { key: [key] },
    changes: [
      {
        key: [
          { ...key, value: "2" },
          { path: "y", name: "why" },
        ],
      },
      {},
    ],
  };
  expect(await contractViolations(provider, keys)).toEqual([]);
  expect([...consul.keys.keys()]).toEqual([]);
});

// States, plans and order of writes are those of terraform-provider-consul 2.21.0, which sends a request for each key.
describe("consul_key_prefix", () => {
  const type = "consul_key_prefix";
  const config = { path_prefix: "app/", subkeys: { a: "1", b: "2" }, subkey: [{ path: "c", value: "3", flags: 7 }] };

  test("plans what it was given, and the rest for later", async () => {
    expect((await plan(type, config)).plain).toEqual({
      datacenter: undefined,
      id: undefined,
      namespace: null,
      partition: null,
      token: null,
      path_prefix: "app/",
      subkeys: { a: "1", b: "2" },
      subkey: [{ path: "c", value: "3", flags: 7 }],
    });
  });

  test("writes all keys at once, and none over a key that is there", async () => {
    const { plain } = await apply(type, config);
    expect(plain).toMatchObject({ id: "app/", datacenter: "dc1" });
    expect(consul.takeRequests()).toEqual([
      "GET /v1/agent/self",
      "GET /v1/kv/app/?recurse=&dc=dc1",
      "PUT /v1/txn?dc=dc1",
      '  cas app/a "1" flags=0',
      '  cas app/b "2" flags=0',
      '  cas app/c "3" flags=7',
    ]);
  });

  test("refuses a prefix under which there are keys, and changes nothing", async () => {
    consul.keys.set("app/old", { value: "x", flags: 0 });
    const { newState, diagnostics } = await apply(type, config);
    expect(isNull(newState)).toBe(true);
    expect(diagnostics).toMatchObject([
      {
        summary: "1 keys already exist under app/; delete them before managing this prefix",
        attribute: [{ attribute: "path_prefix" }],
      },
    ]);
    expect([...consul.keys.keys()]).toEqual(["app/old"]);
  });

  test("shows a key that was added or changed by hand, and puts it right", async () => {
    const { newState } = await apply(type, config);
    consul.keys.set("app/hand", { value: "zz", flags: 0 });
    consul.keys.set("app/a", { value: "changed", flags: 0 });
    const drifted = await read(type, newState);
    expect(drifted.plain).toMatchObject({
      subkeys: { a: "changed", b: "2", hand: "zz" },
      subkey: [{ path: "c", value: "3", flags: 7 }],
    });
    consul.takeRequests();
    const { plain } = await apply(type, config, drifted.newState);
    expect(plain).toMatchObject({ subkeys: { a: "1", b: "2" } });
    expect(consul.takeRequests()).toEqual(["PUT /v1/txn?dc=dc1", '  set app/a "1" flags=0', "  delete app/hand"]);
    expect([...consul.keys.keys()].sort()).toEqual(["app/a", "app/b", "app/c"]);
  });

  test("a single change is a plain request", async () => {
    const { newState } = await apply(type, config);
    consul.takeRequests();
    await apply(type, { ...config, subkeys: { a: "1", b: "two" } }, newState);
    expect(consul.takeRequests()).toEqual(['PUT /v1/kv/app/b?dc=dc1 "two"']);
  });

  test("leaves out null values, and has no map where none is configured", async () => {
    expect((await apply(type, { path_prefix: "n/", subkeys: { a: "x", n: null, e: "" } })).plain).toMatchObject({
      subkeys: { a: "x", e: "" },
    });
    const { newState, plain } = await apply(type, { path_prefix: "e/" });
    expect(plain).toMatchObject({ subkeys: null, subkey: [] });
    const seen = await read(type, newState);
    expect(seen.newState).toEqual(newState);
    expect((await plan(type, { path_prefix: "e/" }, seen.newState)).planned).toEqual(seen.newState);
  });

  test("removes what is configured no more", async () => {
    const { newState } = await apply(type, config);
    expect((await apply(type, { path_prefix: "app/" }, newState)).plain).toMatchObject({ subkeys: {}, subkey: [] });
    expect([...consul.keys.keys()]).toEqual([]);
  });

  test("a new prefix, datacenter, namespace or partition needs a new object; a new token does not", async () => {
    const { newState } = await apply(type, config);
    for (const change of [{ path_prefix: "b/" }, { datacenter: "dc2" }, { namespace: "n" }, { partition: "p" }]) {
      expect((await plan(type, { ...config, ...change }, newState)).requiresReplace).toEqual([
        [{ attribute: Object.keys(change)[0] }],
      ]);
    }
    expect((await plan(type, { ...config, token: "t" }, newState)).requiresReplace).toEqual([]);
  });

  test("cuts many keys into transactions, deletes behind writes", async () => {
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`k${String(i).padStart(3, "0")}`, "v"]));
    const { newState } = await apply(type, { path_prefix: "big/", subkeys: many });
    const sizes = (lines: string[]) =>
      lines
        .join("\n")
        .split(/^PUT .*$/m)
        .slice(1)
        .map((t) => t.trim().split("\n").length);
    expect(sizes(consul.takeRequests())).toEqual([64, 64, 22]);
    const renamed = Object.fromEntries(Object.keys(many).map((name) => [`new-${name}`, "v"]));
    await apply(type, { path_prefix: "big/", subkeys: renamed }, newState);
    const verbs = consul
      .takeRequests()
      .filter((line) => line.startsWith("  "))
      .map((line) => line.trim().split(" ")[0]);
    expect(verbs.lastIndexOf("set")).toBeLessThan(verbs.indexOf("delete"));
    expect(consul.keys.size).toBe(150);
  });

  test("keeps the sum of values in a transaction within the server's limit", async () => {
    const large = Object.fromEntries(["a", "b", "c"].map((name) => [name, "x".repeat(100_000)]));
    const { diagnostics } = await apply(type, { path_prefix: "large/", subkeys: large });
    expect(diagnostics).toEqual([]);
    expect(consul.takeRequests().filter((line) => line.startsWith("PUT")).length).toBe(2);
  });

  test("records the prefix when writing fails, so that the next plan goes on from there", async () => {
    consul.refuse = /PUT/;
    const { plain, diagnostics } = await apply(type, config);
    expect(diagnostics).toMatchObject([{ severity: "error", summary: "Cannot create consul_key_prefix" }]);
    expect(plain).toMatchObject({ id: "app/", path_prefix: "app/" });
  });

  test("deletes everything under the prefix", async () => {
    const { newState } = await apply(type, config);
    consul.keys.set("app/hand", { value: "", flags: 0 });
    consul.keys.set("application", { value: "", flags: 0 });
    const { newState: left } = await destroy(type, newState);
    expect(isNull(left)).toBe(true);
    expect([...consul.keys.keys()]).toEqual(["application"]);
  });

  test("is imported by its prefix, with all that is there", async () => {
    consul.keys.set("old/a", { value: "1", flags: 0 });
    const { imported } = await provider.importResourceState({ type, id: "old/" });
    expect(plainOf(await blockOf(type), imported[0]!.state)).toMatchObject({
      id: "old/",
      path_prefix: "old/",
      subkeys: { a: "1" },
      datacenter: "dc1",
    });
  });
});

describe("consul_keys", () => {
  const type = "consul_keys";
  const one = { path: "x/1", value: "one", delete: true };
  const two = { path: "x/2", value: "two", flags: 3 };
  const host = { name: "host", path: "x/none", default: "fallback" };

  test("writes values, reads the names, and records what is there", async () => {
    const planned = (await plan(type, { key: [one, two, host] })).plain;
    expect(planned).toMatchObject({ id: undefined, var: undefined, datacenter: undefined });
    expect(planned.key).toContainEqual({
      path: "x/none",
      name: "host",
      default: "fallback",
      flags: 0,
      delete: false,
      value: undefined,
    });
    const { plain } = await apply(type, { key: [one, two, host] });
    expect(plain).toMatchObject({ id: "consul", datacenter: "dc1", var: { host: "fallback" } });
    expect(plain.key).toEqual(
      expect.arrayContaining([
        { path: "x/2", value: "two", flags: 3, delete: false, name: "", default: "" },
        { path: "x/1", value: "one", flags: 0, delete: true, name: "", default: "" },
        { path: "x/none", value: "", flags: 0, delete: false, name: "host", default: "fallback" },
      ]),
    );
    expect(consul.takeRequests().slice(0, 4)).toEqual([
      "GET /v1/agent/self",
      "PUT /v1/txn?dc=dc1",
      '  set x/1 "one" flags=0',
      '  set x/2 "two" flags=3',
    ]);
  });

  test("shows a key that is gone as empty, and writes it again", async () => {
    const { newState } = await apply(type, { key: [one, two] });
    consul.keys.delete("x/1");
    const seen = await read(type, newState);
    expect(seen.plain.key).toContainEqual({ path: "x/1", value: "", flags: 0, delete: true, name: "", default: "" });
    const next = await plan(type, { key: [one, two] }, seen.newState);
    expect(next.plain.key).toContainEqual({ path: "x/1", value: "one", flags: 0, delete: true, name: "", default: "" });
    expect(next.plain.var).toBeUndefined();
    await apply(type, { key: [one, two] }, seen.newState);
    expect(consul.keys.get("x/1")).toEqual({ value: "one", flags: 0 });
  });

  test("a new value or path is written first; the old path goes only if it was to be deleted", async () => {
    const { newState } = await apply(type, { key: [one, two] });
    consul.takeRequests();
    await apply(
      type,
      {
        key: [
          { ...one, value: "eins" },
          { ...two, path: "x/3" },
        ],
      },
      newState,
    );
    expect(consul.takeRequests().filter((line) => !line.startsWith("GET"))).toEqual([
      "PUT /v1/txn?dc=dc1",
      '  set x/1 "eins" flags=0',
      '  set x/3 "two" flags=3',
    ]);
    expect([...consul.keys.keys()].sort()).toEqual(["x/1", "x/2", "x/3"]);
  });

  test("a block that is gone takes its key along only if it said so", async () => {
    const { newState } = await apply(type, { key: [one, two] });
    await apply(type, {}, newState);
    expect([...consul.keys.keys()]).toEqual(["x/2"]);
  });

  test("deletes only the keys that say so", async () => {
    const { newState } = await apply(type, { key: [one, two] });
    await destroy(type, newState);
    expect([...consul.keys.keys()]).toEqual(["x/2"]);
  });

  test("a value that is left out follows the server without a change", async () => {
    const config = { key: [{ path: "free" }, { path: "named", name: "n" }] };
    const { newState } = await apply(type, config);
    consul.keys.set("free", { value: "theirs", flags: 0 });
    const seen = await read(type, newState);
    expect(seen.plain.key).toContainEqual(expect.objectContaining({ path: "free", value: "theirs" }));
    expect((await plan(type, config, seen.newState)).planned).toEqual(seen.newState);
    expect(consul.keys.has("named")).toBe(false);
  });

  test("warns of blocks that only read, and cannot be imported", async () => {
    const { diagnostics } = await provider.validateResourceConfig({
      type,
      config: objectFor(await blockOf(type), { key: [host] }),
    });
    expect(diagnostics).toMatchObject([{ severity: "warning", summary: "Argument is deprecated" }]);
    expect((await provider.importResourceState({ type, id: "x" })).diagnostics).toMatchObject([
      { summary: "Resource import not supported" },
    ]);
  });

  test("takes over states of version 0 as they are", async () => {
    const json =
      '{"id":"consul","key":[{"path":"a","value":"1","delete":false,"default":"","name":"","flags":0}],"var":{},"datacenter":"dc1"}';
    const { upgraded, diagnostics } = await provider.upgradeResourceState({ type, version: 0, json });
    expect(diagnostics).toEqual([]);
    expect(plainOf(await blockOf(type), upgraded)).toMatchObject({ key: [{ path: "a", value: "1" }] });
  });
});

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
  const key = { key: [{ path: "k", value: "v" }] };

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
    expect((await apply("consul_keys", key)).plain).toMatchObject({ datacenter: "dc9" });
    expect(consul.takeRequests()[0]).toBe('PUT /v1/kv/k?dc=dc9 "v"');
    expect(consul.headers[0]).toMatchObject({ "x-consul-token": "mine", "x-extra": "1", authorization: "Basic dTpw" });
  });

  test("each resource can name a datacenter, namespace, partition and token of its own", async () => {
    await apply("consul_keys", { ...key, datacenter: "dc2", namespace: "n", partition: "p", token: "t" });
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
    await apply("consul_keys", key);
    expect(consul.headers.at(-1)).toMatchObject({ "x-consul-token": "traded" });
  });

  test("that is not known yet lets new objects be planned, and nothing be read", async () => {
    const fresh = consulProvider({}).start();
    const { provider: settings, resources } = await fresh.schema();
    const { diagnostics } = await fresh.configure({
      terraformVersion: "1.11.4",
      config: objectFor(settings.block, { address: undefined }),
    });
    expect(diagnostics).toEqual([]);
    const { block } = resources.get("consul_keys")!;
    const config = objectFor(block, key);
    const planned = await fresh.planResourceChange({
      type: "consul_keys",
      prior: nullValue(config.type),
      proposed: config,
      config,
      priorPrivate: noPrivate,
    });
    expect(planned.diagnostics).toEqual([]);
    const refused = await fresh.readResource({
      type: "consul_keys",
      current: objectFor(block, {}),
      private: noPrivate,
    });
    expect(refused.diagnostics).toMatchObject([{ summary: "Provider consul is not configured yet" }]);
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
  const state = objectFor(await blockOf("consul_key_prefix"), { id: "a/", path_prefix: "a/" });
  const { newState, diagnostics } = await provider.readResource({
    type: "consul_key_prefix",
    current: state,
    private: noPrivate,
  });
  expect(newState).toEqual(state);
  expect(diagnostics).toMatchObject([
    { severity: "error", summary: `Cannot reach Consul at http://${address}`, detail: expect.stringMatching(want) },
  ]);
  expect(diagnostics[0]!.detail).toMatch(/connection refused\. Check that a server runs there/);
  consul = await FakeConsul.start();
});
