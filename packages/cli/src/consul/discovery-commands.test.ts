import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulClient } from "@millwright/clients/consul";
import { type RunningServer, startServer } from "@millwright/server/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CommandOutcome, type CommandSetting, outcomeOf } from "../../test/kv-io.ts";
import { runConsul } from "../commands/consul.ts";
import { runDiscoveryCommand, type ServiceCommandName } from "./main.ts";

let server: RunningServer;
let client: ConsulClient;
let env: Record<string, string>;
let folder: string;
beforeAll(async () => {
  server = await startServer({ http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }], nodeName: "n1" });
  const [address] = server.http;
  const at = address?.kind === "tcp" ? `127.0.0.1:${address.port}` : "";
  env = { CONSUL_HTTP_ADDR: at, PATH: process.env.PATH ?? "" };
  client = new ConsulClient({ address: at });
  // Its node joins it as any other does.
  for await (const { value } of client.health.watchNode("n1", { signal: AbortSignal.timeout(10_000) })) {
    if (value.some(({ status }) => status === "passing")) break;
  }
});
afterAll(async () => {
  await client.close();
  await server.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-consul-"));
});
afterEach(async () => {
  await client.kv.deleteTree("");
  await rm(folder, { recursive: true });
});

function consul(args: readonly string[], setting: CommandSetting = {}): Promise<CommandOutcome> {
  return outcomeOf((io) => runConsul(args, io), { env, cwd: folder, ...setting });
}

function millwright(name: ServiceCommandName, ...args: string[]): Promise<CommandOutcome> {
  return outcomeOf((io) => runDiscoveryCommand(name, args, io, "millwright"), { env, cwd: folder });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it did not come to be so within three seconds");
}

describe("what is printed is what consul prints", () => {
  const cases: {
    readonly name: string;
    readonly args: readonly string[];
    readonly code?: number;
    readonly out?: string | RegExp;
    readonly err?: string | RegExp;
  }[] = [
    {
      name: "members",
      args: ["members"],
      out: /^Node {2}Address +Status {2}Type {4}Build +Protocol {2}DC {3}Partition {2}Segment\nn1 {4}127\.0\.0\.1:\d+ {2}alive {3}server {2}1\.16\.4 +2 +dc1 {2}default {4}<all>\n$/,
    },
    { name: "members in detail", args: ["members", "-detailed"], out: /^Node +Address +Status +Tags\nn1 .*dc=dc1,id=/ },
    { name: "members of a status that nobody has", args: ["members", "-status=left"], code: 2 },
    {
      name: "members of a status that is no expression",
      args: ["members", "-status=("],
      code: 1,
      err: /^Failed to compile status regexp: error parsing regexp: missing closing \)/,
    },
    { name: "datacenters", args: ["catalog", "datacenters"], out: "dc1\n" },
    {
      name: "nodes",
      args: ["catalog", "nodes"],
      out: /^Node {2}ID {8}Address {4}DC\nn1 {4}[0-9a-f]{8} {2}127\.0\.0\.1 {2}dc1\n$/,
    },
    {
      name: "nodes in detail",
      args: ["catalog", "nodes", "-detailed"],
      out: /TaggedAddresses +Meta\nn1 +[0-9a-f-]{36} /,
    },
    {
      name: "nodes of a service that is not there",
      args: ["catalog", "nodes", "-service=none"],
      err: "No nodes match the given query - try expanding your search.\n",
    },
    { name: "services", args: ["catalog", "services"], out: /^consul\n/ },
    { name: "services of a node", args: ["catalog", "services", "-node=n1", "-tags"], out: /^consul/ },
    {
      name: "services of a node that is not there",
      args: ["catalog", "services", "-node=none"],
      err: "No services match the given query - try expanding your search.\n",
    },
    { name: "info", args: ["info"], out: /^agent:\n\t[^]*\nbuild:\n[^]*\tversion = 1\.16\.4\n/ },
    { name: "the version", args: ["version"], out: /^Consul v1\.16\.4/ },
    { name: "the version as JSON", args: ["version", "-format=json"], out: /^\{\n {4}"Version": "1\.16\.4",/ },
    {
      name: "an unknown part",
      args: ["catalog", "node"],
      code: 1,
      err: /^There is no command "consul catalog node". Did you mean "consul catalog nodes"/,
    },
    { name: "a lock without a command", args: ["lock", "p"], code: 1, err: /^Key prefix and child command must/ },
    { name: "a lock of nobody", args: ["lock", "-n=0", "p", "true"], code: 1, err: /must be positive/ },
    { name: "a watch of nothing", args: ["watch"], code: 1, err: /^Watch type must be specified/ },
    { name: "a watch of something unknown", args: ["watch", "-type=x"], code: 1, err: /^Unsupported watch type: x/ },
    { name: "a watch of no key", args: ["watch", "-type=key"], code: 1, err: /^Must specify a single key to watch/ },
    {
      name: "an unreachable agent",
      args: ["members", "-http-addr=127.0.0.1:1"],
      code: 1,
      err: /^Error retrieving members: Cannot reach http:\/\/127\.0\.0\.1:1: connection refused/,
    },
    { name: "a reload", args: ["reload"], out: "Configuration reload triggered\n" },
    { name: "what is out of use, while nothing is", args: ["maint"] },
    { name: "both ways at once", args: ["maint", "-enable", "-disable"], code: 1, err: /^Only one of -enable or/ },
    { name: "a service that is not there, out of use", args: ["maint", "-enable", "-service=x"], code: 1, err: /404/ },
    { name: "a join of nobody", args: ["join"], code: 1, err: "At least one address to join must be specified.\n" },
  ];
  test.each(cases)("$name", async ({ args, code = 0, out = "", err = "" }) => {
    const outcome = await consul(args);
    if (typeof err === "string") expect(outcome.err).toBe(err);
    else expect(outcome.err).toMatch(err);
    if (typeof out === "string") expect(outcome.out).toBe(out);
    else expect(outcome.out).toMatch(out);
    expect(outcome.code).toBe(code);
  });

  test.each(["members", "event", "lock", "watch", "info", "join", "leave", "version"])(
    "%s explains itself",
    async (name) => {
      const { code, out } = await consul([name, "-h"]);
      expect(code).toBe(0);
      expect(out).toContain(`      $ consul ${name}`);
    },
  );
});

