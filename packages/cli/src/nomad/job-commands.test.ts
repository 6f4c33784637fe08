import { describe, expect, test } from "vitest";
import type { Route, Routes } from "../../test/fake-nomad.ts";
import { expectGolden } from "../../test/golden.ts";
import type { CommandSetting } from "../../test/kv-io.ts";
import * as records from "../../test/nomad-records.ts";
import { type NomadOutcome, runAgainst, sent } from "../../test/run-nomad.ts";

/* Commands that read job files, and that tell how a change goes. */

const { ids } = records;
const files = new URL("../../testdata/nomad/files/", import.meta.url).pathname;

function nomad(args: readonly string[], routes: Routes, setting: CommandSetting = {}): Promise<NomadOutcome> {
  return runAgainst(routes, args, { cwd: files, ...setting });
}

/** What was sent to a route. */
function bodyOf(outcome: NomadOutcome, route: string): Record<string, unknown> {
  return sent(outcome, route).body as Record<string, unknown>;
}

const registered: Route = { json: { EvalID: ids.evaluation, JobModifyIndex: 31, Warnings: "" } };

const nothing = { Fields: null, Objects: null };
const updates = { Ignore: 0, Place: 2, Migrate: 0, Stop: 0, InPlaceUpdate: 0, DestructiveUpdate: 0, Canary: 0 };
const created = {
  Annotations: { DesiredTGUpdates: { app: updates } },
  Diff: {
    Type: "Added",
    ID: "plain",
    ...nothing,
    TaskGroups: [
      {
        Type: "Added",
        Name: "app",
        ...nothing,
        Updates: { create: 2 },
        Tasks: [{ Type: "Added", Name: "server", ...nothing, Annotations: ["forces create"] }],
      },
    ],
  },
  FailedTGAllocs: null,
  JobModifyIndex: 0,
  Warnings: "",
};
const unchanged = {
  ...created,
  Annotations: { DesiredTGUpdates: { app: { ...updates, Place: 0, Ignore: 2 } } },
  Diff: { Type: "None", ID: "plain", ...nothing, TaskGroups: null },
  JobModifyIndex: 31,
};

describe("a plan", () => {
  const plan = (json: unknown): Routes => ({ "PUT /v1/job/plain/plan": { json } });

  test("shows the change, the dry run, and the line that runs just this", async () => {
    const { code, out, err } = await nomad(["plan", "plain.nomad"], plan(created));
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expectGolden("nomad/plan-created.txt", out);
  });

  test("of what is so already ends with 0", async () => {
    const { code, out } = await nomad(["job", "plan", "plain.nomad"], plan(unchanged));
    expect(code).toBe(0);
    expect(out).toContain("\nnomad job run -check-index 31 plain.nomad\n");
  });

  test("of what finds no room says which dimension is short on how many nodes, and warnings", async () => {
    const json = { ...created, FailedTGAllocs: { app: records.exhausted }, Warnings: "1 warning:\n\n* mbits is old\n" };
    const { code, out } = await nomad(["plan", "plain.nomad"], plan(json));
    expect(code).toBe(1);
    expectGolden("nomad/plan-without-room.txt", out);
  });

  test("without its diff shows the rest", async () => {
    const outcome = await nomad(["plan", "-diff=false", "plain.nomad"], plan(created));
    expect(outcome.out).toMatch(/^Scheduler dry-run:\n- All tasks successfully allocated\.\n/);
    expect(bodyOf(outcome, "PUT /v1/job/plain/plan")).toMatchObject({ Diff: false });
  });

  test("names the values of variables in the line to use next", async () => {
    const routes = { "PUT /v1/job/web/plan": { json: unchanged } };
    const { out } = await nomad(["plan", "-var", "version=it's 2", "-var-file=web.vars", "web.nomad"], routes);
    expect(out).toContain(`\nnomad job run -check-index 31 -var='version=it'\\''s 2' -var-file=web.vars web.nomad\n`);
  });

  test("in a terminal has colours", async () => {
    const { out } = await nomad(["plan", "-force-color", "plain.nomad"], plan(created));
    expect(out).toContain('\u001b[32m+\u001b[39m \u001b[1mJob: "plain"\u001b[22m');
  });

  test("that the server refuses ends with 255", async () => {
    const routes = { "PUT /v1/job/plain/plan": { plain: { status: 500, text: "no path to region" } } };
    const { code, err } = await nomad(["plan", "plain.nomad"], routes);
    expect({ code, err }).toEqual({
      code: 255,
      err: 'Error during plan: Unexpected response code: 500 (no path to region)\nThe job, -region or NOMAD_REGION names another region than the server\'s: see "server members".\n',
    });
  });
});

