import type { ChildProcess } from "node:child_process";
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPostgres, unprivilegedUser } from "@millwright/secrets/postgres-programs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildArchives } from "../scripts/start/factory-archives.ts";
import { type Outcome, root } from "./support/commands.ts";
import { countOn, type Host, type Hosts, makeHosts, outcomeOf, saying } from "./support/hosts.ts";

/* The widget factory on three hosts: a server, and two agents. One of the agents' hosts loses its network, and later all that
   runs on it; what ran there runs elsewhere, and nothing runs twice when it is back. */

const millwright = join(root, "packages/cli/bin/millwright");
const program = `${process.execPath} local/widgets.cjs`;
const api = "api.widgets.service.consul";
let folder: string;
let network: Hosts;
let hosts: { readonly server: Host; readonly first: Host; readonly second: Host };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "three-hosts-"));
  network = await makeHosts(3);
  const [server, first, second] = network.hosts;
  hosts = { server: server!, first: first!, second: second! };
  const { address } = hosts.server;
  const data = [`-data-dir=${join(folder, "server")}`, `-dev-seal-dir=${join(folder, "seal")}`];
  await start(hosts.server, "server", [...data, `-client=${address} 127.0.0.1`, `-bind=${address}`, "-dns-port=-1"]);
  await startAgent("first");
  await startAgent("second");
}, 60_000);

