import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { isNull } from "@millwright/value/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeConsul } from "../../test/fake-consul.ts";
import { consulProvider } from "./provider.ts";

let consul: FakeConsul;
let provider: Provider;
let drive: Drive;

beforeEach(async () => {
  consul = await FakeConsul.start();
  provider = consulProvider({ CONSUL_HTTP_ADDR: consul.address }).start();
  await configureForTest(provider);
  drive = await Drive.of(provider, "consul_key_prefix");
});
afterEach(async () => {
  await provider.close();
  await consul.stop();
});

test("keeps the provider contract", async () => {
  const life = {
    type: "consul_key_prefix",
    config: { path_prefix: "app/", subkeys: { a: "1", b: "2" }, subkey: [{ path: "c", value: "3", flags: 7 }] },
    changes: [
      { path_prefix: "app/", subkeys: { a: "1", d: "4" } },
      { path_prefix: "app/", subkey: [{ path: "a", value: "1" }] },
      { path_prefix: "other/" },
    ],
    importId: () => "app/",
    interrupted: "present",
  } as const;
  expect(await contractViolations(provider, life)).toEqual([]);
  expect([...consul.keys.keys()]).toEqual([]);
});

// States, plans and order of writes are those of terraform-provider-consul 2.21.0, which sends a request for each key.
describe("consul_key_prefix", () => {
  const config = { path_prefix: "app/", subkeys: { a: "1", b: "2" }, subkey: [{ path: "c", value: "3", flags: 7 }] };

  test("plans what it was given, and the rest for later", async () => {
    expect((await drive.plan(config)).plain).toEqual({
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
    const { plain } = await drive.apply(config);
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
    const { state, diagnostics } = await drive.apply(config);
    expect(isNull(state)).toBe(true);
    expect(diagnostics).toMatchObject([
      {
        summary: "1 keys already exist under app/; delete them before managing this prefix",
        attribute: [{ attribute: "path_prefix" }],
      },
    ]);
    expect([...consul.keys.keys()]).toEqual(["app/old"]);
  });

  test("shows a key that was added or changed by hand, and puts it right", async () => {
    const { state } = await drive.apply(config);
    consul.keys.set("app/hand", { value: "zz", flags: 0 });
    consul.keys.set("app/a", { value: "changed", flags: 0 });
    const drifted = await drive.read(state);
    expect(drifted.plain).toMatchObject({
      subkeys: { a: "changed", b: "2", hand: "zz" },
      subkey: [{ path: "c", value: "3", flags: 7 }],
    });
    consul.takeRequests();
    const { plain } = await drive.apply(config, drifted.state);
    expect(plain).toMatchObject({ subkeys: { a: "1", b: "2" } });
    expect(consul.takeRequests()).toEqual(["PUT /v1/txn?dc=dc1", '  set app/a "1" flags=0', "  delete app/hand"]);
    expect([...consul.keys.keys()].sort()).toEqual(["app/a", "app/b", "app/c"]);
  });

  test("a single change is a plain request", async () => {
    const { state } = await drive.apply(config);
    consul.takeRequests();
    await drive.apply({ ...config, subkeys: { a: "1", b: "two" } }, state);
    expect(consul.takeRequests()).toEqual(['PUT /v1/kv/app/b?dc=dc1 "two"']);
  });

  test("leaves out null values, and has no map where none is configured", async () => {
    expect((await drive.apply({ path_prefix: "n/", subkeys: { a: "x", n: null, e: "" } })).plain).toMatchObject({
      subkeys: { a: "x", e: "" },
    });
    const { state, plain } = await drive.apply({ path_prefix: "e/" });
    expect(plain).toMatchObject({ subkeys: null, subkey: [] });
    const seen = await drive.read(state);
    expect(seen.state).toEqual(state);
    expect((await drive.plan({ path_prefix: "e/" }, seen.state)).planned).toEqual(seen.state);
  });

  test("removes what is configured no more", async () => {
    const { state } = await drive.apply(config);
    expect((await drive.apply({ path_prefix: "app/" }, state)).plain).toMatchObject({ subkeys: {}, subkey: [] });
    expect([...consul.keys.keys()]).toEqual([]);
  });

  test("a new prefix, datacenter, namespace or partition needs a new object; a new token does not", async () => {
    const { state } = await drive.apply(config);
    for (const change of [{ path_prefix: "b/" }, { datacenter: "dc2" }, { namespace: "n" }, { partition: "p" }]) {
      expect((await drive.plan({ ...config, ...change }, state)).requiresReplace).toEqual([
        [{ attribute: Object.keys(change)[0] }],
      ]);
    }
    expect((await drive.plan({ ...config, token: "t" }, state)).requiresReplace).toEqual([]);
  });

  test("cuts many keys into transactions, deletes behind writes", async () => {
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`k${String(i).padStart(3, "0")}`, "v"]));
    const { state } = await drive.apply({ path_prefix: "big/", subkeys: many });
    const sizes = (lines: string[]) =>
      lines
        .join("\n")
        .split(/^PUT .*$/m)
        .slice(1)
        .map((t) => t.trim().split("\n").length);
    expect(sizes(consul.takeRequests())).toEqual([64, 64, 22]);
    const renamed = Object.fromEntries(Object.keys(many).map((name) => [`new-${name}`, "v"]));
    await drive.apply({ path_prefix: "big/", subkeys: renamed }, state);
    const verbs = consul
      .takeRequests()
      .filter((line) => line.startsWith("  "))
      .map((line) => line.trim().split(" ")[0]);
    expect(verbs.lastIndexOf("set")).toBeLessThan(verbs.indexOf("delete"));
    expect(consul.keys.size).toBe(150);
  });

  test("keeps the sum of values in a transaction within the server's limit", async () => {
    const large = Object.fromEntries(["a", "b", "c"].map((name) => [name, "x".repeat(100_000)]));
    const { diagnostics } = await drive.apply({ path_prefix: "large/", subkeys: large });
    expect(diagnostics).toEqual([]);
    expect(consul.takeRequests().filter((line) => line.startsWith("PUT")).length).toBe(2);
  });

  test("records the prefix when writing fails, so that the next plan goes on from there", async () => {
    consul.refuse = /PUT/;
    const { plain, diagnostics } = await drive.apply(config);
    expect(diagnostics).toMatchObject([{ severity: "error", summary: "Cannot create consul_key_prefix" }]);
    expect(plain).toMatchObject({ id: "app/", path_prefix: "app/" });
  });

  test("deletes everything under the prefix", async () => {
    const { state } = await drive.apply(config);
    consul.keys.set("app/hand", { value: "", flags: 0 });
    consul.keys.set("application", { value: "", flags: 0 });
    const { state: left } = await drive.destroy(state);
    expect(isNull(left)).toBe(true);
    expect([...consul.keys.keys()]).toEqual(["application"]);
  });

  test("is imported by its prefix, with all that is there", async () => {
    consul.keys.set("old/a", { value: "1", flags: 0 });
    const { plain, diagnostics } = await drive.import("old/");
    expect(diagnostics).toEqual([]);
    expect(plain).toMatchObject({ id: "old/", path_prefix: "old/", subkeys: { a: "1" }, datacenter: "dc1" });
  });
});