describe("a job file", () => {
  test("goes to the region that it names", async () => {
    const routes = { "PUT /v1/job/web/plan": { json: unchanged } };
    const { seen } = await nomad(["plan", "-var=version=1", "web.nomad"], routes);
    expect(seen[0]!.query.get("region")).toBe("apac");
  });

  test("that names no region leaves it to the server", async () => {
    const outcome = await nomad(["run", "-detach", "plain.nomad"], { "PUT /v1/jobs": registered });
    const { Job } = bodyOf(outcome, "PUT /v1/jobs");
    expect(Job).toMatchObject({ ID: "plain", Priority: 50 });
    expect(Job).not.toHaveProperty("Region");
    expect(Job).not.toHaveProperty("Namespace");
  });

  test("is read from standard input", async () => {
    const stdin = 'job "piped" { group "g" { task "t" { driver = "raw_exec" } } }';
    const routes = { "PUT /v1/validate/job": { json: {} } };
    expect((await nomad(["validate", "-"], routes, { stdin })).out).toBe("Job validation successful\n");
  });

  const values: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly want: readonly [count: number, version: string];
  }[] = [
    {
      name: "by the environment",
      args: [],
      env: { NOMAD_VAR_version: "env", NOMAD_VAR_other: "of another file" },
      want: [1, "env"],
    },
    {
      name: "by a file before the environment",
      args: ["-var-file=web.vars"],
      env: { NOMAD_VAR_count: "9" },
      want: [2, "from the file"],
    },
    { name: "by the line, the last one", args: ["-var-file=web.vars", "-var=version=3"], want: [2, "3"] },
    {
      name: "by a file that comes last",
      args: ["-var=version=3", "-var-file", "web.vars"],
      want: [2, "from the file"],
    },
  ];
  test.each(values)("gets its variables' values $name", async ({ args, env = {}, want }) => {
    const line = ["run", "-detach", ...args, "web.nomad"];
    const outcome = await nomad(line, { "PUT /v1/jobs": registered }, { env });
    expect(outcome).toMatchObject({ code: 0, err: "" });
    const { TaskGroups } = bodyOf(outcome, "PUT /v1/jobs").Job as {
      TaskGroups: { Count: number; Tasks: { Config: unknown }[] }[];
    };
    expect([TaskGroups[0]!.Count, TaskGroups[0]!.Tasks[0]!.Config]).toEqual([
      want[0],
      { command: "server", args: [want[1]] },
    ]);
  });

  const faults: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly err: readonly string[];
  }[] = [
    {
      name: "that is not there",
      args: ["none.nomad"],
      err: ["Error: Job file not read", "none.nomad cannot be read: ENOENT: no such file or directory."],
    },
    { name: "that breaks off", args: ["broken.nomad"], err: ["  on broken.nomad line 3", "   3:     count = "] },
    {
      name: "that is against the rules",
      args: ["invalid.nomad"],
      err: ["Job priority must be between [1, 100]", "  on invalid.nomad line 1"],
    },
    {
      name: "without a variable's value",
      args: ["web.nomad"],
      err: ['The variable "version" has no default', "NOMAD_VAR_version"],
    },
    { name: "with a value for no variable", args: ["-var=versoin=1", "web.nomad"], err: ['Did you mean "version"?'] },
    { name: "with a value without a name", args: ["-var=x", "web.nomad"], err: ["Write -var='name=value'."] },
    {
      name: "with a missing variables file",
      args: ["-var-file=no.vars", "web.nomad"],
      err: ["no.vars cannot be read"],
    },
  ];
  test.each(faults)("$name is told before anything is sent", async ({ args, err }) => {
    for (const [command, code] of [
      ["plan", 255],
      ["run", 1],
      ["validate", 1],
    ] as const) {
      const outcome = await nomad([command, ...args], {});
      expect(outcome).toMatchObject({ code, out: "" });
      for (const text of err)
        expect(outcome.err.replaceAll(/\n│ /g, " ").replaceAll(/ {2,}/g, " ")).toContain(
          text.replaceAll(/ {2,}/g, " "),
        );
      expect(outcome.seen).toEqual([]);
    }
  });

  test("in HCL 1 is read, with a warning", async () => {
    const outcome = await nomad(["validate", "-hcl1", "old.nomad"], { "PUT /v1/validate/job": { json: {} } });
    expect(outcome).toMatchObject({ code: 0, out: "Job validation successful\n" });
    expect(outcome.err).toContain("Warning: File in HCL 1");
    const { Job } = bodyOf(outcome, "PUT /v1/validate/job");
    expect(Job).toMatchObject({ TaskGroups: [{ Name: "server", Tasks: [{ Meta: { "app.owner": "me" } }] }] });
  });

  test("is checked without a server, which is said", async () => {
    const { code, out, err } = await nomad(["validate", "-address=http://127.0.0.1:1", "plain.nomad"], {});
    expect({ code, out }).toEqual({ code: 0, out: "Job validation successful\n" });
    expect(err).toBe("Checked by this program alone: no server can be reached at http://127.0.0.1:1.\n");
  });

  test("that the server finds fault with does not pass", async () => {
    const json = { ValidationErrors: ["unknown driver"], Error: "1 error", Warnings: "" };
    const { code, out } = await nomad(["validate", "plain.nomad"], { "PUT /v1/validate/job": { json } });
    expect({ code, out }).toEqual({ code: 1, out: "Job validation errors:\n  * unknown driver\n" });
  });

  test("can be printed as JSON that runs again", async () => {
    const { out } = await nomad(["run", "-output", "plain.nomad"], {});
    expect(JSON.parse(out).Job).toMatchObject({ ID: "plain" });
    const routes = { "PUT /v1/jobs": registered };
    const again = await nomad(["run", "-detach", "-"], routes, { stdin: out });
    expect(again.code).toBe(0);
    expect(bodyOf(again, "PUT /v1/jobs").Job).toMatchObject({ ID: "plain" });
  });
});

