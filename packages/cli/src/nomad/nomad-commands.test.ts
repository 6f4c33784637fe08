import { describe, expect, test } from "vitest";
import type { Route, Routes } from "../../test/fake-nomad.ts";
import { expectGolden } from "../../test/golden.ts";
import type { CommandSetting } from "../../test/kv-io.ts";
import { cluster } from "../../test/nomad-cluster.ts";
import * as records from "../../test/nomad-records.ts";
import { type NomadOutcome, runAgainst, sent } from "../../test/run-nomad.ts";

const { ids } = records;

function nomad(args: readonly string[], routes: Routes = cluster, setting: CommandSetting = {}): Promise<NomadOutcome> {
  return runAgainst(routes, args, setting);
}

describe("what is printed is what nomad prints", () => {
  const cases: readonly { readonly golden: string; readonly args: readonly string[] }[] = [
    { golden: "job-status", args: ["job", "status"] },
    { golden: "status-myapp", args: ["status", "myapp"] },
    { golden: "status-myapp-verbose", args: ["status", "--verbose", "myapp"] },
    { golden: "status-without-room", args: ["job", "status", "-evals", "myapp-big"] },
    { golden: "status-periodic", args: ["status", "report"] },
    { golden: "job-status-short", args: ["job", "status", "-short", "myapp"] },
    { golden: "job-history", args: ["job", "history", "-p", "myapp"] },
    { golden: "job-allocs", args: ["job", "allocs", "myapp"] },
    { golden: "job-deployments", args: ["job", "deployments", "myapp"] },
    { golden: "alloc-status", args: ["alloc", "status", "-stats", "0af9"] },
    { golden: "alloc-status-verbose", args: ["alloc-status", "--verbose", ids.allocation] },
    { golden: "alloc-status-short", args: ["alloc", "status", "-short", "0af9"] },
    { golden: "node-status", args: ["node", "status"] },
    { golden: "node-status-verbose-list", args: ["node", "status", "-verbose", "-allocs"] },
    { golden: "node-status-one", args: ["node-status", "43c0"] },
    { golden: "node-status-verbose", args: ["node", "status", "-verbose", "43c0"] },
    { golden: "eval-list", args: ["eval", "list"] },
    { golden: "eval-status", args: ["eval-status", "5744"] },
    { golden: "deployment-list", args: ["deployment", "list"] },
    { golden: "deployment-status", args: ["deployment", "status", "5f9b"] },
    { golden: "server-members", args: ["server", "members"] },
  ];
  test.each(cases)("$golden", async ({ golden, args }) => {
    const { code, out, err } = await nomad(args);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expectGolden(`nomad/${golden}.txt`, out);
  });

  test("in at most 80 columns, where ids are short", async () => {
    for (const { args } of cases.filter(({ golden }) => !golden.includes("verbose") && golden !== "deployment-list")) {
      const { out } = await nomad(args);
      expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
    }
  });
});

describe("an id", () => {
  const cases: readonly { readonly name: string; readonly args: readonly string[]; readonly err: string | RegExp }[] = [
    {
      name: "of no job is refused",
      args: ["job", "status", "nope"],
      err: 'No job(s) with prefix or ID "nope" found\n',
    },
    {
      name: "that begins those of several jobs is refused with all of them",
      args: ["job", "stop", "mya"],
      err: /^Prefix matched multiple jobs\n\nID +Type +Status +Namespace\nmyapp +service.*\nmyapp-big +service.*\n$/,
    },
    {
      name: "that begins those of several allocations is refused with all of them",
      args: ["alloc", "status", "0"],
      err: /is no id of an allocation: .* at least its first two\.\n$/,
    },
    {
      name: "of no allocation is refused",
      args: ["alloc", "status", "ffff"],
      err: 'No allocation(s) with prefix or id "ffff" found\n',
    },
    { name: "of nothing at all is refused", args: ["status", "nope"], err: 'Unable to resolve ID: "nope"\n' },
  ];
  test.each(cases)("$name", async ({ args, err }) => {
    const outcome = await nomad(args);
    expect(outcome).toMatchObject({ code: 1, out: "" });
    if (typeof err === "string") expect(outcome.err).toBe(err);
    else expect(outcome.err).toMatch(err);
  });

  test("of a node, alone, shows that node", async () => {
    expect((await nomad(["status", "43c0"])).out).toMatch(/^ID +=.*\nName +=.* node-1\n/);
  });

  test("that is a job's own is taken, also where others begin with it", async () => {
    expect((await nomad(["job", "status", "-short", "myapp"])).out).toMatch(/^ID +=.* myapp\n/);
  });
});

