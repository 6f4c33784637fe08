import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isKind } from "@millwright/core/errors";
import { silentLog, systemClock } from "@millwright/core/ports";
import { isAlive, type ProcessIdentity } from "@millwright/process/identity";
import type { Provider } from "@millwright/provider/protocol";
import { testProvider } from "@millwright/provider/testing";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { Drive } from "@millwright/provider/testing/drive";
import { objectFor, plainOf } from "@millwright/provider/testing/objects";
import { stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { nullValue, stringValue } from "@millwright/value/value";
import { afterEach, describe, expect, test } from "vitest";
import { pluginErrors } from "../src/host/errors.ts";
import { Plugin } from "../src/host/plugin.ts";

const program = fileURLToPath(new URL("../testdata/served-provider.ts", import.meta.url));
const running: Provider[] = [];
const processes: ProcessIdentity[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.close()));
  expect(processes.splice(0).filter(isAlive)).toEqual([]);
});

function plugin(env: Readonly<Record<string, string>> = {}): Plugin {
  const command = [process.execPath, program] as const;
  return new Plugin({ name: "test 1.0.0", command, env: { ...process.env, ...env }, cwd: "/" });
}

async function started(from: Plugin): Promise<Provider> {
  const note = (identity: ProcessIdentity) => void processes.push(identity);
  const provider = await from.start({ clock: systemClock, log: silentLog, started: note });
  running.push(provider);
  return provider;
}

const whole = {
  name: "a",
  text: "t",
  number: 0.1,
  labels: { k: "v" },
  members: ["b", "a"],
  shape: { width: 1, height: 2 },
  anything: stringValue("any"),
};

test("a provider in another process keeps the contract as in this one", async () => {
  const provider = await started(plugin());
  await configureForTest(provider, { prefix: "p " });
  const subject = { type: "test_thing", config: whole, changes: [{ name: "a", text: "u", row: [{ label: "x" }] }] };
  expect(await contractViolations(provider, subject)).toEqual([]);
}, 60_000);

test.each(["6", "5"])(
  "identities are kept to in version %s",
  async (VERSION) => {
    const provider = await started(plugin({ VERSION }));
    await configureForTest(provider);
    const changes = [{ name: "a", value: "1" }, { name: "b" }];
    const importId = (state: ReadonlyMap<string, Value>) => String(state.get("name")!.data);
    const subject = { type: "test_named", config: { name: "a" }, changes, importId };
    expect(await contractViolations(provider, subject)).toEqual([]);
  },
  60_000,
);

test("version 5 is spoken to those who know no other", async () => {
  const provider = await started(plugin({ VERSION: "5" }));
  await configureForTest(provider, { prefix: "p " });
  const subject = { type: "test_small", config: { name: "a", value: "1" }, changes: [{ name: "a", value: "2" }] };
  expect(await contractViolations(provider, subject)).toEqual([]);
}, 60_000);

test("the schemas are those that were written", async () => {
  const here = await testProvider().start().schema();
  const there = await (await started(plugin())).schema();
  expect([...there.resources.keys()].sort()).toEqual([...here.resources.keys()].sort());
  for (const [type, { version, block }] of here.resources) {
    const got = there.resources.get(type)!;
    expect(got.version).toBe(version);
    expect(got.identity).toEqual(here.resources.get(type)!.identity);
    for (const [name, { volatile: _, ...attribute }] of block.attributes)
      expect(got.block.attributes.get(name)).toEqual(attribute);
    expect([...got.block.blocks.keys()]).toEqual([...block.blocks.keys()]);
  }
  expect(there.functions.get("shout")).toEqual(here.functions.get("shout"));
});

test("data, functions, and ephemeral resources", async () => {
  const provider = await started(plugin());
  const schema = await configureForTest(provider);
  const shouted = await provider.callFunction({ name: "shout", args: [stringValue("hé")] });
  expect(shouted).toMatchObject({ ok: true, result: stringValue("HÉ"), type: stringType });
  const { block } = schema.ephemeralResources.get("test_ticket")!;
  const opened = await provider.openEphemeralResource({ type: "test_ticket", config: objectFor(block, { name: "a" }) });
  expect(opened.diagnostics).toEqual([]);
  expect(plainOf(block, opened.result)).toMatchObject({ name: "a" });
  const renewed = await provider.renewEphemeralResource({ type: "test_ticket", private: opened.private });
  expect(renewed.diagnostics).toEqual([]);
  const closed = await provider.closeEphemeralResource({ type: "test_ticket", private: renewed.private });
  expect(closed.diagnostics).toEqual([]);
});

test("a fault of the user comes with its place", async () => {
  const provider = await started(plugin());
  const { resources } = await provider.schema();
  const config = objectFor(resources.get("test_thing")!.block, { name: "a", labels: { k: null }, old_text: "x" });
  const { diagnostics } = await provider.validateResourceConfig({ type: "test_thing", config });
  expect(diagnostics).toMatchObject([
    { severity: "warning", attribute: [{ attribute: "old_text" }] },
    { severity: "error", attribute: [{ attribute: "labels" }, { index: stringValue("k") }] },
  ]);
});

