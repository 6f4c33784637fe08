import { readFileSync, writeFileSync } from "node:fs";
import { systemChance, systemClock } from "@millwright/core/ports";
import { canonical } from "@millwright/jobs/canonical";
import type { JobDraft } from "@millwright/jobs/job";
import { commitDraft } from "@millwright/records/commit";
import { allocId, deploymentId, evalId } from "@millwright/scheduler/ids";
import { expect, test } from "vitest";
import { openApi } from "../../test/api.ts";
import { sampleAlloc, sampleClient, sampleDeployment, sampleNode, sampleNodeState } from "../../test/sample-records.ts";
import { newEvaluation } from "../evaluation.ts";
import { jobKeyOf, jobVersionKey } from "../keys.ts";
import type { OrchestratorDraft } from "../state.ts";

/**
 * Requests and their answers over records that are always the same: `> METHOD PATH`, then `STATUS`, and the body. `UPDATE=1` rewrites the
 * answers: they are then to be compared with Nomad's again.
 */
const file = new URL("../../testdata/views.golden", import.meta.url);

const node = "aec15ced-1e99-466a-816c-a7233dd46629";
const alloc = "19575f2d-63c7-424b-84ad-2ebd76f9d86c";
const failedAlloc = "7639f3a2-c31f-4a85-8550-90b81c800408";
const evaluation = "69a85866-74a4-4def-9d52-715273a307f7";
const blocked = "3bcf91bb-b39f-4b23-86af-6f5996ce2cab";
const rollout = "a752c4a1-85bb-4762-aa0e-326dd540de92";
const at = Date.parse("2016-11-21T10:00:00.120Z");

const draft: JobDraft = {
  id: "web/app",
  datacenters: ["dc1"],
  meta: { owner: "widgets" },
  groups: [
    {
      name: "web",
      count: 2,
      networks: [{ reservedPorts: [{ label: "adm", value: 8081 }], dynamicPorts: [{ label: "http", to: 80 }] }],
      services: [{ name: "web", port: "http", tags: ["a"], checks: [{ type: "tcp", interval: 1e9, timeout: 1e9 }] }],
      tasks: [
        {
          name: "api",
          driver: "raw_exec",
          config: { command: "/bin/api", args: ["-v"] },
          resources: { cpu: 50, memory: 32, networks: [{ mbits: 1, dynamicPorts: [{ label: "x" }] }] },
        },
      ],
    },
  ],
};

