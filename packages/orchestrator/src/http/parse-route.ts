import type { HttpContext } from "./context.ts";
import type { Route } from "./route.ts";

/** `/v1/jobs/parse`: a job file as the API's JSON. `HCLv1` is taken; both languages are read in any case. */
export function parseRoutes(context: HttpContext): Route[] {
  return ["PUT", "POST"].map((method) => ({
    method,
    pattern: "/v1/jobs/parse",
    permission: {
      kind: "needs",
      what: "parse-job",
      of: ({ namespace }) => [{ resource: "namespace", capability: "parse-job", namespace }],
    },
    blocking: false,
    // With the language come its functions, and much memory: a server that is never asked does without.
    handle: async (call) => (await import("./parse-job.ts")).parseJob(context, call),
  }));
}
