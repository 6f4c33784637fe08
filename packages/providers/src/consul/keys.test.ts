import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
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
  drive = await Drive.of(provider, "consul_keys");
});
afterEach(async () => {
  await provider.close();
  await consul.stop();
});

test("keeps the provider contract", async () => {
  const key = { path: "x", value: "1", delete: true };
  const life = {
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
    interrupted: "present",
  } as const;
  expect(await contractViolations(provider, life)).toEqual([]);
  expect([...consul.keys.keys()]).toEqual([]);
});

describe("consul_keys", () => {
  const one = { path: "x/1", value: "one", delete: true };
  const two = { path: "x/2", value: "two", flags: 3 };
  const host = { name: "host", path: "x/none", default: "fallback" };

  test("writes values, reads the names, and records what is there", async () => {
    const planned = (await drive.plan({ key: [one, two, host] })).plain;
    expect(planned).toMatchObject({ id: undefined, var: undefined, datacenter: undefined });
    expect(planned.key).toContainEqual({
      path: "x/none",
      name: "host",
      default: "fallback",
      flags: 0,
      delete: false,
      value: undefined,
    });
    const { plain } = await drive.apply({ key: [one, two, host] });
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
    const { state } = await drive.apply({ key: [one, two] });
    consul.keys.delete("x/1");
    const seen = await drive.read(state);
    expect(seen.plain.key).toContainEqual({ path: "x/1", value: "", flags: 0, delete: true, name: "", default: "" });
    const next = await drive.plan({ key: [one, two] }, seen.state);
    expect(next.plain.key).toContainEqual({ path: "x/1", value: "one", flags: 0, delete: true, name: "", default: "" });
    expect(next.plain.var).toBeUndefined();
    await drive.apply({ key: [one, two] }, seen.state);
    expect(consul.keys.get("x/1")).toEqual({ value: "one", flags: 0 });
  });

  test("a new value or path is written first; the old path goes only if it was to be deleted", async () => {
    const { state } = await drive.apply({ key: [one, two] });
    consul.takeRequests();
    await drive.apply(
      {
        key: [
          { ...one, value: "eins" },
          { ...two, path: "x/3" },
        ],
      },
      state,
    );
    expect(consul.takeRequests().filter((line) => !line.startsWith("GET"))).toEqual([
      "PUT /v1/txn?dc=dc1",
      '  set x/1 "eins" flags=0',
      '  set x/3 "two" flags=3',
    ]);
    expect([...consul.keys.keys()].sort()).toEqual(["x/1", "x/2", "x/3"]);
  });

  test("a block that is gone takes its key along only if it said so", async () => {
    const { state } = await drive.apply({ key: [one, two] });
    await drive.apply({}, state);
    expect([...consul.keys.keys()]).toEqual(["x/2"]);
  });

  test("deletes only the keys that say so", async () => {
    const { state } = await drive.apply({ key: [one, two] });
    await drive.destroy(state);
    expect([...consul.keys.keys()]).toEqual(["x/2"]);
  });

  test("a value that is left out follows the server without a change", async () => {
    const config = { key: [{ path: "free" }, { path: "named", name: "n" }] };
    const { state } = await drive.apply(config);
    consul.keys.set("free", { value: "theirs", flags: 0 });
    const seen = await drive.read(state);
    expect(seen.plain.key).toContainEqual(expect.objectContaining({ path: "free", value: "theirs" }));
    expect((await drive.plan(config, seen.state)).planned).toEqual(seen.state);
    expect(consul.keys.has("named")).toBe(false);
  });

  test("warns of blocks that only read, and cannot be imported", async () => {
    expect(await drive.validate({ key: [host] })).toMatchObject([
      { severity: "warning", summary: "Argument is deprecated" },
    ]);
    expect((await drive.import("x")).diagnostics).toMatchObject([{ summary: "Resource import not supported" }]);
  });

  test("takes over states of version 0 as they are", async () => {
    const key = { path: "a", value: "1", delete: false, default: "", name: "", flags: 0 };
    const { plain, diagnostics } = await drive.upgrade(0, { id: "consul", key: [key], var: {}, datacenter: "dc1" });
    expect(diagnostics).toEqual([]);
    expect(plain).toMatchObject({ key: [key] });
  });
});

describe("interrupted consul_keys", () => {
  const key = { flags: 0, delete: true, name: "", default: "" };
  const sent = {
    key: [
      { ...key, path: "x", value: "1" },
      { ...key, path: "y", value: null },
    ],
  };

  test("were not made where none of the keys is there", async () => {
    expect(await drive.findInterrupted(sent)).toMatchObject({ kind: "absent" });
  });

  test("are taken over as they are where one of the keys is there", async () => {
    consul.keys.set("y", { value: "2", flags: 0 });
    expect(await drive.findInterrupted(sent)).toMatchObject({
      kind: "present",
      plain: { id: "consul", key: expect.arrayContaining([expect.objectContaining({ path: "y", value: "2" })]) },
    });
  });

  test("were not made where they only read", async () => {
    consul.keys.set("x", { value: "1", flags: 0 });
    const reading = { key: [{ ...key, path: "x", value: "", name: "ex" }] };
    expect(await drive.findInterrupted(reading)).toMatchObject({ kind: "absent" });
  });
});

test("a value that is known only after apply may become another than before", async () => {
  const { state } = await drive.apply({ key: [{ path: "x", value: "1" }] });
  const { plain } = await drive.plan({ key: [{ path: "x", value: undefined }] }, state);
  expect(plain.key).toMatchObject([{ path: "x", value: undefined }]);
});
