import { toApi } from "@millwright/jobs/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, openApi, type TestApi } from "../../test/api.ts";
import { jobOf, until } from "../../test/cluster.ts";

const node = "5f0c4f3e-0000-4000-8000-000000000001";
let api: TestApi;
beforeEach(async () => {
  api = await openApi();
  await api.cluster.join(node);
});
afterEach(() => api.close());

const state = () => api.cluster.context.projection.state;

async function start(update: object): Promise<void> {
  const job = jobOf({ count: 2, ephemeralDisk: { size: 300 }, update });
  expect((await api.ask("PUT /v1/jobs", { Job: toApi(job) })).text).toContain("EvalID");
  await until(api.cluster, () => [...state().rows("client")].some(({ status }) => status === "running"));
}

/** Nothing of what the node runs says whether it is healthy. */
async function withHangingTasks(): Promise<void> {
  await api.close();
  api = await openApi();
  await api.cluster.join(node, { outcome: () => "hangs" });
}

async function deploymentId(): Promise<unknown> {
  return at(await api.json("GET /v1/job/app/deployment"), "ID");
}

describe("a rollout", () => {
  test("is stopped and goes on as an operator says", async () => {
    await withHangingTasks();
    await start({ minHealthyTime: 0, maxParallel: 1 });
    const id = await deploymentId();
    const named = (rest: object) => ({ DeploymentID: id, ...rest });
    expect((await api.ask(`PUT /v1/deployment/pause/${id}`, { Pause: true })).text).toBe(
      "DeploymentID must be specified",
    );
    expect((await api.ask(`PUT /v1/deployment/pause/${id}`, { DeploymentID: "x" })).text).toBe(
      "Deployment ID does not match",
    );
    const unnamed = await api.ask(`PUT /v1/deployment/promote/${id}`, named({}));
    expect([unnamed.status, unnamed.text]).toEqual([400, expect.stringContaining("Say which groups are promoted")]);
    for (const [isPause, status] of [
      [true, "paused"],
      [false, "running"],
    ]) {
      await api.ask(`PUT /v1/deployment/pause/${id}`, named({ Pause: isPause }));
      expect(at(await api.json(`GET /v1/deployment/${id}`), "Status")).toBe(status);
    }
    const reply = await api.ask(`PUT /v1/deployment/fail/${id}`);
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.text)).toMatchObject({ DeploymentModifyIndex: reply.index, RevertedJobVersion: null });
    expect(at(await api.json(`GET /v1/deployment/${id}`), "Status")).toBe("failed");
    for (const [path, body, text] of [
      ["pause", { Pause: true }, "can't pause terminal deployment"],
      ["pause", { Pause: false }, "can't resume terminal deployment"],
      ["promote", { All: true }, "can't promote terminal deployment"],
      ["fail", {}, "can't fail terminal deployment"],
      [
        "allocation-health",
        { HealthyAllocationIDs: ["x"] },
        "can't set health of allocations for a terminal deployment",
      ],
    ] as const) {
      const refused = await api.ask(`PUT /v1/deployment/${path}/${id}`, named(body));
      expect([refused.status, refused.text]).toEqual([400, text]);
    }
    expect(at(await api.json(`GET /v1/deployment/allocations/${id}`), "length")).toBeGreaterThan(0);
  });

  test("goes on by an operator's word on which allocations are healthy", async () => {
    await withHangingTasks();
    await start({ minHealthyTime: 0, maxParallel: 2 });
    const id = await deploymentId();
    const ids = [...state().rows("alloc")].map(({ key }) => key);
    expect((await api.ask(`PUT /v1/deployment/allocation-health/${id}`, { DeploymentID: id })).text).toContain(
      "must specify",
    );
    const reply = await api.ask(`PUT /v1/deployment/allocation-health/${id}`, {
      DeploymentID: id,
      HealthyAllocationIDs: ids,
    });
    expect(reply.status).toBe(200);
    await until(api.cluster, () =>
      [...state().rows("deployment")].every(({ deployment }) => deployment.status === "successful"),
    );
    expect(at(await api.json(`GET /v1/allocation/${ids[0]}`), "DeploymentStatus.Healthy")).toBe(true);
  });

  test("that is not there is said so", async () => {
    const id = "00000000-0000-0000-0000-000000000000";
    expect((await api.ask(`PUT /v1/deployment/fail/${id}`)).text).toBe("deployment not found");
  });
});

