import type { Clock } from "@millwright/core/ports";
import type { CheckRunner } from "./check-runner.ts";
import type { NodeIdentity } from "./identity.ts";
import type { Keeper } from "./keeper.ts";
import type { Member } from "./member.ts";
import type { Permission } from "./permissions.ts";
import type { Registry } from "./registry.ts";
import type { Call } from "./route.ts";
import type { Servers } from "./servers.ts";

/** What the routes of a node work on. */
export interface RoutesContext {
  readonly identity: NodeIdentity;
  readonly registry: Registry;
  readonly runner: CheckRunner;
  readonly keeper: Keeper;
  readonly member: Member;
  readonly servers: Servers;
  readonly nodeToken: () => string;
  /** Which scripts may be registered: none, those of the configuration, or also those of the API. */
  readonly scriptChecks: "none" | "local" | "all";
  /** Leaves the datacenter, and tells who runs the node. */
  readonly leave: () => Promise<void>;
  /** Reads the configuration again; undefined where there is none. */
  readonly reload?: () => Promise<void>;
  readonly clock: Clock;
}

/** What it takes to see or change the node itself. */
export function agentPermission(access: "read" | "write", context: Pick<RoutesContext, "identity">) {
  const permission: Permission = { resource: "agent", access, name: context.identity.name };
  return { kind: "needs", what: `agent:${access} on this node`, of: () => [permission] } as const;
}

/** What it takes to see or change a service of this node; nothing where it is not known: the handler says so. */
export function servicePermissions(access: "read" | "write", id: string, { registry }: RoutesContext): Permission[] {
  const service = registry.state.services.get(id);
  return service ? [{ resource: "service", access, name: service.definition.name }] : [];
}

/** The same for a check, which is its service's or the node's. */
export function checkPermissions(access: "read" | "write", id: string, context: RoutesContext): Permission[] {
  const check = context.registry.state.checks.get(id);
  if (!check) return [];
  const { serviceId } = check.definition;
  if (serviceId !== "") return servicePermissions(access, serviceId, context);
  return [{ resource: "node", access, name: context.identity.name }];
}

/** A parameter of the path; the route's pattern says that it is there. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? "";
}
