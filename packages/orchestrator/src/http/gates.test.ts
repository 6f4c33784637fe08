import { toApi } from "@millwright/jobs/api";
import type { JobDraft } from "@millwright/jobs/job";
import { afterEach, beforeEach, expect, test } from "vitest";
import { at, openApi, type TestApi } from "../../test/api.ts";
import { eventsSince } from "./events.ts";
import { atOnce, jobOf, rollout, until } from "../../test/cluster.ts";

const node = "5f0c4f3e-0000-4000-8000-000000000001";
let api: TestApi;
beforeEach(async () => {
  api = await openApi();
  await api.cluster.join(node);
  await until(api.cluster, () => api.cluster.context.projection.state.row("nodestate", node)?.status === "ready");
});
afterEach(() => api.close());

type Gates = NonNullable<JobDraft["gates"]>["gates"];

const conditions: Gates = [{ name: "own", kind: "conditions" }];
const silent: Gates = [
  {
    ...{ name: "smoke", kind: "http", within: 3_600e9 },
    http: { url: "http://127.0.0.1:1/", headers: { Authorization: "Bearer s3cret" } },
  },
];

const group = { ephemeralDisk: { size: 300 } };
const update = { ...atOnce, stagger: 1 };

function app(gates: Gates | undefined, V = "1", type = "service") {
  const draft = { type, ...(gates ? { gates: { gates } } : {}) };
  return toApi(jobOf({ ...group, count: 2, update: type === "service" ? update : null }, draft, { env: { V } }));
}

async function register(job: object): Promise<void> {
  await api.json("PUT /v1/jobs", { Job: job });
}

const settled = (version: number) =>
  until(api.cluster, () => rollout(api.cluster)?.version === version && rollout(api.cluster)?.status === "successful");

test("a job's gates belong to its version: they are shown with it, differ from it, and come back with it", async () => {
  await register(app(conditions));
  await settled(0);
  const shown = await api.json("GET /v1/job/app");
  expect(at(shown, "Gates.Gates.0")).toMatchObject({ Name: "own", Kind: "conditions", Otherwise: "stop" });
  await register(app(undefined));
  await settled(1);
  expect(Object.keys((await api.json("GET /v1/job/app")) as object)).not.toContain("Gates");
  const versions = await api.json("GET /v1/job/app/versions?diffs=true");
  expect(at(versions, "Versions.1.Gates.Patience")).toBe(600e9);
  expect(at(versions, "Diffs.0.Objects.0")).toMatchObject({ Type: "Deleted", Name: "Gates" });
  await api.json("PUT /v1/job/app/revert", { JobID: "app", JobVersion: 0 });
  expect(at(await api.json("GET /v1/job/app"), "Gates.Gates.0.Name")).toBe("own");
});

test("a plan shows other gates, without what their headers say, and replaces nothing for them", async () => {
  await register(app(undefined));
  await settled(0);
  const plan = await api.json("PUT /v1/job/app/plan", { Job: app(silent), Diff: true });
  expect(at(plan, "Diff.Objects.0")).toMatchObject({ Type: "Added", Name: "Gates" });
  expect(at(plan, "Annotations.DesiredTGUpdates.web")).toMatchObject({ InPlaceUpdate: 2, DestructiveUpdate: 0 });
  expect(JSON.stringify(plan)).not.toContain("s3cret");
});

test("a deployment shows what its gates are asked and say, also to who follows events", async () => {
  await register(app(undefined));
  await settled(0);
  expect(at(await api.json("GET /v1/job/app/deployment"), "Gates")).toBeUndefined();
  await register(app(silent, "2"));
  await until(api.cluster, () => (rollout(api.cluster)?.gating?.waits ?? null) !== null);
  const shown = await api.json("GET /v1/job/app/deployment");
  expect(shown).toMatchObject({
    Status: "running",
    StatusDescription: "Deployment is running, and its gates are asked after batch 1",
    Gates: { Batch: 1, Wait: { Gate: "smoke" }, Decisions: null },
  });
  const { context } = api.cluster;
  const events = eventsSince(context.projection.state, 0, new Set(["Deployment"] as const), context.identity);
  expect(at(events.at(-1)?.payload(), "Deployment.Gates.Wait.Gate")).toBe("smoke");
  const id = String(at(shown, "ID"));
  await api.json(`PUT /v1/deployment/fail/${id}`);
  expect(at(await api.json("GET /v1/job/app/deployment"), "Status")).toBe("failed");
});

const refused: readonly { name: string; job: object; want: string }[] = [
  {
    name: "a command, which this server does not run",
    job: app([{ name: "smoke", kind: "command", command: { args: ["true"] } }]),
    want: 'Job "app": gate of the kind command is not there',
  },
  { name: "gates of a batch job", job: app(conditions, "1", "batch"), want: "Gates of a job that has no deployments" },
  {
    name: "a name that is not known",
    job: { ...app(conditions), Gates: { Gates: [{ Name: "own", Kind: "conditions", Otherwis: "back" }] } },
    want: "Job.Gates.Gates[0] has no Otherwis. Did you mean Otherwise?",
  },
];

test.each(refused)("$name is refused, and nothing is registered", async ({ job, want }) => {
  const reply = await api.ask("PUT /v1/jobs", { Job: job });
  expect(reply).toMatchObject({ status: 400, text: expect.stringContaining(want) });
  expect((await api.ask("GET /v1/job/app")).status).toBe(404);
});
