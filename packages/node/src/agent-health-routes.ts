import type { HttpReply } from "@millwright/core/http";
import { checkView, serviceView } from "./agent-views.ts";
import type { CheckStatus } from "./check-definition.ts";
import { isMaintenanceId } from "./maintenance.ts";
import { type LocalCheck, type LocalService, worstStatus } from "./node-state.ts";
import { jsonReply, textReply } from "@millwright/core/http-reply";
import { badRequest } from "./request-body.ts";
import type { Call, Route } from "./route.ts";
import { param, type RoutesContext, servicePermissions } from "./routes-context.ts";

/** `/v1/agent/health`: a service's health as a status code, for load balancers. */
export function agentHealthRoutes(context: RoutesContext): Route[] {
  return [
    {
      method: "GET",
      pattern: "/v1/agent/health/service/id/*id",
      permission: {
        kind: "needs",
        what: "service:read on the service",
        of: (call) => servicePermissions("read", param(call, "id"), context),
      },
      blocking: false,
      handle: async (call) => healthById(call, context),
    },
    {
      method: "GET",
      pattern: "/v1/agent/health/service/name/*name",
      permission: {
        kind: "needs",
        what: "service:read on the service",
        of: (call) => [{ resource: "service", access: "read", name: param(call, "name") }],
      },
      blocking: false,
      handle: async (call) => healthByName(call, context),
    },
  ];
}

type AggregatedStatus = CheckStatus | "maintenance";

const codes: Readonly<Record<AggregatedStatus, number>> = {
  passing: 200,
  warning: 429,
  critical: 503,
  maintenance: 503,
};
const severity: readonly AggregatedStatus[] = ["passing", "warning", "critical", "maintenance"];

function healthById(call: Call, context: RoutesContext): HttpReply {
  const id = param(call, "id");
  if (id === "") throw badRequest("Missing serviceID");
  const service = context.registry.state.services.get(id);
  if (!service) {
    const view = { AggregatedStatus: "critical", Service: null, Checks: null };
    return answer(call, 404, `ServiceId ${id} not found`, view);
  }
  const { status, view } = healthOf(service, context);
  return answer(call, codes[status], status, view);
}

function healthByName(call: Call, context: RoutesContext): HttpReply {
  const name = param(call, "name");
  if (name === "") throw badRequest("Missing service Name");
  const services = [...context.registry.state.services.values()].filter(({ definition }) => definition.name === name);
  if (services.length === 0) return answer(call, 404, `ServiceName ${name} Not Found`, []);
  const healths = services.map((service) => healthOf(service, context));
  const worst = healths.map(({ status }) => severity.indexOf(status)).reduce((a, b) => Math.max(a, b));
  const status = severity[worst] ?? "critical";
  const views = healths.map(({ view }) => view);
  return answer(call, codes[status], status, views);
}

function healthOf(service: LocalService, { registry, identity }: RoutesContext) {
  const { state } = registry;
  const checks = [...state.checks.values()].filter(
    ({ definition }) => definition.serviceId === "" || definition.serviceId === service.definition.id,
  );
  const status = aggregate(checks);
  const view = {
    AggregatedStatus: status,
    Service: serviceView(service, identity.datacenter),
    Checks: checks.map((check) => checkView(check, state, identity.name)),
  };
  return { status, view };
}

function aggregate(checks: readonly LocalCheck[]): AggregatedStatus {
  if (checks.some(({ definition }) => isMaintenanceId(definition.id))) return "maintenance";
  return worstStatus(checks.map(({ status }) => status));
}

function answer(call: Call, code: number, reason: string, view: unknown): HttpReply {
  // A header takes no more than printable ASCII, an id may have anything.
  const headers = { "x-consul-reason": reason.replace(/[^ -~]/g, "?") };
  if (call.query.get("format") === "text") return textReply(code, reason, headers);
  return jsonReply(view, call.pretty, code, headers);
}