describe("services", () => {
  test("are registered by flags and by files, shown and deregistered", async () => {
    expect(await consul(["services", "register", "-name=web", "-port=80", "-tag=v1", "-meta=a=b"])).toMatchObject({
      code: 0,
      out: "Registered service: web\n",
    });
    await writeFile(
      join(folder, "api.hcl"),
      'service {\n  name = "api"\n  port = 8080\n  check {\n    id = "up"\n    ttl = "1h"\n  }\n}\n',
    );
    expect((await consul(["services", "register", "api.hcl"])).out).toBe("Registered service: api\n");
    await until(async () => (await client.catalog.service("api")).value.length > 0);
    await until(async () => (await client.catalog.service("web")).value.length > 0);
    const { out } = await millwright("services", "list");
    expect(out).toMatch(/^Service +Instances {2}Healthy {2}Tags\napi +1 +0\nconsul +1 +1\n[^]*web +1 +1 +v1\n$/);
    const shown = await millwright("services", "show", "api");
    expect(shown.out).toMatch(
      /^ID {3}Node {2}Address +Health +Tags\napi {2}n1 +127\.0\.0\.1:8080 +critical\n\nn1: .* is critical/,
    );
    const listed: unknown = JSON.parse((await millwright("services", "list", "-json")).out);
    expect(listed).toContainEqual({ name: "api", instances: 1, healthy: 0, tags: [] });
    expect(JSON.parse((await millwright("services", "show", "api", "-json")).out)).toMatchObject([
      { id: "api", node: "n1", address: "127.0.0.1", port: 8080, health: "critical", tags: [] },
    ]);
    expect((await consul(["catalog", "services", "-tags"])).out).toMatch(/\nweb +v1\n/);
    expect((await consul(["services", "deregister", "-id=web"])).out).toBe("Deregistered service: web\n");
    expect((await consul(["services", "deregister", "api.hcl"])).out).toBe("Deregistered service: api\n");
    await until(async () => (await client.catalog.service("api")).value.length === 0);
    expect(await millwright("services", "show", "api")).toMatchObject({ code: 1, err: /There is no service "api"/ });
  });

  test("that cannot be are refused with a reason", async () => {
    await writeFile(join(folder, "empty.json"), "{}");
    const cases = [
      { args: ["register"], err: /requires at least one argument or flags/ },
      { args: ["register", "none.json"], err: /none\.json/ },
      { args: ["register", "empty.json"], err: /There is no service in empty\.json/ },
      { args: ["deregister"], err: /requires at least one argument or -id/ },
      { args: ["deregister", "-id=none"], err: /none/ },
    ];
    for (const { args, err } of cases)
      expect(await consul(["services", ...args])).toMatchObject({ code: 1, out: "", err: expect.stringMatching(err) });
  });
});

