import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runNomad } from "../src/nomad/main.ts";
import { type CommandOutcome, outcomeOf } from "./kv-io.ts";
import { Process } from "./process.ts";

/* Deployments whose gates a server of ours asks, as a user sees them. */

let folder: string;
let dev: Process;
let env: Record<string, string>;
let probed: Server;
let isWell = true;
let asked = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "nomad-gates-"));
  probed = createServer((request, response) => {
    asked += 1;
    response.writeHead(isWell && request.headers["x-token"] === "s3cret" ? 200 : 500).end();
  });
  await new Promise<void>((resolve) => probed.listen(0, "127.0.0.1", resolve));
  const ports = ["http", "dns", "vault", "nomad", "server"].map((name) => `-${name}-port=0`);
  dev = Process.start(["dev", ...ports, "-log-level=warn"], {
    cwd: folder,
    env: { XDG_STATE_HOME: join(folder, "state") },
  });
  await dev.until(() => dev.out.includes("^C ends both."));
  expect(dev.out, dev.err).toContain("^C ends both.");
  env = { NOMAD_ADDR: /NOMAD_ADDR=(\S+)/.exec(dev.out)?.[1] ?? "", TOKEN: "s3cret" };
}, 60_000);

afterAll(async () => {
  dev.signal("SIGINT");
  await dev.ended;
  probed.closeAllConnections();
  probed.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

function nomad(...args: string[]): Promise<CommandOutcome> {
  return outcomeOf((io) => runNomad(args, io), { env, cwd: folder });
}

/** A job of three, one batch each. */
function write(version: number, { type = "service", update = "" } = {}): void {
  const text = `job "web" {
  type = "${type}"
  group "web" {
    count = 3
    ${type === "service" ? `update {\n max_parallel = 1\n stagger = "1ns"\n min_healthy_time = "0s"\n health_check = "task_states"\n ${update}\n}` : ""}
    service {
      name = "web"
    }
    task "main" {
      driver = "raw_exec"
      kill_timeout = "1s"
      config {
        command = "/bin/sh"
        args    = ["-c", "exec sleep ${1000 + version}"]
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
`;
  writeFileSync(join(folder, "web.nomad.hcl"), text);
}

function writeGates(settings: string): void {
  const { port } = probed.address() as AddressInfo;
  const text = `gate "http" "smoke" {
  url     = "http://127.0.0.1:${port}/health"
  headers = { x-token = env.TOKEN }
  every   = "200ms"
  ${settings}
}
`;
  writeFileSync(join(folder, "waves.hcl"), text);
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { out } = await nomad(...args, "-json");
  return JSON.parse(out) as Record<string, unknown>;
}

/** How many that are to run are of the newest version, if it is this one. */
async function countOf(version: number): Promise<number> {
  const job = (await (await fetch(`${env.NOMAD_ADDR}/v1/job/web`)).json()) as { Version: number };
  const response = await fetch(`${env.NOMAD_ADDR}/v1/job/web/allocations`);
  const all = (await response.json()) as { JobVersion: number; DesiredStatus: string }[];
  expect(job.Version).toBe(version);
  return all.filter((one) => one.DesiredStatus === "run" && one.JobVersion === version).length;
}

/** The version that the next registration makes. */
async function nextVersion(): Promise<number> {
  return ((await (await fetch(`${env.NOMAD_ADDR}/v1/job/web`)).json()) as { Version: number }).Version + 1;
}

async function deployment(): Promise<Record<string, unknown>> {
  return (await (await fetch(`${env.NOMAD_ADDR}/v1/job/web/deployment`)).json()) as Record<string, unknown>;
}

test("gates travel with the job, and let batch after batch through", async () => {
  await expect.poll(async () => (await nomad("node", "status")).out, { timeout: 15_000 }).toContain(" ready");
  write(0);
  writeGates('within = "0s"');
  expect((await nomad("run", "web.nomad.hcl")).code).toBe(0);
  write(1);
  const planned = await nomad("plan", "-gates", "web.nomad.hcl");
  expect(planned.out).toContain("+   Gates {");
  expect(planned.out).toMatch(/\+ +Headers\[x-token\]: +"\(hidden, \w+\)"/);
  expect(planned.out).toMatch(/^nomad job run -check-index \d+ -gates=waves\.hcl web\.nomad\.hcl$/m);
  const run = await nomad("run", "-gates", "web.nomad.hcl");
  expect(run.code, run.out + run.err).toBe(0);
  for (const batch of [1, 2, 3])
    expect(run.out).toContain(`    Gates after batch ${batch}: go: conditions, smoke: all are for it\n`);
  expect(run.out).not.toContain("s3cret");
  expect(asked).toBe(3);
  const [id] = /^[0-9a-f]{8}/m.exec((await nomad("deployment", "list")).out)!;
  expect((await nomad("deployment", "status", id)).out).toMatch(
    /^Gates\nAfter Batch +Decision +Gate +Because +Time\n1 +go +conditions, smoke +all are for it +\d+s ago\n/m,
  );
  expect(await json("deployment", "status", id)).toMatchObject({ Gates: { Decisions: [{ Decision: "go" }, {}, {}] } });
  expect(JSON.stringify(await json("job", "inspect", "web"))).toContain('"x-token":"s3cret"');
}, 60_000);

test("gates alone are a new version that replaces nothing; the server's own discovery says how services are", async () => {
  const gate = (least: number) =>
    writeFileSync(
      join(folder, "waves.hcl"),
      `gate "service" "web" {\n service = "web"\n least = ${least}\n within = "1s"\n every = "200ms"\n}\n`,
    );
  gate(3);
  const planned = await nomad("plan", "-gates", "web.nomad.hcl");
  expect(planned.out).toContain("(3 in-place update)");
  expect(planned.code).toBe(0);
  const run = await nomad("run", "-gates", "web.nomad.hcl");
  expect(run.out).toContain("    Gates after batch 1: go: conditions, web: all are for it\n");
  gate(4);
  const refused = await nomad("run", "-gates", "web.nomad.hcl");
  expect(refused.out).toContain(
    "Gates after batch 1: stop: web: 3 of 3 instances of web are healthy; at least 4, and at most 0 that are not, are wanted\n",
  );
}, 60_000);

test("a gate that turns bad between two batches stops the deployment there", async () => {
  write(2, { update: "auto_revert = true" });
  writeGates('within = "0s"\n for = "400ms"');
  const version = await nextVersion();
  const running = nomad("run", "-gates", "web.nomad.hcl");
  await expect.poll(() => countOf(version), { timeout: 20_000, interval: 50 }).toBe(2);
  isWell = false;
  const run = await running;
  isWell = true;
  expect(run.code, run.out + run.err).toBe(1);
  expect(run.out).toMatch(/Gates after batch 2: stop: smoke: http:\S+\/health answered 500\n/);
  expect(run.out).toContain('Failed due to gate "smoke" after batch 2: ');
  expect(await countOf(version)).toBe(2);
  expect((await deployment()).Status).toBe("failed");
}, 60_000);

test("a gate that asks for it has the deployment taken back", async () => {
  write(3);
  writeGates('within = "0s"\n for = "400ms"\n otherwise = "back"');
  const version = await nextVersion();
  const running = nomad("run", "-gates", "web.nomad.hcl");
  await expect.poll(() => countOf(version), { timeout: 20_000, interval: 50 }).toBe(1);
  isWell = false;
  const run = await running;
  isWell = true;
  expect(run.code, run.out + run.err).toBe(1);
  expect(run.out).toContain(`==> Version ${version} goes back to what version 2 was\n`);
  expect(await countOf(version + 1)).toBe(3);
  expect(await deployment()).toMatchObject({ JobVersion: version + 1, Status: "successful" });
}, 60_000);

test("a server that was killed while a deployment waits goes on asking, and starts no batch ungated", async () => {
  write(5);
  writeGates('within = "5m"');
  isWell = false;
  const version = await nextVersion();
  expect((await nomad("run", "-gates", "-detach", "web.nomad.hcl")).code).toBe(0);
  await expect
    .poll(deployment, { timeout: 20_000 })
    .toMatchObject({ JobVersion: version, Gates: { Wait: { Gate: "smoke" } } });
  const running = join(folder, ".millwright", "server", "running.json");
  const { pid } = JSON.parse(readFileSync(running, "utf8")) as { pid: number };
  process.kill(pid, "SIGKILL");
  const before = asked;
  await expect.poll(() => asked, { timeout: 30_000 }).toBeGreaterThan(before + 2);
  await expect.poll(() => countOf(version), { timeout: 10_000 }).toBe(1);
  isWell = true;
  await expect.poll(deployment, { timeout: 20_000 }).toMatchObject({ JobVersion: version, Status: "successful" });
  expect(await countOf(version)).toBe(3);
}, 90_000);

test("what no server would ask is refused with what to do", async () => {
  write(6, { type: "batch" });
  const batch = await nomad("run", "-gates", "web.nomad.hcl");
  expect(batch.code).toBe(1);
  expect(batch.err).toContain("Gates of a job that has no deployments");
  write(6);
  writeFileSync(join(folder, "waves.hcl"), 'gate "command" "smoke" {\n  command = ["./smoke.sh"]\n}\n');
  const command = await nomad("run", "-gates", "web.nomad.hcl");
  expect(command.code).toBe(1);
  expect(command.err).toContain("-enable-gate-commands");
  writeFileSync(join(folder, "waves.hcl"), 'gate "htp" "a" {}\n');
  expect((await nomad("run", "-gates", "web.nomad.hcl")).err).toContain('Did you mean "http"?');
  expect((await nomad("run", "-gates=none.hcl", "web.nomad.hcl")).err).toContain("There is no file none.hcl");
}, 60_000);
