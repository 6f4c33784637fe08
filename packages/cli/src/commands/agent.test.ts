import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulClient } from "@millwright/clients/consul";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CommandOutcome, outcomeOf } from "../../test/kv-io.ts";
import { runAgent } from "./agent.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-cli-agent-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the command until its banner is there, does something with the agent, and stops it. */
async function whileRunning(
  args: readonly string[],
  work: (client: ConsulClient) => Promise<void>,
): Promise<CommandOutcome> {
  const stop = new AbortController();
  const started = Promise.withResolvers<string>();
  const all = ["-http-port=0", "-dns-port=0", "-node=here", ...args];
  const ended = outcomeOf((io) => runAgent(all, io), {
    cwd: folder,
    signal: stop.signal,
    onOutput: (text) => started.resolve(/http:\/\/\S+/.exec(text)?.[0] ?? ""),
  });
  const address = await Promise.race([started.promise, ended.then(({ err }) => Promise.reject(new Error(err)))]);
  const client = new ConsulClient({ address }, { attempts: 1 });
  try {
    await work(client);
  } finally {
    await client.close();
    stop.abort("SIGTERM");
  }
  return ended;
}

const web = 'service {\n  name = "web"\n  port = 80\n}\n';

test("runs until it is stopped, and ends with 0", async () => {
  const outcome = await whileRunning(["-node-meta=rack:7"], async (client) => {
    expect(await client.agent.self()).toMatchObject({ Config: { NodeName: "here" }, Meta: { rack: "7" } });
  });
  expect(outcome.code).toBe(0);
  expect(outcome.out).toMatch(/DNS {14}127\.0\.0\.1:\d+/);
  expect(outcome.out).toMatch(/Servers {10}none yet/);
});

test("takes services of configuration files, and reads them again at a reload", async () => {
  await writeFile(join(folder, "web.hcl"), web);
  const outcome = await whileRunning(["-config-dir=."], async (client) => {
    expect((await client.agent.services()).map(({ id }) => id)).toEqual(["web"]);
    await writeFile(join(folder, "db.hcl"), 'service {\n  name = "db"\n}\n');
    process.emit("SIGHUP");
    while ((await client.agent.services()).length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    await writeFile(join(folder, "db.hcl"), "service {\n  port = 1\n}\n");
    process.emit("SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await client.agent.services()).map(({ id }) => id)).toEqual(["web", "db"]);
  });
  expect(outcome.err).toMatch(
    /Error: The service "without a name" of the configuration cannot be used: Missing service/,
  );
});

describe("a port that cannot be is refused", () => {
  const cases = [
    { args: ["-http-port=99999"], want: "Error: -http-port=99999: write a number from 0 to 65535, or -1 for none.\n" },
    { args: ["-dns-port=-2"], want: "Error: -dns-port=-2: write a number from 0 to 65535, or -1 for none.\n" },
    { args: ["-recursor=10.0.0.2:99999"], want: "Error: -recursor=10.0.0.2:99999: write an address, as 10.0.0.2 or" },
    { args: ["-config-file=ports.hcl"], want: "Error: -http-port=70000: write a number" },
  ];
  test.each(cases)("$args", async ({ args, want }) => {
    await writeFile(join(folder, "ports.hcl"), "ports {\n  http = 70000\n}\n");
    const { code, out, err } = await outcomeOf((io) => runAgent(args, io), { cwd: folder });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(want);
  });
});

test("ends when it is told to leave", async () => {
  const ended = Promise.withResolvers<void>();
  const outcome = await whileRunning([], async (client) => {
    await client.agent.leave();
    ended.resolve();
  });
  await ended.promise;
  expect(outcome.code).toBe(0);
});

describe("mistakes", () => {
  const cases = [
    { name: "an unknown flag", args: ["-jion=x"], want: /flag provided but not defined: -jion. Did you mean -join\?/ },
    { name: "an argument", args: ["x"], want: /Unexpected argument "x"/ },
    { name: "an unknown level", args: ["-log-level=loud"], want: /-log-level=loud: write trace, debug/ },
    { name: "meta without a value", args: ["-node-meta=rack"], want: /-node-meta=rack: write KEY:VALUE/ },
    { name: "a recursor that is none", args: ["-recursor=a:b:c"], want: /-recursor=a:b:c: write an address/ },
    {
      name: "a file that is not there",
      args: ["-config-file=none.hcl"],
      want: /Cannot read the configuration .*none\.hcl/,
    },
    { name: "a file with a fault", args: ["-config-file=bad.hcl"], want: /bad\.hcl line 1/ },
    { name: "a server that is no address", args: ["-join=http://"], want: /is no address of a server/ },
  ];
  test.each(cases)("$name ends with 1, and is said", async ({ args, want }) => {
    await writeFile(join(folder, "bad.hcl"), "service {\n");
    const outcome = await outcomeOf((io) => runAgent(["-http-port=0", "-dns-port=0", ...args], io), { cwd: folder });
    expect(outcome.code).toBe(1);
    expect(outcome.err).toMatch(want);
  });
});

test("--help explains with an example", async () => {
  const outcome = await outcomeOf((io) => runAgent(["--help"], io));
  expect(outcome.code).toBe(0);
  expect(outcome.out).toMatch(/\$ millwright agent -join=/);
  expect(outcome.out).toMatch(/-join-token-file=FILE/);
});
