import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulClient } from "@millwright/clients/consul";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CommandOutcome, outcomeOf } from "../../test/kv-io.ts";
import { runServer } from "./server.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-cli-server-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the command until its banner is there, does something with the server, and stops it. */
async function whileRunning(
  args: readonly string[],
  work: (address: string) => Promise<void>,
): Promise<CommandOutcome> {
  const stop = new AbortController();
  const started = Promise.withResolvers<string>();
  const ended = outcomeOf((io) => runServer(args, io), {
    cwd: folder,
    signal: stop.signal,
    onOutput: (text) => started.resolve(/(http|unix):\/\/\S+/.exec(text)?.[0] ?? ""),
  });
  const address = await Promise.race([started.promise, ended.then(({ err }) => Promise.reject(new Error(err)))]);
  try {
    await work(address);
  } finally {
    stop.abort("SIGTERM");
  }
  return ended;
}

test("-dev serves from memory until it is stopped, and ends with 0", async () => {
  const outcome = await whileRunning(["-dev", "-http-port=0", "-node=here", "-datacenter=east"], async (address) => {
    const client = new ConsulClient({ address });
    await client.kv.put("a", "1");
    expect(await client.agentSelf()).toMatchObject({ nodeName: "here", datacenter: "east" });
    const pretty = await (await fetch(`${address}/v1/kv/a`)).text();
    expect(pretty).toMatch(/^\[\n {4}\{\n {8}"LockIndex"/);
    await client.close();
  });
  expect(outcome.code).toBe(0);
  expect(outcome.out).toMatch(/Millwright server is running/);
  expect(outcome.out).toMatch(/export CONSUL_HTTP_ADDR=http:\/\/127\.0\.0\.1:\d+/);
  expect(outcome.out).toMatch(/gone when it stops/);
  expect(outcome.err).toMatch(/\[INFO\] {2}server: listening: address=127\.0\.0\.1:\d+/);
});

test("-data-dir keeps data between runs", async () => {
  const args = ["-data-dir=data", "-http-port=0", "-log-level=error"];
  const withClient = (work: (client: ConsulClient) => Promise<void>) =>
    whileRunning(args, async (address) => {
      const client = new ConsulClient({ address });
      await work(client);
      await client.close();
    });
  await withClient(async (client) => void (await client.kv.put("a", "1")));
  const second = await withClient(async (client) => expect((await client.kv.get("a")).value?.key).toBe("a"));
  expect(second.err).toBe("Stopping: answering what is under way …\n");
  expect((await stat(join(folder, "data"))).mode & 0o777).toBe(0o700);
});

test("a token file closes the server to others", async () => {
  await writeFile(join(folder, "token"), "s3cret\n");
  await whileRunning(["-dev", "-http-port=0", "-acl-token-file=token"], async (address) => {
    const [anonymous, allowed] = [new ConsulClient({ address }), new ConsulClient({ address, token: "s3cret" })];
    await expect(anonymous.kv.get("a")).rejects.toMatchObject({ code: "CLIENT_DENIED" });
    expect((await allowed.kv.get("a")).value).toBeUndefined();
    await Promise.all([anonymous.close(), allowed.close()]);
  });
});

test("-client may name several places, a socket among them", async () => {
  await whileRunning(["-dev", "-http-port=0", "-client=127.0.0.1 unix://http.sock"], async () => {
    const client = new ConsulClient({ address: `unix://${join(folder, "http.sock")}` });
    expect(await client.leader()).toBe("127.0.0.1:8300");
    await client.close();
  });
});

test("a port that is taken is refused, or another is taken with -free-ports", async () => {
  await whileRunning(["-dev", "-http-port=0"], async (address) => {
    const port = new URL(address).port;
    const refused = await outcomeOf((io) => runServer(["-dev", `-http-port=${port}`], io));
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(
      new RegExp(`^Error: Cannot listen on 127\\.0\\.0\\.1:${port}: another process has it\\. Stop that process`, "m"),
    );
    await whileRunning(["-dev", `-http-port=${port}`, "-free-ports"], async (other) => {
      expect(new URL(other).port).not.toBe(port);
    });
  });
});

describe("flags that cannot be", () => {
  const cases = [
    { args: [], err: "Error: Give -data-dir=FOLDER for what is to be kept, or -dev to keep everything in memory.\n" },
    { args: ["-dev", "extra"], err: 'Error: Unexpected argument "extra": this command takes flags alone.\n' },
    { args: ["-dev", "-log-level=loud"], err: "Error: -log-level=loud: write trace, debug, info, warn or error.\n" },
    { args: ["-store=postgres"], err: "Error: -store=postgres: write memory, sqlite or etcd.\n" },
    { args: ["-store=etcd", "-data-dir=x"], err: "Error: Give -etcd-endpoints=HOST:PORT for the store etcd.\n" },
    { args: ["-dev", "-http-port=70000"], err: "Error: -http-port=70000: write a number from 0 to 65535.\n" },
    {
      args: ["-dev", "-acl-default-policy=deny"],
      err: "Error: Give -acl-token-file=FILE with -acl-default-policy: without a token nobody could do anything.\n",
    },
    {
      args: ["-dev", "-acl-token-file=none"],
      err: "Error: -acl-token-file=none: the file cannot be read or is empty.\n",
    },
    { args: ["-dve"], err: "Error: flag provided but not defined: -dve. Did you mean -dev?\n" },
  ];
  test.each(cases)("$args", async ({ args, err }) => {
    expect(await outcomeOf((io) => runServer(args, io), { cwd: folder })).toEqual({ code: 1, out: "", err });
  });
});

test("help has an example", async () => {
  const { code, out } = await outcomeOf((io) => runServer(["-help"], io));
  expect(code).toBe(0);
  expect(out).toMatch(/\$ millwright server -dev\n/);
});
