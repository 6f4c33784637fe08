import { toApi } from "@millwright/jobs/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, openApi, type TestApi } from "../../test/api.ts";
import { jobOf, until } from "../../test/cluster.ts";

const node = "5f0c4f3e-0000-4000-8000-000000000001";
let api: TestApi;
beforeEach(async () => {
  api = await openApi();
  await api.cluster.join(node);
  await until(api.cluster, () => api.cluster.context.projection.state.row("nodestate", node)?.status === "ready");
});
afterEach(() => api.close());

const group = { ephemeralDisk: { size: 300 }, update: { stagger: 1_000_000, minHealthyTime: 0 } };
const app = (count = 1, rest = {}) => toApi(jobOf({ ...group, count }, rest));

async function settled(status = "successful"): Promise<void> {
  const { state } = api.cluster.context.projection;
  await until(api.cluster, () => [...state.rows("deployment")].some(({ deployment }) => deployment.status === status));
}

describe("registering a job", () => {
  test("says which evaluation looks at it, and at which index it is", async () => {
    const reply = await api.ask("PUT /v1/jobs", { Job: app() });
    const answer = JSON.parse(reply.text);
    expect(answer).toMatchObject({
      EvalCreateIndex: reply.index,
      JobModifyIndex: reply.index,
      Index: reply.index,
      Warnings: "",
    });
    expect(at(await api.json(`GET /v1/evaluation/${answer.EvalID}`), "TriggeredBy")).toBe("job-register");
    expect(at(await api.json("GET /v1/job/app"), "JobModifyIndex")).toBe(reply.index);
  });

  test("that starts again as it is says so", async () => {
    await api.ask("PUT /v1/jobs", { Job: app() });
    await settled();
    const { deployment } = [...api.cluster.context.projection.state.rows("deployment")][0]!;
    const never = { attempts: 0, interval: 0, delay: 0, delayFunction: "constant", maxDelay: 0, unlimited: false };
    const job = toApi(jobOf({ ...group, count: 1, reschedule: never }));
    await api.ask("PUT /v1/jobs", { Job: job });
    await until(api.cluster, () =>
      [...api.cluster.context.projection.state.rows("deployment")].every(
        (one) => one.deployment.status === "successful",
      ),
    );
    const { id } = api.cluster.context.projection.state.derived
      .allocationsOfJob("default", deployment.job)
      .at(-1)!.allocation;
    await api.cluster.nodes.get(node)!.fail(id);
    const again = await api.json("PUT /v1/jobs", { Job: job });
    expect(at(again, "Warnings")).toBe(
      "1 warning:\n\n* The job starts again. It is registered as it was, and gets a new version all the same: it has failed, and is not placed anew by itself.",
    );
  });

  test("takes JSON without what it leaves open, and names in any case", async () => {
    const task = { name: "t", driver: "raw_exec", config: { command: "/bin/true" } };
    const job = { id: "small", taskGroups: [{ name: "g", tasks: [task] }] };
    expect((await api.ask("POST /v1/jobs", { Job: job })).status).toBe(200);
    expect(await api.json("GET /v1/job/small")).toMatchObject({
      Name: "small",
      Region: "global",
      Type: "service",
      Priority: 50,
    });
  });

  test("is enforced to be of the job at an index", async () => {
    const enforced = (index: number) => ({ Job: app(), EnforceIndex: true, JobModifyIndex: index });
    const refusals: string[] = [];
    refusals.push((await api.ask("PUT /v1/jobs", enforced(7))).text);
    const { index } = await api.ask("PUT /v1/jobs", enforced(0));
    refusals.push((await api.ask("PUT /v1/jobs", enforced(0))).text);
    const again = await api.ask("PUT /v1/jobs", enforced(index + 1_000));
    refusals.push(again.text);
    expect(again.status).toBe(500);
    expect((await api.ask("PUT /v1/jobs", enforced(index))).status).toBe(200);
    expect(refusals).toEqual([
      "Enforcing job modify index 7: job does not exist",
      "Enforcing job modify index 0: job already exists",
      `Enforcing job modify index ${index + 1_000}: job exists with conflicting job modify index: ${index}`,
    ]);
  });

  test("keeps the counts that its groups have, where it is asked to", async () => {
    await api.ask("PUT /v1/jobs", { Job: app(3) });
    await api.ask("PUT /v1/jobs", { Job: app(1, { priority: 60 }), PreserveCounts: true });
    const job = await api.json("GET /v1/job/app");
    expect([at(job, "Version"), at(job, "Priority"), at(job, "TaskGroups.0.Count")]).toEqual([1, 60, 3]);
  });

  for (const { name, body, status = 400, text } of [
    { name: "without a body", body: undefined, text: "Request body is empty" },
    { name: "with something else than JSON", body: "nope", text: "Unexpected token" },
    { name: "without a job", body: {}, text: "Job must be specified" },
    { name: "without an id", body: { Job: {} }, text: "Job ID hasn't been provided" },
    { name: "without a group", body: { Job: { ID: "x" } }, text: "1 error occurred:\n\t* Missing job task groups" },
    {
      name: "of another type than text",
      body: { Job: { ID: "x", Priority: "much" } },
      text: "Job.Priority must be a whole number",
    },
    { name: "of another region", body: { Job: { ...app(), Region: "moon" } }, status: 500, text: "No path to region" },
    {
      name: "in a namespace that is not there",
      body: { Job: { ...app(), Namespace: "n" } },
      text: 'job "app" is in nonexistent namespace "n"',
    },
    {
      name: "that starts by itself",
      body: { Job: { ...app(1, { type: "batch" }), Periodic: { Spec: "* * * * *" } } },
      text: "periodic",
    },
  ]) {
    test(`${name} is refused`, async () => {
      const reply = await api.ask("PUT /v1/jobs", body);
      expect(reply.text).toContain(text);
      expect(reply.status).toBe(status);
    });
  }

  test("under another id than the path's is refused", async () => {
    expect((await api.ask("PUT /v1/job/other", { Job: app() })).text).toBe("Job ID does not match");
    expect((await api.ask("PUT /v1/job/app", { Job: app() })).status).toBe(200);
  });
});

