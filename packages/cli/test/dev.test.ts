import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify } from "@millwright/process/identity";
import { afterEach, expect, test } from "vitest";
import { Process } from "./process.ts";

/* `millwright dev`: two processes that outlive it, and are found again. */

const folders: string[] = [];
const started: Process[] = [];

afterEach(async () => {
  for (const dev of started.splice(0)) dev.signal("SIGKILL");
  for (const folder of folders.splice(0)) {
    await Process.run(["dev", "-stop"], { cwd: folder, env: { XDG_STATE_HOME: join(folder, "state") } });
    rmSync(folder, { recursive: true, force: true });
  }
});

function fresh(): string {
  const folder = mkdtempSync(join(tmpdir(), "dev-"));
  folders.push(folder);
  return folder;
}

const ports = ["-http-port=0", "-dns-port=0", "-vault-port=0", "-server-port=0"];

async function dev(folder: string): Promise<Process> {
  const one = Process.start(["dev", ...ports, "-log-level=warn"], {
    cwd: folder,
    env: { XDG_STATE_HOME: join(folder, "state") },
  });
  started.push(one);
  await one.until(() => one.out.includes("^C ends both."));
  expect(one.out, one.err).toContain("^C ends both.");
  return one;
}

const addressIn = (text: string, what: string) => new RegExp(`${what} +(?:http://)?(\\S+)`).exec(text)?.[1] ?? "";
const pidOf = (folder: string, name: string) =>
  Number(readFileSync(join(folder, ".millwright", `${name}.pid`), "utf8").split(" ")[0]);

// One that has ended, and whose end nobody has asked for, is not alive.
const isAlive = (pid: number) => identify(pid) !== undefined;

test("a server and an agent answer over HTTP and DNS, and ^C ends both", async () => {
  const folder = fresh();
  const one = await dev(folder);
  const consul = addressIn(one.out, "Consul HTTP API");
  expect((await fetch(`http://${consul}/v1/kv/a`, { method: "PUT", body: "b" })).status).toBe(200);
  const members = await (await fetch(`http://${consul}/v1/agent/members`)).json();
  expect(members).toHaveLength(2);
  const resolver = new Resolver();
  resolver.setServers([addressIn(one.out, "DNS")]);
  await expect.poll(() => resolver.resolve4("vault.service.consul").catch(() => []), { timeout: 8000 }).toHaveLength(1);
  const pids = [pidOf(folder, "server"), pidOf(folder, "agent")];
  expect(pids.map(isAlive)).toEqual([true, true]);
  one.signal("SIGINT");
  expect(await one.ended).toMatchObject({ code: 0 });
  expect(pids.map(isAlive)).toEqual([false, false]);
}, 30_000);

test("killed itself it leaves both running, and the next one finds them with all they know", async () => {
  const folder = fresh();
  const first = await dev(folder);
  const consul = addressIn(first.out, "Consul HTTP API");
  await fetch(`http://${consul}/v1/kv/kept`, { method: "PUT", body: "yes" });
  const pids = [pidOf(folder, "server"), pidOf(folder, "agent")];
  first.signal("SIGKILL");
  await first.ended;
  expect(pids.map(isAlive)).toEqual([true, true]);
  const second = await dev(folder);
  expect(second.out).toContain(`Found the server that an earlier dev left running (process ${pids[0]})`);
  expect(second.out).toContain(`Found the agent that an earlier dev left running (process ${pids[1]})`);
  expect(addressIn(second.out, "Consul HTTP API")).toBe(consul);
  expect(await (await fetch(`http://${consul}/v1/kv/kept?raw`)).text()).toBe("yes");
  second.signal("SIGTERM");
  await second.ended;
  expect(pids.map(isAlive)).toEqual([false, false]);
}, 30_000);

test("a second one in the same folder is refused by the first one's pid, and the first goes on", async () => {
  const folder = fresh();
  const first = await dev(folder);
  const ended = await Process.run(["dev", ...ports], { cwd: folder, env: { XDG_STATE_HOME: join(folder, "state") } });
  expect(ended).toMatchObject({ code: 1, out: "" });
  expect(ended.err).toContain(`${join(folder, ".millwright")} is already in use by process ${pidOf(folder, "dev")}`);
  expect((await fetch(`http://${addressIn(first.out, "Consul HTTP API")}/v1/status/leader`)).status).toBe(200);
  first.signal("SIGINT");
  expect(await first.ended).toMatchObject({ code: 0 });
}, 30_000);