test("a service is taken out of use with a reason, and put back", async () => {
  await consul(["services", "register", "-name=web"]);
  const off = await consul(["maint", "-enable", "-service=web", "-reason=new disk"]);
  expect(off).toEqual({ code: 0, out: 'Service maintenance is now enabled for "web"\n', err: "" });
  expect((await consul(["maint"])).out).toBe("Service:\n  ID:     web\n  Reason: new disk\n\n");
  expect((await consul(["maint", "-disable", "-service=web"])).code).toBe(0);
  expect((await consul(["maint"])).out).toBe("");
  expect((await consul(["maint", "-enable"])).out).toBe("Node maintenance is now enabled\n");
  expect((await consul(["maint"])).out).toMatch(/^Node:\n {2}Name: {3}n1\n {2}Reason: .+\n\n$/);
  expect((await consul(["maint", "-disable"])).out).toBe("Node maintenance is now disabled\n");
  await consul(["services", "deregister", "-id=web"]);
});

describe("lock", () => {
  test("runs the command while the key is held, and leaves nothing behind", async () => {
    const script = 'echo "held $CONSUL_LOCK_HELD" && cat kv';
    await writeFile(join(folder, "kv"), "in the folder\n");
    const outcome = await consul(["lock", "-verbose", "jobs/backup", script]);
    expect(outcome).toMatchObject({ code: 0, err: "" });
    expect(outcome.out).toContain("Setting up lock at path: jobs/backup/.lock\n");
    expect(outcome.out).toContain("held true\nin the folder\n");
    expect(outcome.out).toContain("Cleanup succeeded\n");
    expect((await client.kv.keys("")).value).toEqual([]);
    expect((await client.sessions.list()).value).toEqual([]);
  });

  test("runs one command after the other, also with several at once up to the limit", async () => {
    for (const limit of [1, 2]) {
      const log = join(folder, `log${limit}`);
      const script = `echo in >> ${log}; sleep 0.3; echo out >> ${log}`;
      const runs = [1, 2, 3].map(() => consul(["lock", `-n=${limit}`, "p", script]));
      for (const { code, err } of await Promise.all(runs)) expect({ code, err }).toEqual({ code: 0, err: "" });
      let inside = 0;
      let most = 0;
      for (const line of (await readFile(log, "utf8")).trim().split("\n")) {
        inside += line === "in" ? 1 : -1;
        most = Math.max(most, inside);
      }
      expect(most).toBe(limit);
    }
  });

  test("says how the command failed, and exits so where it was asked to", async () => {
    const failed = { code: 0, out: "", err: "Error running handler: exit status 7\n" };
    expect(await consul(["lock", "p", "exit 7"])).toEqual(failed);
    expect((await consul(["lock", "p", "kill -9 $$"])).err).toMatch(/^Error running handler: (signal|exit status)/);
    expect((await consul(["lock", "-child-exit-code", "p", "exit 7"])).code).toBe(2);
    expect((await consul(["lock", "-child-exit-code", "p", "true"])).code).toBe(0);
  });

  test("runs the command as it is without a shell", async () => {
    expect((await consul(["lock", "-shell=false", "p", "echo", "a  b", "$HOME"])).out).toBe("a  b $HOME\n");
    const missing = await consul(["lock", "-shell=false", "p", "no-such-program"]);
    expect(missing).toMatchObject({ code: 1, err: expect.stringMatching(/there is no such program/) });
    expect((await client.kv.keys("")).value).toEqual([]);
  });

  test("gives up where it is not got in time", async () => {
    const session = await client.sessions.create({ lockDelayMilliseconds: 0 });
    await client.kv.put("p/.lock", "", { acquire: session, flags: 0x2ddccbc058a50c18n });
    expect(await consul(["lock", "-try=100ms", "p", "true"])).toMatchObject({
      code: 1,
      err: "Shutdown triggered or timeout during lock acquisition\n",
    });
    await client.sessions.destroy(session);
  });

  test("ends the command when the lock is lost", async () => {
    const running = consul(["lock", "-name=mine", "p", "sleep 30"]);
    await until(async () => (await client.kv.get("p/.lock")).value?.session !== undefined);
    const { value } = await client.sessions.list();
    expect(value).toMatchObject([{ name: "mine" }]);
    await client.sessions.destroy(value[0]!.id);
    expect(await running).toMatchObject({ code: 1, err: expect.stringMatching(/^Lock lost, ending the command/) });
  });

  test("ends the command and gives the lock back at an interrupt", async () => {
    const stop = new AbortController();
    const running = consul(["lock", "q", "sleep 30"], { signal: stop.signal });
    await until(async () => (await client.kv.get("q/.lock")).value?.session !== undefined);
    stop.abort("SIGINT");
    expect(await running).toMatchObject({ code: 130 });
    expect((await client.kv.keys("")).value).toEqual([]);
    expect((await client.sessions.list()).value).toEqual([]);
  });
});

