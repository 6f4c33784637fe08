import { expect, test } from "vitest";
import { jobPathOf } from "./job-path.ts";

const pathOf = jobPathOf([
  { method: "GET", pattern: "/v1/job/:id" },
  { method: "GET", pattern: "/v1/job/:id/plan" },
  { method: "PUT", pattern: "/v1/job/:id/periodic/force" },
  { method: "GET", pattern: "/v1/jobs" },
]);

for (const { name, path, want } of [
  { name: "an id without a slash stays", path: "/v1/job/app/plan", want: "/v1/job/app/plan" },
  { name: "an encoded id stays", path: "/v1/job/a%2Fb/plan", want: "/v1/job/a%2Fb/plan" },
  { name: "a slash in an id is encoded", path: "/v1/job/a/b/c", want: "/v1/job/a%2Fb%2Fc" },
  { name: "what a route has behind the id is not the id's", path: "/v1/job/a/b/plan", want: "/v1/job/a%2Fb/plan" },
  { name: "the longest rest counts", path: "/v1/job/a/b/periodic/force", want: "/v1/job/a%2Fb/periodic/force" },
  { name: "an id that ends like a route keeps its name", path: "/v1/job/plan", want: "/v1/job/plan" },
  { name: "other paths stay", path: "/v1/node/a/b", want: "/v1/node/a/b" },
]) {
  test(name, () => expect(pathOf(path)).toBe(want));
}