test("a job with slashes in its id is found, encoded or not", async () => {
  await api.ask("PUT /v1/jobs", { Job: app(1, { id: "a/b", name: "a/b" }) });
  for (const path of ["/v1/job/a%2Fb", "/v1/job/a/b"]) expect(at(await api.json(`GET ${path}`), "ID")).toBe("a/b");
  expect(at(await api.json("GET /v1/job/a/b/summary"), "JobID")).toBe("a/b");
});

test("a plan says what would change, and changes nothing", async () => {
  const index = (await api.ask("PUT /v1/jobs", { Job: app(1) })).index;
  await settled();
  const before = await api.ask("GET /v1/job/app");
  const plan = await api.json("PUT /v1/job/app/plan", { Job: app(3), Diff: true });
  expect(at(plan, "Annotations.DesiredTGUpdates.web")).toMatchObject({ Place: 2, InPlaceUpdate: 1, Preemptions: 0 });
  expect(plan).toMatchObject({ JobModifyIndex: index, FailedTGAllocs: null, Warnings: "", Diff: { Type: "Edited" } });
  expect((await api.ask("GET /v1/job/app")).text).toBe(before.text);
  expect(at(await api.json("PUT /v1/job/app/plan", { Job: app(3) }), "Diff")).toBeNull();
});

test("a plan says what is in the way of those that would find no place", async () => {
  const plan = await api.json("PUT /v1/job/app/plan", { Job: app(500), Diff: true });
  expect(at(plan, "JobModifyIndex")).toBe(0);
  expect(at(plan, "FailedTGAllocs.web")).toMatchObject({ NodesEvaluated: 1, NodesExhausted: 1 });
});

test("checking a job says all that is wrong with it", async () => {
  const answer = await api.json("PUT /v1/validate/job", { Job: { ...app(), Priority: 1_000, Type: "other" } });
  expect(at(answer, "ValidationErrors.length")).toBe(3);
  expect(at(answer, "Error")).toMatch(/^3 errors occurred:\n(\t\* .+\n){3}\n$/);
  expect(await api.json("PUT /v1/validate/job", { Job: app() })).toMatchObject({ ValidationErrors: null, Error: "" });
});

describe("a job file is read", () => {
  const file =
    'variable "n" {}\njob "a" {\n  group "g" {\n    count = var.n\n    task "t" {\n      driver = "raw_exec"\n    }\n  }\n}\n';
  test("with the values of its variables", async () => {
    const job = await api.json("POST /v1/jobs/parse", { JobHCL: file, Variables: "n = 2" });
    expect([at(job, "ID"), at(job, "Name"), at(job, "Type"), at(job, "TaskGroups.0.Count")]).toEqual([
      "a",
      "a",
      null,
      2,
    ]);
  });
  test("and made whole where that is asked for", async () => {
    const job = await api.json("POST /v1/jobs/parse", { JobHCL: file, Variables: "n = 2", Canonicalize: true });
    expect([at(job, "Type"), at(job, "TaskGroups.0.RestartPolicy.Attempts")]).toEqual(["service", 2]);
  });
  for (const { name, body, text } of [
    { name: "an empty one", body: { JobHCL: "" }, text: "Job spec is empty" },
    {
      name: "a broken one, with the place",
      body: { JobHCL: 'job "a" {\n foo = 1\n}' },
      text: "Failed to parse job: input.hcl:2,2-5: Unsupported argument",
    },
    {
      name: "a broken list of variables",
      body: { JobHCL: file, Variables: "n =" },
      text: "Failed to parse job: variables.hcl:1",
    },
  ]) {
    test(`${name} is refused`, async () => {
      const reply = await api.ask("POST /v1/jobs/parse", body);
      expect([reply.status, reply.text.slice(0, text.length)]).toEqual([400, text]);
    });
  }
});

