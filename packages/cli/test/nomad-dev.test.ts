import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runNomad } from "../src/nomad/main.ts";
import { type CommandOutcome, outcomeOf } from "./kv-io.ts";
import { Process } from "./process.ts";

/* What a user types from the first plan to the last stop, against a server and an agent of ours. */

let folder: string;
let dev: Process;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "nomad-dev-"));
  const ports = ["http", "dns", "vault", "nomad", "server"].map((name) => `-${name}-port=0`);
  const place = ["-region=apac", "-nomad-datacenter=asia-east1"];
  dev = Process.start(["dev", ...ports, ...place, "-log-level=warn"], {
    cwd: folder,
    env: { XDG_STATE_HOME: join(folder, "state") },
  });
  await dev.until(() => dev.out.includes("^C ends both."));
  expect(dev.out, dev.err).toContain("^C ends both.");
  env = { NOMAD_ADDR: /NOMAD_ADDR=(\S+)/.exec(dev.out)?.[1] ?? "" };
}, 40_000);

afterAll(async () => {
  dev.signal("SIGINT");
  await dev.ended;
  rmSync(folder, { recursive: true, force: true });
}, 40_000);

function nomad(...args: string[]): Promise<CommandOutcome> {
  return outcomeOf((io) => runNomad(args, io), { env, cwd: folder });
}

/** A job as it was written in 2016: the update for all of it, a port in the task's resources, a task without a group. */
function write({ script, count = 1 }: { readonly script: string; readonly count?: number }): void {
  writeFileSync(
    join(folder, "myapp.job"),
    `job "myapp" {
  region = "apac"
  datacenters = ["asia-east1", "asia-northeast1"]
  update {
    stagger = "1s"
    max_parallel = 1
    min_healthy_time = "1s"
    healthy_deadline = "5s"
    progress_deadline = "6s"
    health_check = "task_states"
    auto_revert = true
  }
  group "myapp" {
    count = ${count}
    restart {
      attempts = 0
      mode = "fail"
    }
    task "api" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args = ["-c", ${JSON.stringify(script)}]
      }
      resources {
        cpu = 20
        memory = 16
        network {
          mbits = 1
          port "api" {}
        }
      }
    }
  }
}
`,
  );
}

const ticking = "while true; do echo tick $NOMAD_PORT_api; sleep 1; done";

test("a job is planned, run, looked at, changed, goes back by itself, and is stopped", async () => {
  await expect.poll(async () => (await nomad("node", "status")).out, { timeout: 15_000 }).toContain(" ready");
  write({ script: ticking });
  const first = await nomad("plan", "myapp.job");
  expect(first, first.err).toMatchObject({ code: 1 });
  expect(first.out).toContain('+ Job: "myapp"\n+ Task Group: "myapp" (1 create)\n  + Task: "api" (forces create)\n');
  expect(first.out).toContain("- All tasks successfully allocated.\n");
  const line = /^nomad (job run -check-index 0 myapp\.job)$/m.exec(first.out)?.[1];
  expect((await nomad("status")).out).toBe("No running jobs\n");

  const run = await nomad(...line!.split(" "));
  expect(run, run.out).toMatchObject({ code: 0 });
  expect(run.out).toContain('Group "myapp": 1 of 1 healthy, 1 placed\n');
  expect(run.out).toContain("Deployment completed successfully\n");
  const again = await nomad("plan", "myapp.job");
  expect(again.code).toBe(0);
  const index = /^Job Modify Index: (\d+)$/m.exec(again.out)![1]!;

  const status = await nomad("status", "myapp");
  expect(status.out).toMatch(
    /^Task Group +Queued +Starting +Running +Failed +Complete +Lost +Unknown\nmyapp +0 +0 +1 /m,
  );
  const [, id = ""] = /^([0-9a-f]{8}) .* run +running /m.exec(status.out) ?? [];
  const allocation = await nomad("alloc-status", "--verbose", id);
  expect(allocation.out).toMatch(/^Client Status += running$/m);
  expect(allocation.out).toMatch(/^Evaluated Nodes += 1$/m);
  expect(allocation.out).toMatch(/^Allocation Time += \S+$/m);
  const [, port] = /api: \S+:(\d+)$/m.exec(allocation.out) ?? [];
  await expect.poll(async () => (await nomad("logs", "-n=1", id)).out).toBe(`tick ${port}\n`);
  expect((await nomad("fs", id, "alloc/logs")).out).toContain("api.stdout.0\n");

  write({ script: ticking, count: 2 });
  const stale = await nomad("run", "-check-index", "1", "myapp.job");
  expect(stale).toEqual({
    code: 1,
    out: "",
    err: `Enforcing job modify index 1: job exists with conflicting job modify index: ${index}\nJob not updated\n`,
  });
  const grown = await nomad("run", "-check-index", index, "myapp.job");
  expect(grown, grown.out).toMatchObject({ code: 0 });

  write({ script: "echo cannot; exit 3", count: 2 });
  const failed = await nomad("run", "myapp.job");
  expect(failed.code).toBe(1);
  expect(failed.out).toContain('Task "api": Terminated: Exit Code: 3');
  expect(failed.out).toContain("==> Version 2 goes back to what version 1 was\n");
  expect(failed.out).toMatch(/Job Version = 3\nStatus {6}= successful\n/);
  expect((await nomad("job", "history", "myapp")).out).toMatch(/^Version +=.* 3\n/);

  expect((await nomad("stop", "myapp")).code).toBe(0);
  await expect
    .poll(async () => (await nomad("status", "myapp")).out, { timeout: 10_000 })
    .not.toMatch(/ (running|pending) /);
  expect((await nomad("status")).out).toMatch(/^myapp .* dead \(stopped\) /m);
}, 60_000);

test("a job that fits nowhere says which dimension is short on how many nodes", async () => {
  const text =
    'job "big" { group "g" { task "t" { driver = "raw_exec" config { command = "true" } resources { memory = 99999999 } } } }';
  writeFileSync(join(folder, "big.job"), text);
  const { code, out } = await nomad("run", "big.job");
  expect(code).toBe(2);
  expect(out).toContain('* Dimension "memory" exhausted on 1 nodes\n');
});