describe("a node", () => {
  test("takes no more work, and takes it again", async () => {
    const set = (text: string) => api.ask(`PUT /v1/node/${node}/eligibility`, { Eligibility: text });
    expect((await set("perhaps")).text).toBe('invalid scheduling eligibility "perhaps"');
    expect((await set("ineligible")).status).toBe(200);
    expect(at(await api.json(`GET /v1/node/${node}`), "SchedulingEligibility")).toBe("ineligible");
    await set("eligible");
    expect(at(await api.json("GET /v1/nodes"), "0.SchedulingEligibility")).toBe("eligible");
  });

  test("is emptied until a deadline, and taken back", async () => {
    const drain = (spec: object | null) =>
      api.ask(`PUT /v1/node/${node}/drain`, { DrainSpec: spec, MarkEligible: true });
    expect((await drain({ Deadline: 3_600_000_000_000, IgnoreSystemJobs: true })).status).toBe(200);
    const drained = await api.json(`GET /v1/node/${node}`);
    expect(drained).toMatchObject({
      Drain: true,
      DrainStrategy: { IgnoreSystemJobs: true, Deadline: expect.closeTo(3.6e12, -10) },
    });
    await drain(null);
    expect(await api.json(`GET /v1/node/${node}`)).toMatchObject({ Drain: false, DrainStrategy: null });
  });

  test("has its jobs looked at again", async () => {
    await start({ minHealthyTime: 0 });
    const answer = await api.json(`PUT /v1/node/${node}/evaluate`);
    expect(at(answer, "EvalIDs")).toHaveLength(1);
    expect(at(await api.json(`GET /v1/node/${node}/allocations`), "0.Job.ID")).toBe("app");
  });

  test("that is not there is said so", async () => {
    const id = "00000000-0000-0000-0000-000000000000";
    for (const line of [`PUT /v1/node/${id}/evaluate`, `PUT /v1/node/${id}/drain`]) {
      const reply = await api.ask(line, { DrainSpec: null });
      expect([reply.status, reply.text]).toEqual([404, "node not found"]);
    }
  });
});

test("an allocation that is stopped makes room for another", async () => {
  await start({ minHealthyTime: 0, maxParallel: 2 });
  const [first] = [...state().rows("alloc")];
  const reply = await api.ask(`PUT /v1/allocation/${first!.key}/stop`);
  expect(JSON.parse(reply.text)).toEqual({ EvalID: expect.any(String), Index: reply.index });
  await until(api.cluster, () => state().row("client", first!.key)?.status === "complete");
  expect(at(await api.json(`GET /v1/allocation/${first!.key}`), "NextAllocation")).toMatch(/^[0-9a-f-]{36}$/);
  expect((await api.ask("PUT /v1/allocation/00000000-0000-0000-0000-000000000000/stop")).text).toBe(
    "allocation not found",
  );
});

describe("a search", () => {
  test("finds what begins so, kind by kind", async () => {
    await start({ minHealthyTime: 0 });
    expect(await api.json("POST /v1/search", { Prefix: "app", Context: "all" })).toMatchObject({
      Matches: { jobs: ["app"], nodes: [] },
      Truncations: { jobs: false },
    });
    const found = await api.json("POST /v1/search", { Prefix: node.slice(0, 5).toUpperCase(), Context: "nodes" });
    expect(at(found, "Matches")).toEqual({ nodes: [node] });
  });
  test("for a kind that is unknown is refused", async () => {
    const reply = await api.ask("POST /v1/search", { Prefix: "a", Context: "foo" });
    expect([reply.status, reply.text]).toEqual([
      400,
      expect.stringContaining("context must be one of jobs allocs evals"),
    ]);
  });
});

test("the server says of itself what clients ask before anything else", async () => {
  expect(await api.json("GET /v1/status/leader")).toBe("127.0.0.1:4646");
  expect(await api.json("GET /v1/status/peers")).toEqual(["127.0.0.1:4646"]);
  expect(await api.json("GET /v1/regions")).toEqual(["global"]);
  expect(await api.json("GET /v1/agent/self")).toMatchObject({ config: { Region: "global", Datacenter: "dc1" } });
  expect(await api.json("GET /v1/agent/members")).toMatchObject({ Members: [{ Name: "s1.global", Status: "alive" }] });
  expect(await api.json("GET /v1/agent/health")).toEqual({ server: { ok: true, message: "ok" } });
  expect((await api.ask("GET /v1/agent/health?type=client")).status).toBe(500);
  expect(at(await api.json("GET /v1/namespaces"), "0.Name")).toBe("default");
  expect(await api.json("GET /v1/node/pools")).toMatchObject([{ Name: "all" }, { Name: "default" }]);
  expect(await api.json("GET /.well-known/jwks.json")).toEqual({ keys: [{ kid: "k1", kty: "RSA" }] });
  expect(at(await api.json("GET /.well-known/openid-configuration"), "jwks_uri")).toBe(
    "http://127.0.0.1:4646/.well-known/jwks.json",
  );
  expect((await api.ask("PUT /v1/system/gc")).status).toBe(200);
});