describe("watch", () => {
  test("prints what there is, in the server's own JSON", async () => {
    await client.kv.put("a/1", "x", { flags: 18446744073709551615n });
    const key = await consul(["watch", "-type=key", "-key=a/1"]);
    expect(key.out).toMatch(/^\{\n {4}"LockIndex": 0,\n {4}"Key": "a\/1",\n {4}"Flags": 18446744073709551615,/);
    expect(JSON.parse((await consul(["watch", "-type=keyprefix", "-prefix=a/"])).out)).toMatchObject([{ Key: "a/1" }]);
    expect((await consul(["watch", "-type=key", "-key=none"])).out).toBe("null\n");
    expect(JSON.parse((await consul(["watch", "-type=nodes"])).out)).toMatchObject([{ Node: "n1" }]);
    expect(JSON.parse((await consul(["watch", "-type=services"])).out)).toHaveProperty("consul");
    expect(JSON.parse((await consul(["watch", "-type=service", "-service=consul"])).out)).toMatchObject([
      { Service: { Service: "consul" } },
    ]);
    expect(JSON.parse((await consul(["watch", "-type=checks", "-state=passing"])).out)).toMatchObject([
      { CheckID: "serfHealth" },
    ]);
  });

  test("runs the command at each change, with the JSON on its standard input", async () => {
    const stop = new AbortController();
    const log = join(folder, "log");
    const args = ["watch", "-type=keyprefix", "-prefix=w/", `cat >> ${log}; echo "at $CONSUL_INDEX"`];
    const running = consul(args, { signal: stop.signal });
    const lines = async () => (await readFile(log, "utf8").catch(() => "")).split("\n").filter(Boolean);
    await until(async () => (await lines()).length === 1);
    await client.kv.put("w/1", "x");
    await until(async () => (await lines()).length === 2);
    await client.kv.put("other", "x");
    await client.kv.put("w/2", "x");
    await until(async () => (await lines()).length === 3);
    stop.abort("SIGINT");
    const outcome = await running;
    expect(outcome).toMatchObject({ code: 130, err: "" });
    expect(outcome.out).toMatch(/^(at \d+\n){3}$/);
    const seen = (await lines()).map((line) => (JSON.parse(line) as { Key: string }[] | null)?.map(({ Key }) => Key));
    expect(seen).toEqual([undefined, ["w/1"], ["w/1", "w/2"]]);
  });

  test("tells each event once, to who watches for it", async () => {
    const stop = new AbortController();
    const log = join(folder, "events");
    expect((await consul(["event", "-name=deploy", "v1"])).out).toMatch(/^Event ID: [0-9a-f-]{36}\n$/);
    const running = consul(["watch", "-type=event", "-name=deploy", `cat >> ${log}`], { signal: stop.signal });
    const told = async () =>
      (await readFile(log, "utf8").catch(() => ""))
        .split("\n")
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { Payload: string }[]).map(({ Payload }) => atob(Payload)));
    await until(async () => (await told()).length === 1);
    await consul(["event", "-name=other", "x"]);
    await consul(["event", "-name=deploy", "v2"]);
    await until(async () => (await told()).length === 2);
    stop.abort("SIGINT");
    expect((await running).code).toBe(130);
    expect(await told()).toEqual([["v1"], ["v2"]]);
    expect(await consul(["event"])).toMatchObject({ code: 1, err: expect.stringMatching(/^Event name must be/) });
    expect((await client.events.list({ name: "other" })).value).toMatchObject([{ name: "other" }]);
  });

  test("goes on when the command fails", async () => {
    const stop = new AbortController();
    const running = consul(["watch", "-type=key", "-key=k", "exit 3"], { signal: stop.signal });
    setTimeout(() => stop.abort("SIGTERM"), 300);
    expect(await running).toMatchObject({ code: 143, err: "Error executing handler: exit status 3\n" });
  });
});
