import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeNomad } from "../test/fake-nomad.ts";
import type { CommandOutcome } from "../test/kv-io.ts";
import { cluster } from "../test/nomad-cluster.ts";
import { Process } from "../test/process.ts";
import { runAgainst } from "../test/run-nomad.ts";

/* Beside a Nomad on the PATH that is not ours: its command line prints what ours does, and works with our server. */

const version = spawnSync("nomad", ["version"], { encoding: "utf8" });
const isReal = version.status === 0 && !version.stdout.includes("Millwright");

function real(args: readonly string[], address: string, cwd = tmpdir()): Promise<CommandOutcome> {
  const env = { ...process.env, NOMAD_ADDR: address, TZ: "UTC" };
  return new Promise((resolve) => {
    execFile("nomad", args, { env, cwd, timeout: 60_000 }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });
}

describe.runIf(isReal)("a real nomad prints the same of the same answers", () => {
  // Not of those in which the time of day or a documented difference shows.
  const lines = [
    "job status",
    "job status -short myapp",
    "job status -verbose myapp",
    "job history -p myapp",
    "job deployments myapp",
    "eval status -verbose 5744",
    "deployment list",
    "deployment status -verbose 5f9b",
    "node status",
    "node status -allocs",
    "node status -verbose",
    "alloc status -verbose 0af9",
    "alloc status -stats -verbose 0af9",
    "job allocs -verbose myapp",
    "job status nope",
    "job stop nope",
    "alloc status ffff",
    "node status ffff",
    "job inspect -t {{.Status}} myapp",
    "node status -t {{range.}}{{.Name}}{{end}}",
  ];
  test.each(lines)("%s", async (line) => {
    const ours = await runAgainst(cluster, line.split(" "));
    const server = await fakeNomad(cluster);
    const theirs = await real(line.split(" "), server.address).finally(server.close);
    expect(printed(ours)).toEqual(printed(theirs));
  });
});

/** Without spaces at the ends of lines, and without our advice. */
function printed({ code, out, err }: CommandOutcome) {
  const text = (out + err)
    .replaceAll(/ +$/gm, "")
    .replaceAll(/^ +Ask for less .*\n/gm, "")
    .trimEnd();
  return { code, text };
}

describe.runIf(isReal)("a real nomad works with our server", () => {
  let folder: string;
  let dev: Process;
  let address: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "nomad-conformance-"));
    const ports = ["http", "dns", "vault", "nomad", "server"].map((name) => `-${name}-port=0`);
    dev = Process.start(["dev", ...ports, "-log-level=warn"], {
      cwd: folder,
      env: { XDG_STATE_HOME: join(folder, "state") },
    });
    await dev.until(() => dev.out.includes("^C ends both."));
    address = /NOMAD_ADDR=(\S+)/.exec(dev.out)?.[1] ?? "";
    expect(address, dev.err).not.toBe("");
    writeFileSync(join(folder, "web.nomad"), job);
  });
  afterAll(async () => {
    dev.signal("SIGINT");
    await dev.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  test("from the plan of a job to its end", async () => {
    const nomad = (line: string) => real(line.split(" "), address, folder);
    await expect.poll(async () => (await nomad("node status")).out, { timeout: 20_000 }).toContain(" ready");
    expect((await nomad("plan web.nomad")).out).toMatch(/Task Group: "app" \(1 create\)[^]*successfully allocated/);
    const run = await nomad("run -check-index 0 web.nomad");
    expect(run, run.out).toMatchObject({ code: 0 });
    expect(run.out).toMatch(/Deployment completed successfully/);
    expect((await nomad("plan web.nomad")).code).toBe(0);
    const stale = await nomad("run -check-index 1 web.nomad");
    expect(`${stale.out}${stale.err}`).toMatch(/conflicting job modify index: \d+\nJob not updated/);
    const status = await nomad("status web");
    const [, id = ""] = /^([0-9a-f]{8}) .* run +running /m.exec(status.out) ?? [];
    for (const [line, want] of [
      [
        `alloc status -verbose ${id}`,
        /Client Status += running[^]*Deployment Health += healthy[^]*Task "server" is "running"/,
      ],
      [`alloc status -stats ${id}`, /\d+\/20 MHz/],
      [`alloc logs ${id}`, /^tick\n/],
      [`alloc fs ${id} alloc/logs`, /server\.stdout\.0/],
      ["job history web", /^Version += 0\n/],
      ["job deployments web", /successful/],
      ["eval list", /job-register/],
      ["deployment list", /web +0 +successful/],
      ["node status -verbose -self", /Eligibility += eligible|not running in client mode/],
      ["server members", /alive +true/],
      ["job inspect web", /"ID": "web"/],
      ["job validate web.nomad", /Job validation successful/],
      [`alloc restart ${id}`, /^$/],
      ["job scale -detach web app 2", /Evaluation ID: /],
      ["job revert -detach web 0", /Evaluation ID: /],
      ["job stop web", /finished with status "complete"/],
      ["system gc", /^$/],
    ] as const) {
      const said = await nomad(line);
      expect(`${said.out}${said.err}`, line).toMatch(want);
    }
  });

  test("a job that has gates, of which it knows nothing", async () => {
    const nomad = (line: string) => real(line.split(" "), address, folder);
    const { out } = await nomad("run -output web.nomad");
    const { Job } = JSON.parse(out) as { Job: Record<string, unknown> };
    const Gates = { Gates: [{ Name: "own", Kind: "conditions" }] };
    const body = JSON.stringify({ Job: { ...Job, ID: "gated", Name: "gated", Gates } });
    const answer = (await (await fetch(`${address}/v1/jobs`, { method: "PUT", body })).json()) as { EvalID: string };
    expect((await nomad(`eval status -monitor ${answer.EvalID}`)).code).toBe(0);
    const deployment = async () => (await nomad("job deployments -latest gated")).out;
    await expect.poll(deployment, { timeout: 20_000 }).toMatch(/Status += successful/);
    const [, id = ""] = /^ID += (\w+)$/m.exec(await deployment()) ?? [];
    for (const [line, want] of [
      [`deployment status ${id}`, /app +1 +1 +1 +0/],
      [`deployment status -json ${id}`, /"Status": "successful"/],
      ["job inspect gated", /"ID": "gated"/],
      ["job history -p gated", /^Version += 0\n/],
      ["job stop gated", /finished with status "complete"/],
    ] as const) {
      const said = await nomad(line);
      expect(`${said.out}${said.err}`, line).toMatch(want);
    }
  });
});

const job = `job "web" {
  datacenters = ["dc1"]
  update {
    stagger          = "1s"
    min_healthy_time = "1s"
    health_check     = "task_states"
  }
  group "app" {
    task "server" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "while true; do echo tick; sleep 1; done"]
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
`;