function fill(into: OrchestratorDraft): void {
  const job = canonical(draft);
  const { namespace, id } = job;
  const held = { hostNetwork: "default", ignoreCollision: false };
  const base = sampleAlloc(alloc, {
    job: id,
    node,
    evaluation,
    deployment: { id: deploymentId(rollout), canary: true },
  });
  const ports = [
    { task: null, label: "adm", value: 8081, to: 0, ...held },
    { task: null, label: "http", value: 22284, to: 80, ...held },
    { task: "api", label: "x", value: 27501, to: 0, ...held },
  ];
  const score = { node: base.allocation.node, parts: { binpack: 0.25 }, normalized: 0.25 };
  const running = {
    ...base,
    allocation: { ...base.allocation, created: at, holding: { ...base.allocation.holding, ports } },
    metrics: { ...base.metrics, scores: [score] },
    at,
  };
  const times = { LastRestart: at + 9_000, StartedAt: at + 1_000, FinishedAt: 0 };
  const events = [
    { Type: "Received", Time: at, DisplayMessage: "Task received by client", Details: {} },
    {
      Type: "Terminated",
      Time: at + 5_000,
      DisplayMessage: 'Exit Code: 3, Exit Message: "it failed"',
      Details: { exit_code: "3", signal: "0", message: "it failed" },
    },
  ];
  into.put("node", node, { ...sampleNode(node, { Name: "n1", ReservedPorts: [22, 80] }), registeredAt: at });
  const nodeEvents = [{ at: at + 60_000, subsystem: "Drain", message: "Node drain strategy set" }] as const;
  const drain = { deadline: at + 3_660_000, ignoresSystemJobs: true };
  into.put("nodestate", node, sampleNodeState({ statusAt: at, drain, events: nodeEvents }));
  into.put("job", jobKeyOf(namespace, id), { namespace, id, current: 1, stable: [0] });
  for (const version of [0, 1]) {
    const meta = { ...job.meta, version: `${version}` };
    const record = { namespace, id, version, job: { ...job, meta }, isStopped: false, submittedAt: at };
    into.put("jobversion", jobVersionKey(namespace, id, version), record);
  }
  into.put("alloc", alloc, running);
  into.put(
    "client",
    alloc,
    sampleClient(running, {
      description: "Tasks are running",
      tasks: { api: { State: "running", Failed: false, Restarts: 1, ...times, Events: events } },
      health: { healthy: true, at: at + 11_000, why: "" },
      at: at + 11_000,
    }),
  );
  const again = { at, from: allocId(alloc), node: base.allocation.node, delay: 30_000 };
  const failed = sampleAlloc(failedAlloc, { job: id, node, evaluation, index: 1, desired: "stop" });
  into.put("alloc", failedAlloc, {
    ...failed,
    description: "alloc was rescheduled because it failed",
    allocation: { ...failed.allocation, replaces: allocId(alloc), reschedules: [again] },
  });
  into.put("client", failedAlloc, sampleClient(failed, { status: "failed", description: "Failed tasks" }));
  const clock = { ...systemClock, now: () => at };
  const metrics = { ...base.metrics, nodesExhausted: 1, dimensionExhausted: { memory: 1 }, coalescedFailures: 1 };
  const first = newEvaluation({ clock, chance: { ...systemChance, uuid: () => evaluation } }, job, "job-register", {
    status: "complete",
    deployment: deploymentId(rollout),
    blocked: evalId(blocked),
    failed: { web: { count: 2, metrics } },
    queued: { web: 2 },
    snapshotIndex: 7,
  });
  into.put("eval", first.id, first);
  const waiting = {
    previous: first.id,
    status: "blocked",
    description: "created to place remaining allocations",
  } as const;
  const second = {
    ...first,
    ...waiting,
    id: evalId(blocked),
    blocked: null,
    trigger: "queued-allocs",
    queued: {},
  } as const;
  into.put("eval", second.id, second);
  const group = { desiredTotal: 2, desiredCanaries: 1, promoted: false, autoRevert: true, autoPromote: false };
  const lists = { placed: [allocId(alloc)], canaries: [allocId(alloc)], healthy: [allocId(alloc)], unhealthy: [] };
  const deployment = sampleDeployment(rollout, {
    job: id,
    version: 1,
    description: "Deployment is running but requires manual promotion",
    groups: { web: { ...group, progressDeadline: 600_000, requireProgressBy: at + 600_000, ...lists } },
  });
  into.put("deployment", rollout, { deployment, createdAt: at, modifiedAt: at });
}

const requests = [
  "GET /v1/jobs?meta=true",
  "GET /v1/job/web%2Fapp",
  "GET /v1/job/web/app/summary",
  "GET /v1/job/web%2Fapp/versions?diffs=true",
  "GET /v1/job/web%2Fapp/scale",
  "GET /v1/allocations?resources=true",
  `GET /v1/allocation/${alloc}`,
  `GET /v1/allocation/${failedAlloc}`,
  "GET /v1/evaluations",
  `GET /v1/evaluation/${blocked}?related=true`,
  `GET /v1/deployment/${rollout}`,
  "GET /v1/nodes?resources=true&os=true",
  `GET /v1/node/${node}`,
];

test("records look as Nomad's API shows them", async () => {
  const api = await openApi({ leaders: 0 });
  await commitDraft(api.cluster.context, fill);
  await api.cluster.context.projection.fresh();
  const got: string[] = [];
  for (const line of requests) {
    const { status, text } = await api.ask(line);
    got.push(`> ${line}\n${status}\n${JSON.stringify(JSON.parse(text), null, 1)}\n`);
  }
  if (process.env.UPDATE === "1") writeFileSync(file, got.join("\n"));
  expect(got.join("\n")).toBe(readFileSync(file, "utf8"));
  expect(got.join("\n")).not.toContain('"Key"');
  await api.close();
});