describe("an interrupted create of a key prefix", () => {
  const sent = { path_prefix: "app/", subkeys: { a: "1", b: null }, subkey: [{ path: "c", value: "3", flags: 7 }] };
  const cases = [
    { name: "was not made where there is nothing", there: [], want: { kind: "absent" } },
    {
      name: "is taken over with what is there of it",
      there: ["app/b", "app/c"],
      want: {
        kind: "present",
        plain: { id: "app/", subkeys: { b: "x" }, subkey: [{ path: "c", value: "x", flags: 0 }] },
      },
    },
    { name: "was not made where only keys of others are", there: ["app/z", "apple"], want: { kind: "absent" } },
  ] as const;
  test.each(cases)("$name", async ({ there, want }) => {
    for (const key of there) consul.keys.set(key, { value: "x", flags: 0 });
    expect(await drive.findInterrupted(sent)).toMatchObject(want);
  });

  test("cannot be told where the keys are secret and some are there", async () => {
    consul.keys.set("app/a", { value: "x", flags: 0 });
    const { kind, why } = await drive.findInterrupted({ path_prefix: "app/", subkeys: null });
    expect([kind, why]).toEqual(["unknown", expect.stringContaining("keeps secret which keys were sent")]);
  });

  test("cannot be told where the server does not answer", async () => {
    consul.refuse = /GET/;
    expect(await drive.findInterrupted(sent)).toMatchObject({ kind: "unknown", why: expect.stringMatching(/./) });
  });
});