describe("for programs", () => {
  test("the server's answer is printed as it came", async () => {
    const { out } = await nomad(["job", "status", "-json"]);
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify([...records.jobStubs, ...records.reports])));
  });

  test("a Go template prints what is wanted of it", async () => {
    const { out } = await nomad([
      "node",
      "status",
      "-t",
      "{{range .}}{{.Name}} {{.Status | toUpper}} {{len .Drivers}}{{end}}",
    ]);
    expect(out).toBe("node-1 READY 2\n");
  });

  test("a template with a fault is refused", async () => {
    const { code, err } = await nomad(["node", "status", "-t", "{{range}"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^Error parsing the template: template: format:1: /);
  });

  test("JSON and a template are not printed at once", async () => {
    const { code, err } = await nomad(["job", "status", "-json", "-t={{.}}"]);
    expect({ code, err }).toEqual({ code: 1, err: "Both json and template formatting are not allowed\n" });
  });
});

describe("a server's refusal", () => {
  const refusing = (status: number, text: string): Route => ({ plain: { status, text } });

  test("is told with what to do about the token", async () => {
    const { code, err } = await nomad(["node", "status"], { "GET /v1/nodes": refusing(403, "Permission denied") });
    expect(code).toBe(1);
    expect(err).toBe(
      "Error querying node status: Unexpected response code: 403 (Permission denied)\nCheck the token (NOMAD_TOKEN, -token) and what its policies allow.\n",
    );
  });

  test("of a node that cannot be asked leaves out what only it knows", async () => {
    const stats = `GET /v1/client/allocation/${ids.allocation}/stats`;
    const { code, out, err } = await nomad(["alloc", "status", "0af9"], {
      ...cluster,
      [stats]: refusing(404, "Unknown node"),
    });
    expect(code).toBe(0);
    expect(out).toContain("500 MHz  256 MiB  300 MiB  api: 10.0.0.5:21234\n");
    expect(err).toMatch(/^Without what the tasks use: .*Unknown node/);
  });

  test("to connect says where and what to check", async () => {
    const { code, err } = await nomad(["node", "status", "-address=http://127.0.0.1:1"]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^Error querying node status: Cannot reach http:\/\/127\.0\.0\.1:1: connection refused\. Check/,
    );
  });
});

test("region, namespace and token of the line win over those of the environment", async () => {
  const env = { NOMAD_REGION: "eu", NOMAD_NAMESPACE: "a", NOMAD_TOKEN: "t1" };
  const { seen } = await nomad(["node", "status", "-region=apac", "-namespace=b", "-token=t2"], cluster, { env });
  const [request] = seen;
  expect(Object.fromEntries(request!.query)).toMatchObject({ region: "apac", namespace: "b" });
  expect(request!.headers["x-nomad-token"]).toBe("t2");
});

