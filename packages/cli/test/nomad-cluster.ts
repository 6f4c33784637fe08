import { list, type Routes } from "./fake-nomad.ts";
import * as records from "./nomad-records.ts";

const { ids } = records;

function countDiff() {
  const fields = [{ Type: "Edited", Name: "Count", Old: "1", New: "2", Annotations: null }];
  const none = { Fields: null, Objects: null };
  const group = { Type: "Edited", Name: "myapp", Objects: null, Fields: fields, Tasks: null, Updates: null };
  return { Type: "Edited", ID: "myapp", ...none, TaskGroups: [group] };
}

/** The small cluster of the records, as a server answers about it. */
export const cluster: Routes = {
  "GET /v1/jobs": list([...records.jobStubs, ...records.reports]),
  "GET /v1/job/report": { json: records.report },
  "GET /v1/job/report/summary": { json: { JobID: "report", Summary: {}, Children: { Running: 1, Dead: 1 } } },
  "GET /v1/job/report/evaluations": { json: [] },
  "GET /v1/job/report/deployment": { json: null },
  "GET /v1/job/report/allocations": { json: [] },
  "GET /v1/job/myapp": { json: records.job },
  "GET /v1/job/myapp/summary": { json: records.summary },
  "GET /v1/job/myapp/evaluations": { json: [records.evaluation] },
  "GET /v1/job/myapp/deployment": { json: records.deployment },
  "GET /v1/job/myapp/deployments": { json: [records.deployment] },
  "GET /v1/job/myapp/allocations": { json: [records.stopped, records.allocation] },
  "GET /v1/job/myapp/versions": {
    json: { Versions: [records.job, { ...records.job, Version: 0 }], Diffs: [countDiff()] },
  },
  "GET /v1/job/myapp-big": { json: records.bigJob },
  "GET /v1/job/myapp-big/summary": { json: records.bigSummary },
  "GET /v1/job/myapp-big/evaluations": { json: [records.failedEvaluation, records.blockedEvaluation] },
  "GET /v1/job/myapp-big/deployment": { json: null },
  "GET /v1/job/myapp-big/allocations": { json: [] },
  "GET /v1/allocations": list([records.allocation, records.stopped]),
  [`GET /v1/allocation/${ids.allocation}`]: { json: records.allocation },
  [`GET /v1/client/allocation/${ids.allocation}/stats`]: { json: records.usage },
  "GET /v1/nodes": list([records.node]),
  [`GET /v1/node/${ids.node}`]: { json: records.node },
  [`GET /v1/node/${ids.node}/allocations`]: { json: [records.allocation] },
  "GET /v1/client/stats": { json: records.nodeUsage },
  "GET /v1/evaluations": list([records.evaluation, records.blockedEvaluation]),
  [`GET /v1/evaluation/${ids.evaluation}`]: { json: records.evaluation },
  [`GET /v1/evaluation/${ids.blocked}`]: { json: records.blockedEvaluation },
  [`GET /v1/evaluation/${ids.evaluation}/allocations`]: { json: [records.allocation] },
  "GET /v1/deployments": list([records.deployment]),
  [`GET /v1/deployment/${ids.deployment}`]: { json: records.deployment },
  "GET /v1/agent/members": { json: { Members: [records.member] } },
  "GET /v1/status/leader": { json: "10.0.0.2:4647" },
};
