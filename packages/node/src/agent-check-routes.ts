import type { HttpReply } from "@millwright/core/http";
import { checkView } from "./agent-views.ts";
import { type CheckStatus, parseCheck, parseStatus } from "./check-definition.ts";
import { filtered } from "./filtered.ts";
import { checkPermissions as demand, onlyGranted, type Permission } from "./permissions.ts";
import { published } from "./published.ts";
import { refuseScripts } from "./refuse-scripts.ts";
import { emptyReply, jsonReply } from "@millwright/core/http-reply";
import { badRequest, notFound, readJson } from "./request-body.ts";
import type { Call, Route } from "./route.ts";
import { checkPermissions, param, type RoutesContext } from "./routes-context.ts";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";

/** `/v1/agent/checks` and `/v1/agent/check`. */
export function agentCheckRoutes(context: RoutesContext): Route[] {
  const writes = {
    kind: "needs",
    what: "service:write on the check's service, or node:write",
    of: (call: Call) => checkPermissions("write", param(call, "id"), context),
  } as const;
  const report = (verb: string, status: CheckStatus): Route => ({
    method: "PUT",
    pattern: `/v1/agent/check/${verb}/*id`,
    permission: writes,
    blocking: false,
    handle: async (call) => takeReport(param(call, "id"), status, call.query.get("note") ?? "", context),
  });
  return [
    {
      method: "GET",
      pattern: "/v1/agent/checks",
      permission: { kind: "needs", what: "service:read or node:read on each check that is shown", of: () => [] },
      blocking: false,
      handle: (call) => listChecks(call, context),
    },
    {
      method: "PUT",
      pattern: "/v1/agent/check/register",
      permission: { kind: "needs", what: "service:write on the check's service, or node:write", of: () => [] },
      blocking: false,
      handle: (call) => register(call, context),
    },
    {
      method: "PUT",
      pattern: "/v1/agent/check/deregister/*id",
      permission: writes,
      blocking: false,
      handle: (call) => deregister(call, context),
    },
    report("pass", "passing"),
    report("warn", "warning"),
    report("fail", "critical"),
    {
      method: "PUT",
      pattern: "/v1/agent/check/update/*id",
      permission: writes,
      blocking: false,
      handle: (call) => update(call, context),
    },
  ];
}

async function listChecks(call: Call, context: RoutesContext): Promise<HttpReply> {
  const { registry, identity } = context;
  const { state } = registry;
  const seen = await onlyGranted(call.grants, [...state.checks.values()], ({ definition }): Permission => {
    const [needed] = checkPermissions("read", definition.id, context);
    return needed ?? { resource: "node", access: "read", name: identity.name };
  });
  const views = seen.map((check) => checkView(check, state, identity.name));
  return jsonReply(Object.fromEntries(filtered(call.query, views).map((view) => [view.CheckID, view])), call.pretty);
}

async function register(call: Call, context: RoutesContext): Promise<HttpReply> {
  const { registry, keeper, identity } = context;
  const body = await readJson(call.request);
  const fields = new WireFields(body, "a check");
  if (fields.text("Name") === "") throw badRequest("Missing check name");
  const check = parseCheckOfClient(body);
  const service = registry.state.services.get(check.serviceId)?.definition;
  if (check.serviceId !== "" && !service)
    throw badRequest(`ServiceID ${JSON.stringify(check.serviceId)} does not exist; register the service first`);
  const permission: Permission = service
    ? { resource: "service", access: "write", name: service.name }
    : { resource: "node", access: "write", name: identity.name };
  await demand(call.grants, [permission, ...checkPermissions("write", check.id, context)]);
  refuseScripts([check], context.scriptChecks);
  registry.dispatch({
    kind: "check-registered",
    check,
    origin: { from: "api", token: fields.text("Token") || call.token },
  });
  await keeper.flush();
  await published(context, { check: check.id }, call.request.signal);
  return emptyReply(200);
}

function parseCheckOfClient(body: unknown) {
  try {
    return parseCheck(body, { serviceId: "", id: "", name: "" });
  } catch (error) {
    if (error instanceof WireMistake) throw badRequest(`Invalid check: ${error.message}`);
    throw error;
  }
}

async function deregister(call: Call, context: RoutesContext): Promise<HttpReply> {
  const { registry, keeper } = context;
  const id = param(call, "id");
  if (!registry.state.checks.has(id)) throw unknownCheck(id);
  registry.dispatch({ kind: "check-deregistered", id });
  await keeper.flush();
  await published(context, { check: id }, call.request.signal);
  return emptyReply(200);
}

async function update(call: Call, context: RoutesContext): Promise<HttpReply> {
  const fields = new WireFields(await readJson(call.request), "the result");
  const text = fields.text("Status");
  const status = text === "" ? undefined : parseStatus(text);
  if (status === undefined) throw badRequest(`Invalid check status: ${JSON.stringify(text)}`);
  return takeReport(param(call, "id"), status, fields.text("Output"), context);
}

function takeReport(id: string, status: CheckStatus, output: string, { registry, runner }: RoutesContext): HttpReply {
  const check = registry.state.checks.get(id);
  if (!check) throw unknownCheck(id);
  const { probe, outputMaxSize } = check.definition;
  if (probe.kind !== "ttl")
    throw badRequest(`CheckID ${JSON.stringify(id)} does not have associated TTL: only TTL checks take results`);
  runner.report(id, status, shorten(output, outputMaxSize));
  return emptyReply(200);
}

function shorten(output: string, most: number): string {
  const bytes = Buffer.from(output);
  if (bytes.byteLength <= most) return output;
  return `${bytes.subarray(0, most).toString("utf8")} ... (captured ${most} of ${bytes.byteLength} bytes)`;
}

function unknownCheck(id: string) {
  return notFound(`Unknown check ID ${JSON.stringify(id)}. Ensure that the check ID is passed, not the check name.`);
}
