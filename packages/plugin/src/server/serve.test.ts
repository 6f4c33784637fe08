import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { testProvider } from "@millwright/provider/testing";
import { type ContractCase, configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { asString } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { PluginConnection } from "../host/connection.ts";
import { type Handshake, readHandshake } from "../host/handshake.ts";
import { attachedProvider, Plugin } from "../host/plugin.ts";
import { readReattach } from "../host/reattach.ts";
import { type Load, serveReattached, servePlugin } from "./serve.ts";

const magic = {
  TF_PLUGIN_MAGIC_COOKIE: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

/** A program that serves: what it has written, and how it ends. */
function program(env: Readonly<Record<string, string>> = {}) {
  const end = new AbortController();
  const written = { out: "", err: "" };
  const firstLine = Promise.withResolvers<string>();
  const process = {
    env,
    stdout: (text: string) => {
      written.out += text;
      firstLine.resolve(text);
    },
    stderr: (text: string) => void (written.err += text),
    clock: systemClock,
    chance: systemChance,
    end: end.signal,
  };
  return { process, written, firstLine: firstLine.promise, end: () => end.abort() };
}

const loaded: Load = async () => ({ value: testProvider(), diagnostics: [] });
const small: ContractCase = { type: "test_small", config: { name: "a", value: "x" }, changes: [{ name: "a" }] };
const thing: ContractCase = {
  type: "test_thing",
  config: {
    name: "a",
    number: 0.1,
    password_wo: "hush",
    labels: { x: "1" },
    members: ["b", "a"],
    rules: [{ label: "r" }],
    group: { label: "g" },
    row: [{ label: "1" }, { label: "2", zone: "z" }],
    tag: [{ label: "t" }],
    named: { n: { label: "l" } },
  },
  changes: [{ name: "a", text: "new", rules: [] }, { name: "a", zone: "east" }, { name: "b" }],
  importId: (state) => asString(state.get("id")!),
};

describe("a provider that runs beside its hosts", () => {
  test("keeps the contract over the wire, and leaves no socket behind", async () => {
    const running = program();
    const code = serveReattached(loaded, { source: "example.com/me/test", pid: 1 }, running.process);
    const text = /TF_REATTACH_PROVIDERS='(.*)'/.exec(await running.firstLine)?.[1];
    const read = readReattach(text);
    const target = read.ok ? read.targets.get("example.com/me/test") : undefined;
    const provider = await attachedProvider(target!);
    await configureForTest(provider);
    expect(await contractViolations(provider, thing)).toEqual([]);
    await provider.close();
    running.end();
    expect(await code).toBe(0);
    expect(existsSync(dirname((target!.address as { path: string }).path))).toBe(false);
  });
});

/** Serves to a host that encrypts nothing; gives what it says first, and a connection. */
async function hosted(load: Load, versions: string) {
  const running = program({ ...magic, PLUGIN_PROTOCOL_VERSIONS: versions });
  const code = servePlugin(load, running.process);
  const { version, address } = readHandshake(await running.firstLine) as Handshake;
  const connection = new PluginConnection({ version, address, tls: undefined });
  const end = async () => {
    await connection.shutdown(1_000);
    connection.close();
    return code;
  };
  return { connection, version, written: running.written, end };
}

describe("a provider that a host has started", () => {
  test("refuses what version 5 of the protocol has no words for", async () => {
    const { connection, version, end } = await hosted(loaded, "5");
    const { diagnostics } = await connection.call("getProviderSchema", {});
    expect(version).toBe(5);
    expect(diagnostics.map(({ summary }) => summary)).toEqual(["Provider needs version 6 of the plugin protocol"]);
    expect(diagnostics[0]!.detail).toContain("test_thing");
    expect(await end()).toBe(0);
  });

  test("that cannot be loaded says why when it is asked for its schema", async () => {
    const subject = { filename: "a.ts", start: { line: 3, column: 1, byte: 9 }, end: { line: 3, column: 2, byte: 10 } };
    const diagnostics = [errorDiagnostic("Provider does not compile", "It ends too early.", { subject })];
    const { connection, end } = await hosted(async () => ({ value: undefined, diagnostics }), "6");
    const answer = await connection.call("getProviderSchema", {});
    expect(answer.diagnostics).toMatchObject([
      { severity: "error", summary: "Provider does not compile", detail: "a.ts, line 3: It ends too early." },
    ]);
    expect(await end()).toBe(0);
  });

  test("whose code throws says so to the host, and its stack on standard error", async () => {
    const provider = { ...testProvider().start(), configure: () => Promise.reject(new Error("forgot something")) };
    const { connection, written, end } = await hosted(
      async () => ({ value: { start: () => provider }, diagnostics: [] }),
      "6",
    );
    await expect(connection.call("configureProvider", {})).rejects.toThrow("forgot something");
    expect(written.err).toMatch(
      /This is a bug of the provider, met in configureProvider:\nError: forgot something\n +at/,
    );
    expect(await end()).toBe(0);
  });

  test("answers a message that is none without a stack", async () => {
    const { connection, written, end } = await hosted(loaded, "6");
    await expect(connection.call("configureProvider", { config: { msgpack: Buffer.from([0xc1]) } })).rejects.toThrow(
      "is not of its type",
    );
    expect(written.err).toBe("");
    expect(await end()).toBe(0);
  });

  test("is encrypted both ways, as a process", async () => {
    const main = fileURLToPath(new URL("../../test/served.ts", import.meta.url));
    const plugin = new Plugin({ name: "served", command: [process.execPath, main], env: process.env, cwd: "." });
    const provider = await plugin.start({ clock: systemClock, log: silentLog });
    await configureForTest(provider);
    expect(await contractViolations(provider, small)).toEqual([]);
    await provider.close();
  });
});

test("who starts it by hand is told what it is", async () => {
  const running = program();
  expect(await servePlugin(loaded, running.process)).toBe(1);
  expect(running.written.err).toMatch(/^This program is a provider/);
  expect(running.written.out).toBe("");
});
