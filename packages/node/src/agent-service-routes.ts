import type { HttpReply } from "@millwright/core/http";
import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { contentHash, serviceView } from "./agent-views.ts";
import { filtered } from "./filtered.ts";
import { maintenanceCheck, serviceMaintenanceId } from "./maintenance.ts";
import { checkPermissions as demand, onlyGranted } from "./permissions.ts";
import { published } from "./published.ts";
import { refuseScripts } from "./refuse-scripts.ts";
import { emptyReply, jsonReply } from "@millwright/core/http-reply";
import { badRequest, notFound, readJson } from "./request-body.ts";
import type { Call, Route } from "./route.ts";
import { param, type RoutesContext, servicePermissions } from "./routes-context.ts";
import { parseService } from "./service-definition.ts";

/** `/v1/agent/services` and `/v1/agent/service`. */
export function agentServiceRoutes(context: RoutesContext): Route[] {
  const needs = (access: "read" | "write") =>
    ({
      kind: "needs",
      what: `service:${access} on the service`,
      of: (call: Call) => servicePermissions(access, param(call, "id"), context),
    }) as const;
  const inHandler = { kind: "needs", of: () => [] } as const;
  return [
    {
      method: "GET",
      pattern: "/v1/agent/services",
      permission: { ...inHandler, what: "service:read on each service that is shown" },
      blocking: false,
      handle: (call) => listServices(call, context),
    },
    {
      method: "PUT",
      pattern: "/v1/agent/service/register",
      permission: { ...inHandler, what: "service:write on the service's name" },
      blocking: false,
      handle: (call) => register(call, context),
    },
    {
      method: "PUT",
      pattern: "/v1/agent/service/deregister/*id",
      permission: needs("write"),
      blocking: false,
      handle: (call) => deregister(call, context),
    },
    {
      method: "PUT",
      pattern: "/v1/agent/service/maintenance/*id",
      permission: needs("write"),
      blocking: false,
      handle: (call) => setMaintenance(call, context),
    },
    {
      method: "GET",
      pattern: "/v1/agent/service/*id",
      permission: needs("read"),
      blocking: true,
      handle: (call) => readService(call, context),
    },
  ];
}

/** Reads `?enable`, which every route of maintenance has. */
export function parseEnable(query: URLSearchParams): boolean {
  const text = query.get("enable") ?? "";
  if (text === "") throw badRequest("Missing value for enable");
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw badRequest(`Invalid value for enable: ${JSON.stringify(text)}`);
}

async function listServices(call: Call, { registry, identity }: RoutesContext): Promise<HttpReply> {
  const all = [...registry.state.services.values()];
  const seen = await onlyGranted(call.grants, all, ({ definition }) => ({
    resource: "service",
    access: "read",
    name: definition.name,
  }));
  const views = seen.map((service) => serviceView(service, identity.datacenter));
  const shown = filtered(call.query, views).map((view) => [view.ID, view]);
  return jsonReply(Object.fromEntries(shown), call.pretty);
}

async function register(call: Call, context: RoutesContext): Promise<HttpReply> {
  const { registry, keeper } = context;
  const { service, checks, token } = parseService(await readJson(call.request));
  const known = registry.state.services.get(service.id)?.definition;
  const names = new Set([service.name, ...(known ? [known.name] : [])]);
  await demand(
    call.grants,
    [...names].map((name) => ({ resource: "service", access: "write", name }) as const),
  );
  refuseScripts(checks, context.scriptChecks);
  registry.dispatch({
    kind: "service-registered",
    service,
    checks,
    origin: { from: "api", token: token || call.token },
    replaceChecks: isTrue(call.query.get("replace-existing-checks")),
  });
  await keeper.flush();
  await published(context, { service: service.id }, call.request.signal);
  return emptyReply(200);
}

async function deregister(call: Call, context: RoutesContext): Promise<HttpReply> {
  const { registry, keeper } = context;
  const id = param(call, "id");
  if (!registry.state.services.has(id)) throw unknownService(id);
  registry.dispatch({ kind: "service-deregistered", id });
  await keeper.flush();
  await published(context, { service: id }, call.request.signal);
  return emptyReply(200);
}

async function setMaintenance(call: Call, context: RoutesContext): Promise<HttpReply> {
  const { registry, keeper } = context;
  const id = param(call, "id");
  if (id === "") throw badRequest("Missing service ID");
  const enable = parseEnable(call.query);
  if (!registry.state.services.has(id)) throw unknownService(id);
  const origin = { from: "api", token: call.token } as const;
  if (!enable) registry.dispatch({ kind: "check-deregistered", id: serviceMaintenanceId(id) });
  else {
    const check = maintenanceCheck(id, call.query.get("reason") ?? "");
    registry.dispatch({ kind: "check-registered", check, origin });
  }
  await keeper.flush();
  await published(context, { check: serviceMaintenanceId(id) }, call.request.signal);
  return emptyReply(200);
}

async function readService(call: Call, context: RoutesContext): Promise<HttpReply> {
  const id = param(call, "id");
  const view = () => {
    const service = context.registry.state.services.get(id);
    if (!service) throw notFound(`unknown service ID: ${id}`);
    return serviceView(service, context.identity.datacenter);
  };
  const hash = call.query.get("hash") ?? "";
  if (hash !== "" && contentHash(view()) === hash) {
    await waitForChange(call, context, () => {
      const service = context.registry.state.services.get(id);
      return !service || contentHash(serviceView(service, context.identity.datacenter)) !== hash;
    });
  }
  const now = view();
  const current = contentHash(now);
  return jsonReply({ ...now, ContentHash: current }, call.pretty, 200, { "x-consul-contenthash": current });
}

const defaultWait = 300_000;
const longestWait = 600_000;

async function waitForChange(call: Call, { registry, clock }: RoutesContext, isOver: () => boolean): Promise<void> {
  const over = new AbortController();
  const stop = registry.listen(() => isOver() && over.abort());
  const signal = AbortSignal.any([over.signal, call.request.signal]);
  await clock.sleep(parseWait(call.query.get("wait")), signal).catch(() => undefined);
  stop();
}

function parseWait(text: string | null): number {
  if (!text) return defaultWait;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw badRequest("Invalid wait time");
  const wait = toMilliseconds(parsed.duration);
  return wait <= 0 ? defaultWait : Math.min(wait, longestWait);
}

function unknownService(id: string) {
  return notFound(
    `Unknown service ID ${JSON.stringify(id)}. Ensure that the service ID is passed, not the service name.`,
  );
}

function isTrue(text: string | null): boolean {
  return text !== null && !/^(0|f|false)$/i.test(text);
}