afterAll(async () => {
  await network?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function startAgent(name: "first" | "second"): Promise<void> {
  const { address } = hosts.server;
  await start(hosts[name], "agent", [
    `-data-dir=${join(folder, name)}`,
    `-node=${name}`,
    `-join=${address}:8500`,
    `-join-token-file=${join(folder, "server", "join-token")}`,
    `-nomad-servers=${address}:4646`,
    `-vault-address=http://${address}:8200`,
    "-driver-raw-exec",
  ]);
}

async function start(host: Host, command: string, args: readonly string[]): Promise<ChildProcess> {
  const child = host.spawn(millwright, [command, ...args], { cwd: folder, env: environment() });
  await saying(child, "Stop it with ^C.");
  return child;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, HOME: folder, XDG_STATE_HOME: join(folder, "state"), TF_CLI_CONFIG_FILE: "/dev/null" };
}

/** Runs a command on a host to its end. */
async function on(host: Host, program: string, args: readonly string[], cwd = folder): Promise<Outcome> {
  const { address } = hosts.server;
  const token = readFileSync(join(folder, "seal", "root-token"), "utf8").trim();
  const servers = { NOMAD_ADDR: `http://${address}:4646`, VAULT_ADDR: `http://${address}:8200`, VAULT_TOKEN: token };
  const consul = { CONSUL_HTTP_ADDR: `http://${address}:8500`, TF_VAR_postgres_password: "hush-hush" };
  return outcomeOf(host.spawn(program, args, { cwd, env: { ...environment(), ...servers, ...consul } }));
}

/** `address port` of each instance that is found by name on a host. */
async function found(host: Host): Promise<readonly string[]> {
  const script = `
    const resolver = new (require("node:dns").promises.Resolver)({ timeout: 1000, tries: 1 });
    resolver.setServers(["127.0.0.1:8600"]);
    resolver.resolveSrv("${api}").catch(() => []).then(async (records) => {
      for (const { name, port } of records) console.log((await resolver.resolve4(name))[0], port);
    });`;
  const { out } = await on(host, process.execPath, ["-e", script]);
  return out.split("\n").filter(Boolean).sort();
}

async function order(host: Host): Promise<string> {
  const [place = ""] = await found(host);
  const url = `http://${place.replace(" ", ":")}/orders`;
  const script = `fetch("${url}", { method: "POST", body: '{"widget":"cog","count":1}' })
    .then((answer) => answer.text()).then(console.log, (error) => console.log(String(error)));`;
  return (await on(host, process.execPath, ["-e", script])).out;
}

const allOn = (places: readonly string[], host: Host) => places.every((place) => place.startsWith(`${host.address} `));
const programs = () => countOn(hosts.first, program) + countOn(hosts.second, program);

test("one plan brings it up over both hosts, and each finds it by its name", async () => {
  const { server, first, second } = hosts;
  const plan = join(folder, "factory");
  cpSync(join(root, "examples", "widget-factory"), plan, { recursive: true });
  await buildArchives(join(folder, "archives"), [{ release: "1" }]);
  const data = join(folder, "orders");
  const account = unprivilegedUser();
  mkdirSync(data);
  for (const path of account ? [folder, data] : []) chownSync(path, account!.uid, account!.gid);
  const { binFolder, env } = findPostgres({ folder, account });
  const variables = {
    artifacts: join(folder, "archives"),
    node: process.execPath,
    postgres_bin: binFolder,
    postgres_libraries: env.LD_LIBRARY_PATH ?? "",
    postgres_user: account ? String(account.uid) : "",
    postgres_data: data,
    postgres_node: "^first$",
    postgres_address: `${first.address}:5432`,
    nomad_address: `http://${server.address}:4646`,
  };
  writeFileSync(join(plan, "hosts.auto.tfvars.json"), JSON.stringify(variables));
  const applied = await on(server, millwright, ["apply", "-auto-approve", "-no-color"], plan);
  expect(applied, applied.out + applied.err).toMatchObject({ code: 0 });
  await expect.poll(() => found(second), { timeout: 10_000 }).toHaveLength(3);
  const places = await found(first);
  expect(places).toEqual(await found(second));
  expect(places.some((place) => place.startsWith(`${second.address} `))).toBe(true);
  expect(await order(second)).toMatch(/"order":1,/);
  expect(programs()).toBe(6);
}, 120_000);

test("a host whose network is cut leaves DNS, its work is placed elsewhere, and nothing runs twice when it is back", async () => {
  const { first, second } = hosts;
  second.setCable(false);
  const cut = performance.now();
  await expect.poll(async () => allOn(await found(first), first), { timeout: 20_000, interval: 200 }).toBe(true);
  expect(performance.now() - cut).toBeLessThan(15_000);
  await expect.poll(() => found(first), { timeout: 40_000, interval: 500 }).toHaveLength(3);
  expect(await order(first)).toMatch(/"order":2,/);
  second.setCable(true);
  await expect.poll(() => countOn(second, program), { timeout: 30_000, interval: 500 }).toBe(0);
  expect(programs()).toBe(6);
  await expect.poll(() => found(second), { timeout: 15_000, interval: 500 }).toHaveLength(3);
}, 150_000);

test("a host that loses its power does the same, and takes on new work when it is back", async () => {
  const { server, first, second } = hosts;
  const nomad = (...args: readonly string[]) => on(server, millwright, ["nomad", ...args]);
  expect((await nomad("node", "eligibility", "-disable", await nodeId("first"))).code).toBe(0);
  expect((await nomad("job", "scale", "-detach", "widgets", "5")).code).toBe(0);
  await expect.poll(() => found(first), { timeout: 40_000, interval: 500 }).toHaveLength(5);
  expect(countOn(second, program)).toBe(4);
  expect((await nomad("node", "eligibility", "-enable", await nodeId("first"))).code).toBe(0);
  second.kill();
  const killed = performance.now();
  await expect.poll(async () => allOn(await found(first), first), { timeout: 20_000, interval: 200 }).toBe(true);
  expect(performance.now() - killed).toBeLessThan(15_000);
  await expect.poll(() => found(first), { timeout: 40_000, interval: 500 }).toHaveLength(5);
  await startAgent("second");
  await expect.poll(async () => (await nomad("node", "status")).out, { timeout: 20_000 }).not.toContain("down");
  expect(countOn(second, program)).toBe(0);
  expect(programs()).toBe(10);
}, 150_000);

async function nodeId(name: string): Promise<string> {
  const { out } = await on(hosts.server, millwright, ["nomad", "node", "status", "-json"]);
  const nodes = JSON.parse(out) as readonly { readonly ID: string; readonly Name: string }[];
  return nodes.find((node) => node.Name === name)?.ID ?? "";
}