describe("a crash", () => {
  test("ends the call with the program's last words, and the next call starts it again, configured as before", async () => {
    const provider = await started(plugin({ FAULT: "panics" }));
    await configureForTest(provider, { prefix: "p " });
    const drive = await Drive.of(provider, "test_small");
    const crash = await drive.plan({ name: "a" }).catch((error: unknown) => error);
    expect(isKind(crash, pluginErrors.crashed)).toBe(true);
    expect(String(crash)).toMatch(
      /The provider test 1\.0\.0 crashed \(exit code 2\)\.[^]*panic: value of the wrong kind[^]*main\.plan/,
    );
    expect(processes.filter(isAlive)).toEqual([]);
    const { resources } = await provider.schema();
    const block = resources.get("test_small")!.block;
    const config = objectFor(block, { name: "a" });
    const answer = await provider.applyResourceChange({
      type: "test_small",
      prior: nullValue(config.type),
      planned: config,
      config,
      plannedPrivate: new Uint8Array(),
    });
    expect(answer.diagnostics).toEqual([]);
    expect(processes).toHaveLength(2);
  }, 60_000);

  test("of all calls at once starts one program in its place", async () => {
    const provider = await started(plugin());
    await configureForTest(provider);
    process.kill(processes[0]!.pid, "SIGKILL");
    await expect.poll(() => isAlive(processes[0]!)).toBe(false);
    const config = objectFor((await provider.schema()).resources.get("test_small")!.block, { name: "a" });
    const call = { type: "test_small", config };
    const answers = await Promise.allSettled([1, 2, 3].map(() => provider.validateResourceConfig(call)));
    const failed = answers.filter(({ status }) => status === "rejected");
    expect((await provider.validateResourceConfig(call)).diagnostics).toEqual([]);
    expect(failed.length).toBeLessThan(4);
    expect(processes).toHaveLength(2);
  }, 60_000);
});

describe("what cannot be started is said", () => {
  const cases: readonly { name: string; fault: string; want: RegExp }[] = [
    { name: "a program that is none", fault: "greets", want: /wrote "Hello! This is no provider\." first/ },
    { name: "one that ends at once", fault: "ends", want: /ended at once \(exit code 3\)[^]*cannot go on/ },
    { name: "one that is too old", fault: "too-old", want: /speaks version 4 of the provider protocol/ },
    { name: "one that stays all the same", fault: "stays", want: /speaks version 9/ },
  ];
  test.each(cases)("$name", async ({ fault, want }) => {
    const error = await started(plugin({ FAULT: fault })).catch((e: unknown) => e);
    expect(isKind(error, pluginErrors.notStarted)).toBe(true);
    expect(String(error)).toMatch(want);
  });

  test("a program that is not there", async () => {
    const missing = new Plugin({ name: "x", command: ["/no/such/program"], env: {}, cwd: "/" });
    await expect(started(missing)).rejects.toThrow(/The provider x \(\/no\/such\/program\) cannot be run/);
  });
});

test("one that says nothing is not waited for once the run is interrupted, and not left running", async () => {
  const stop = new AbortController();
  const command = [process.execPath, "-e", "setInterval(() => undefined, 1000)"] as const;
  const silent = new Plugin({ name: "silent 1.0.0", command, env: process.env, cwd: "/" });
  const began = performance.now();
  const starting = silent.start({
    clock: systemClock,
    log: silentLog,
    stop: stop.signal,
    started: (identity) => {
      processes.push(identity);
      setTimeout(() => stop.abort(), 100);
    },
  });
  await expect(starting).rejects.toThrow("had not said how to reach it when the run was interrupted");
  expect(performance.now() - began).toBeLessThan(30_000);
});

test("a program that writes without end is not held up", async () => {
  const provider = await started(plugin({ FAULT: "chatters" }));
  await configureForTest(provider);
  const drive = await Drive.of(provider, "test_small");
  for (let i = 0; i < 20; i++) expect((await drive.plan({ name: `a${i}` })).diagnostics).toEqual([]);
});

test("without TLS it is spoken to in clear", async () => {
  const provider = await started(plugin({ TF_DISABLE_PLUGIN_TLS: "1" }));
  await configureForTest(provider);
});

test("a second process takes the schemas of the first, and both are ended with nothing left behind", async () => {
  const both = plugin();
  const first = await started(both);
  const second = await started(both);
  expect(await second.schema()).toBe(await first.schema());
  expect(processes).toHaveLength(2);
  await second.stop();
  await Promise.all([first.close(), second.close()]);
  expect(processes.filter(isAlive)).toEqual([]);
  expect(processes.some(({ pid }) => existsSync(`/proc/${pid}`))).toBe(false);
});