describe("a command that changes something", () => {
  const update = { json: { EvalID: "", NodeModifyIndex: 3 } };
  const cases: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly route: string;
    readonly reply?: Route;
    readonly body?: unknown;
    readonly out?: string;
  }[] = [
    {
      name: "stops a job",
      args: ["stop", "-detach", "myapp"],
      route: "DELETE /v1/job/myapp",
      reply: { json: { EvalID: ids.evaluation } },
      out: `${ids.evaluation}\n`,
    },
    {
      name: "goes back to a version",
      args: ["job", "revert", "-detach", "myapp", "0"],
      route: "PUT /v1/job/myapp/revert",
      reply: { json: { EvalID: ids.evaluation } },
      body: { JobID: "myapp", JobVersion: 0, EnforcePriorVersion: null },
      out: `Evaluation ID: ${ids.evaluation}\n`,
    },
    {
      name: "scales a job's only group without its name",
      args: ["job", "scale", "-detach", "myapp", "3"],
      route: "PUT /v1/job/myapp/scale",
      reply: update,
      body: { Count: 3, Target: { Job: "myapp", Group: "myapp" }, Message: "" },
      out: "",
    },
    {
      name: "has a job looked at again",
      args: ["job", "eval", "-force-reschedule", "myapp"],
      route: "PUT /v1/job/myapp/evaluate",
      reply: update,
      body: { JobID: "myapp", EvalOptions: { ForceReschedule: true } },
    },
    {
      name: "promotes a job's latest deployment",
      args: ["job", "promote", "myapp"],
      route: `PUT /v1/deployment/promote/${ids.deployment}`,
      reply: update,
      body: { DeploymentID: ids.deployment, All: true, Groups: [] },
    },
    {
      name: "dispatches a job with a payload from standard input",
      args: ["job", "dispatch", "-meta=day=monday", "-detach", "myapp", "-"],
      route: "PUT /v1/job/myapp/dispatch",
      reply: { json: { DispatchedJobID: "myapp/dispatch-1", EvalID: ids.evaluation } },
      body: { JobID: "myapp", Payload: Buffer.from("in").toString("base64"), Meta: { day: "monday" } },
      out: `Dispatched Job ID = myapp/dispatch-1\nEvaluation ID     = ${ids.evaluation}\n`,
    },
    {
      name: "stops an allocation",
      args: ["alloc", "stop", "-detach", "0af9"],
      route: `PUT /v1/allocation/${ids.allocation}/stop`,
      reply: { json: { EvalID: ids.evaluation } },
      out: `${ids.evaluation}\n`,
    },
    {
      name: "restarts one task",
      args: ["alloc", "restart", "0af9", "web"],
      route: `PUT /v1/client/allocation/${ids.allocation}/restart`,
      reply: update,
      body: { TaskName: "web", AllTasks: false },
    },
    {
      name: "sends a signal to all tasks",
      args: ["alloc", "signal", "-s", "SIGHUP", "0af9"],
      route: `PUT /v1/client/allocation/${ids.allocation}/signal`,
      reply: update,
      body: { Task: "", Signal: "SIGHUP" },
    },
    {
      name: "gives a node no more work",
      args: ["node", "eligibility", "-disable", "43c0"],
      route: `PUT /v1/node/${ids.node}/eligibility`,
      reply: update,
      body: { NodeID: ids.node, Eligibility: "ineligible" },
      out: `Node "${ids.node}" scheduling eligibility set: ineligible for scheduling\n`,
    },
    {
      name: "drains a node until a deadline",
      args: ["node", "drain", "-enable", "-deadline=10m", "-detach", "43c0"],
      route: `PUT /v1/node/${ids.node}/drain`,
      reply: update,
      body: { NodeID: ids.node, DrainSpec: { Deadline: 600_000_000_000, IgnoreSystemJobs: false } },
      out: `Node "${ids.node}" drain strategy set\n`,
    },
    {
      name: "ends a drain",
      args: ["node-drain", "-disable", "-keep-ineligible", "43c0"],
      route: `PUT /v1/node/${ids.node}/drain`,
      reply: update,
      body: { NodeID: ids.node, DrainSpec: null, MarkEligible: false },
    },
    {
      name: "gives a deployment up",
      args: ["deployment", "fail", "-detach", "5f9b"],
      route: `PUT /v1/deployment/fail/${ids.deployment}`,
      reply: { json: { EvalID: ids.evaluation, RevertedJobVersion: 0 } },
      out: `Deployment "5f9b8d9c" failed\nJob goes back to version 0\nEvaluation ID: ${ids.evaluation}\n`,
    },
    {
      name: "pauses a deployment",
      args: ["deployment", "pause", "5f9b"],
      route: `PUT /v1/deployment/pause/${ids.deployment}`,
      reply: update,
      body: { DeploymentID: ids.deployment, Pause: true },
      out: 'Deployment "5f9b8d9c" paused\n',
    },
    { name: "has what has ended forgotten", args: ["system", "gc"], route: "PUT /v1/system/gc", reply: { json: null } },
  ];
  test.each(cases)("$name", async ({ args, route, reply = update, body, out }) => {
    const outcome = await nomad(args, { ...cluster, [route]: reply }, { stdin: "in" });
    expect(outcome).toMatchObject({ code: 0, err: "" });
    if (out !== undefined) expect(outcome.out).toBe(out);
    const made = sent(outcome, route);
    if (body !== undefined) expect(made.body).toEqual(body);
  });

  const refused: readonly { readonly args: readonly string[]; readonly err: RegExp }[] = [
    { args: ["job", "revert", "myapp", "last"], err: /^The version has to be a whole number, and is "last"\n$/ },
    { args: ["job", "revert", "myapp"], err: /^This command takes two arguments, and was given 1\nUsage: nomad job/ },
    {
      args: ["alloc", "restart", "0af9", "wbe"],
      err: /^Could not find task named: wbe, found:\n {2}\* api\n {2}\* web\n/,
    },
    { args: ["node", "eligibility", "43c0"], err: /^Either the '-enable' or '-disable' flag must be set\n$/ },
    { args: ["node", "drain", "-enable", "-force", "-no-deadline", "43c0"], err: /^Only one of -force/ },
    { args: ["job", "dispatch", "-meta=day", "myapp"], err: /^-meta=day names no value/ },
    { args: ["job", "stop", "myapp-b"], err: /^\nNobody answered: give the whole id, or -yes\.\n$/ },
  ];
  test.each(refused)("is refused: $args", async ({ args, err }) => {
    const outcome = await nomad(args);
    expect(outcome.code).toBe(1);
    expect(outcome.err).toMatch(err);
    expect(outcome.seen.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  test("is asked about where only the beginning of a job's id is given", async () => {
    const routes = { ...cluster, "DELETE /v1/job/myapp-big": { json: { EvalID: "" } } };
    const { code, out } = await nomad(["stop", "myapp-b"], routes, { stdin: "y\n" });
    expect({ code, out }).toEqual({ code: 0, out: 'Are you sure you want to stop job "myapp-big"? [y/N] ' });
  });
});
