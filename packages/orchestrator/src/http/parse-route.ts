import type { HttpReply } from "@millwright/core/http";
import { jsonReply } from "@millwright/core/http-reply";
import type { HttpContext } from "./context.ts";
import { badRequest, readFields, readJsonBody } from "./json-body.ts";
import { parseApart } from "./parse-apart.ts";
import { isPretty } from "./reading.ts";
import type { Call, Route } from "./route.ts";

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
    handle: (call) => parse(context, call),
  }));
}

async function parse(context: HttpContext, call: Call): Promise<HttpReply> {
  const asked = readFields(await readJsonBody(call.request), "the request", (fields) => ({
    text: fields.text("JobHCL"),
    variables: fields.text("Variables"),
    isWhole: fields.flag("Canonicalize"),
  }));
  if (asked.text === "") throw badRequest("Job spec is empty");
  const parsed = await parseApart(asked, call.request.signal);
  if ("faults" in parsed) throw badRequest(`Failed to parse job: ${parsed.faults}`);
  return jsonReply(JSON.parse(parsed.json), isPretty(context, call));
}