const evaluationRoute = `GET /v1/evaluation/${ids.evaluation}`;
const deploymentRoute = `GET /v1/deployment/${ids.deployment}`;
const allocations = { [`${evaluationRoute}/allocations`]: { json: [{ ...records.allocation, ModifyIndex: 33 }] } };
const running: Routes = { "PUT /v1/jobs": registered, [evaluationRoute]: { json: records.evaluation }, ...allocations };

describe("running a job", () => {
  test("with gates that the server takes no notice of says so", async () => {
    const routes = { "PUT /v1/jobs": registered, "GET /v1/job/plain": { json: { ID: "plain" } } };
    const outcome = await nomad(["run", "-gates=gates.hcl", "plain.nomad"], routes);
    expect(bodyOf(outcome, "PUT /v1/jobs").Job).toMatchObject({ Gates: { Gates: [{ Name: "own" }] } });
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain("its deployment goes on without asking any");
  });

  test("tells how its evaluation and its deployment go", async () => {
    const pending = { ...records.evaluation, Status: "pending", DeploymentID: "" };
    const { code, out } = await nomad(["run", "plain.nomad"], {
      ...running,
      [evaluationRoute]: { inTurn: [{ json: pending }, { json: records.evaluation }] },
      [deploymentRoute]: {
        inTurn: [
          { json: records.deploymentAt("running", { placed: 1, healthy: 0 }) },
          { json: records.deploymentAt("running", { placed: 1, healthy: 0 }) },
          { json: records.deploymentAt("running", { placed: 2, healthy: 1 }) },
          { json: records.deployment },
        ],
      },
    });
    expect(code).toBe(0);
    expectGolden("nomad/run.txt", out);
  });

  test("at an index that the job has left changes nothing, and says where it is", async () => {
    const text = "Enforcing job modify index 3: job exists with conflicting job modify index: 31";
    const routes = { "PUT /v1/jobs": { plain: { status: 500, text } } };
    const outcome = await nomad(["run", "-check-index", "3", "plain.nomad"], routes);
    expect(outcome).toMatchObject({ code: 1, out: "", err: `${text}\nJob not updated\n` });
    expect(bodyOf(outcome, "PUT /v1/jobs")).toMatchObject({ EnforceIndex: true, JobModifyIndex: 3 });
  });

  test("detached prints the evaluation's id", async () => {
    const outcome = await nomad(["run", "-detach", "-check-index=0", "-preserve-counts", "plain.nomad"], running);
    const out = `Job registration successful\nEvaluation ID: ${ids.evaluation}\n`;
    expect(outcome).toMatchObject({ code: 0, out });
    expect(bodyOf(outcome, "PUT /v1/jobs")).toMatchObject({
      EnforceIndex: true,
      JobModifyIndex: 0,
      PreserveCounts: true,
    });
  });

  test("that finds no room ends with 2, and says why", async () => {
    const { code, out } = await nomad(["run", "plain.nomad"], {
      ...running,
      [evaluationRoute]: { json: records.failedEvaluation },
      [`${evaluationRoute}/allocations`]: { json: [] },
    });
    expect(code).toBe(2);
    expectGolden("nomad/run-without-room.txt", out);
  });

  test("whose deployment fails says why, what it goes back to and how that went, and ends with 1", async () => {
    const failed = {
      ...records.deploymentAt("failed", { placed: 1, healthy: 0, unhealthy: 1 }),
      StatusDescription: "Failed due to unhealthy allocations - rolling back to job version 0",
    };
    const back = { ...records.deployment, ID: "6f9b8d9c-2b5a-4b8f-9d44-52f8ac3f6a13", JobVersion: 2 };
    const unhealthy = { ...records.allocation, DeploymentStatus: { Healthy: false } };
    const { code, out } = await nomad(["run", "plain.nomad"], {
      ...running,
      [deploymentRoute]: { json: failed },
      [`GET /v1/deployment/allocations/${ids.deployment}`]: { json: [unhealthy] },
      "GET /v1/job/myapp/deployment": { inTurn: [{ json: failed }, { json: back }] },
      [`GET /v1/deployment/${back.ID}`]: { json: back },
    });
    expect(code).toBe(1);
    expectGolden("nomad/run-failed.txt", out);
  });

  test("with canaries stops where somebody has to decide, and says how", async () => {
    const { myapp: group } = records.deployment.TaskGroups;
    const groups = { myapp: { ...group, DesiredCanaries: 1, HealthyAllocs: 1, PlacedAllocs: 1, Promoted: false } };
    const waiting = { ...records.deployment, Status: "running", TaskGroups: groups };
    const { code, out } = await nomad(["run", "plain.nomad"], { ...running, [deploymentRoute]: { json: waiting } });
    expect(code).toBe(0);
    expect(out).toContain('Group "myapp": 1 of 1 canaries healthy, 1 placed\n');
    expect(out).toContain("      nomad deployment promote 5f9b8d9c ");
  });

  test("goes on when the command is interrupted", async () => {
    const interrupt = new AbortController();
    const { code, out } = await nomad(
      ["run", "plain.nomad"],
      { ...running, [deploymentRoute]: { json: records.deploymentAt("running", { placed: 1, healthy: 0 }) } },
      { signal: interrupt.signal, onOutput: (text) => text.includes("0 of 2") && interrupt.abort("SIGINT") },
    );
    expect(code).toBe(130);
    expect(out).toMatch(/\n\nDetached: the job goes on without this command\.\n$/);
  });

  test("that is periodic has nothing to place now", async () => {
    const routes = { "PUT /v1/jobs": { json: { EvalID: "" } } };
    expect(await nomad(["run", "plain.nomad"], routes)).toMatchObject({
      code: 0,
      out: "Job registration successful\n",
    });
  });
});
