import type { JobVersion } from "../allocation/host.ts";
import { expect, test } from "vitest";
import { JobCache } from "./job-cache.ts";

const never = new AbortController().signal;

test("a version is asked for once; that of a job that was purged is another than its namesake", async () => {
  let asked = 0;
  const orchestrator = { job: async () => ({ ID: "web", Priority: ++asked }) };
  const cache = new JobCache({ nodeId: "n1", orchestrator, registrar: { forgotten: () => undefined } });
  const first: JobVersion = { namespace: "default", id: "web", version: 0, submitted: 1_000 };
  const again = { ...first, submitted: 2_000 };
  const seen = [];
  for (const version of [first, first, again, again, first]) seen.push((await cache.get(version, never)).priority);
  expect(seen).toEqual([1, 1, 2, 2, 1]);
});