describe("what is done with a job", () => {
  beforeEach(async () => {
    await api.ask("PUT /v1/jobs", { Job: app(1) });
    await settled();
  });

  test("its versions are told newest first, with what each changed", async () => {
    await api.ask("PUT /v1/jobs", { Job: app(2) });
    const versions = await api.json("GET /v1/job/app/versions?diffs=true");
    expect(versions).toMatchObject({ Versions: [{ Version: 1 }, { Version: 0, Stable: true }] });
    expect(at(versions, "Diffs.0.TaskGroups.0.Fields.0")).toMatchObject({ Name: "Count", Old: "1", New: "2" });
    expect(at(await api.json("GET /v1/job/app/versions"), "Diffs")).toBeNull();
  });

  test("it goes back to an older version", async () => {
    await api.ask("PUT /v1/jobs", { Job: app(2) });
    const of = (version: number, prior?: number) => ({
      JobID: "app",
      JobVersion: version,
      EnforcePriorVersion: prior ?? null,
    });
    expect((await api.ask("PUT /v1/job/other/revert", of(0))).text).toBe("Job ID does not match");
    expect((await api.ask("PUT /v1/job/app/revert", of(0, 0))).text).toBe(
      "Current job has version 1; enforcing version 0",
    );
    expect((await api.ask("PUT /v1/job/app/revert", of(9))).text).toContain("at version 9 not found");
    expect((await api.ask("PUT /v1/job/app/revert", of(0, 1))).status).toBe(200);
    const job = await api.json("GET /v1/job/app");
    expect([at(job, "Version"), at(job, "TaskGroups.0.Count")]).toEqual([2, 1]);
  });

  test("a version is marked as one to go back to, or not", async () => {
    await api.ask("PUT /v1/job/app/stable", { JobID: "app", JobVersion: 0, Stable: false });
    expect(at(await api.json("GET /v1/job/app"), "Stable")).toBe(false);
  });

  test("a group is scaled, within what there is", async () => {
    const asked = (group: string, count?: number) => ({ Target: { Group: group }, Count: count ?? null });
    expect((await api.ask("PUT /v1/job/app/scale", asked("web", 2))).status).toBe(200);
    expect(at(await api.json("GET /v1/job/app/scale"), "TaskGroups.web.Desired")).toBe(2);
    expect((await api.ask("PUT /v1/job/app/scale", asked("x", 2))).text).toBe(
      'task group "x" specified for scaling does not exist in job',
    );
    expect((await api.ask("PUT /v1/job/nope/scale", asked("web", 2))).text).toBe('job "nope" not found');
    expect(at(await api.json("PUT /v1/job/app/scale", asked("web")), "EvalID")).toBe("");
  });

  test("it is looked at again, stopped, and forgotten", async () => {
    const looked = await api.json("PUT /v1/job/app/evaluate");
    expect(at(looked, "EvalID")).not.toBe("");
    await api.json("DELETE /v1/job/app");
    const { state } = api.cluster.context.projection;
    await until(api.cluster, () => [...state.rows("client")].every(({ status }) => status === "complete"));
    await until(api.cluster, () => [...state.rows("eval")].every(({ status }) => status === "complete"));
    expect(await api.json("GET /v1/job/app")).toMatchObject({ Stop: true, Status: "dead" });
    expect(at(await api.json("GET /v1/jobs"), "0.JobSummary.Summary.web")).toMatchObject({ Complete: 1, Running: 0 });
    await api.json("DELETE /v1/job/app?purge=true");
    expect((await api.ask("GET /v1/job/app")).status).toBe(404);
  });

  test("what is not there is refused with what to do", async () => {
    for (const line of ["PUT /v1/job/app/dispatch", "PUT /v1/job/app/periodic/force"]) {
      const reply = await api.ask(line, {});
      expect([reply.status, reply.text]).toEqual([501, expect.stringContaining("Register it as a batch job")]);
    }
  });
});