test("a data folder that cannot be made is said with what to do", async () => {
  const folder = fresh();
  writeFileSync(join(folder, "file"), "");
  const args = ["dev", ...ports, "-data-dir=file/data"];
  const ended = await Process.run(args, { cwd: folder, env: { XDG_STATE_HOME: join(folder, "state") } });
  expect(ended).toMatchObject({ code: 1, out: "" });
  expect(ended.err).toMatch(/^Error: Cannot use the data folder \S+file\/data: .*Check -data-dir/);
}, 30_000);

test("what it kept is there again, unsealed, after an end and a start", async () => {
  const folder = fresh();
  const first = await dev(folder);
  const tokenFile = /VAULT_TOKEN=\$\(cat (\S+)\)/.exec(first.out)?.[1] ?? "";
  expect(tokenFile.startsWith(join(folder, "state"))).toBe(true);
  expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
  const token = readFileSync(tokenFile, "utf8").trim();
  const secret = (out: string) => `http://${addressIn(out, "Vault HTTP API")}/v1/cubbyhole/x`;
  const headers = { "x-vault-token": token };
  expect((await fetch(secret(first.out), { method: "PUT", headers, body: '{"a":"b"}' })).status).toBe(204);
  first.signal("SIGINT");
  await first.ended;
  const second = await dev(folder);
  const answer = (await (await fetch(secret(second.out), { headers })).json()) as { readonly data: unknown };
  expect(answer.data).toEqual({ a: "b" });
}, 30_000);

test("a part that ends is started again where it answered before; one that ends at once again ends both", async () => {
  const folder = fresh();
  const one = await dev(folder);
  const consul = addressIn(one.out, "Consul HTTP API");
  const before = { server: pidOf(folder, "server"), agent: pidOf(folder, "agent") };
  process.kill(before.agent, "SIGKILL");
  await one.until(() => one.err.includes("The agent was started again"));
  expect(one.err).toContain("The agent has ended. Its log says why:");
  expect((await fetch(`http://${consul}/v1/agent/self`)).status).toBe(200);
  expect(pidOf(folder, "server")).toBe(before.server);
  const agent = pidOf(folder, "agent");
  expect(agent).not.toBe(before.agent);
  process.kill(agent, "SIGKILL");
  expect(await one.ended).toMatchObject({ code: 1 });
  expect(one.err).toContain("It has not lived for long");
  expect([before.server, agent].map(isAlive)).toEqual([false, false]);
}, 30_000);

test("a port that is taken is said, with the flag that chooses another, and nothing is left running", async () => {
  const folder = fresh();
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, "127.0.0.1", () => {
      const address = taken.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    }),
  );
  try {
    const args = ["dev", "-http-port=0", "-dns-port=0", "-server-port=0", `-vault-port=${port}`];
    const ended = await Process.run(args, { cwd: folder, env: { XDG_STATE_HOME: join(folder, "state") } });
    expect(ended.code).toBe(1);
    expect(ended.err).toContain(`Cannot listen on 127.0.0.1:${port}`);
    expect(ended.err).toContain("Flags of dev for ports: -free-ports, -http-port");
    expect(isAlive(pidOf(folder, "server"))).toBe(false);
  } finally {
    taken.close();
  }
}, 30_000);

test("an unseal key that is another's is refused, and changes nothing", async () => {
  const folder = fresh();
  const first = await dev(folder);
  const tokenFile = /VAULT_TOKEN=\$\(cat (\S+)\)/.exec(first.out)?.[1] ?? "";
  first.signal("SIGINT");
  await first.ended;
  const keyFile = join(tokenFile, "..", "unseal-key");
  const key = readFileSync(keyFile, "utf8");
  writeFileSync(keyFile, `${Buffer.alloc(33, 7).toString("base64")}\n`);
  const ended = await Process.run(["dev", ...ports], { cwd: folder, env: { XDG_STATE_HOME: join(folder, "state") } });
  expect(ended.code).toBe(1);
  expect(ended.err).toContain("does not unseal the secrets");
  expect(ended.err).not.toContain(key.trim());
  writeFileSync(keyFile, key);
  await dev(folder);
}, 30_000);
