import type { Capability } from "./permissions.ts";
import type { RoutePermission } from "./route.ts";

/** Needs a capability in the namespace that is asked for. */
export function capability(name: Capability): RoutePermission {
  return {
    kind: "needs",
    what: name,
    of: ({ namespace }) => [{ resource: "namespace", capability: name, namespace }],
  };
}

/** Needs access to what is said of nodes, servers or the whole. */
export function access(resource: "node" | "agent" | "operator", how: "read" | "write"): RoutePermission {
  return { kind: "needs", what: `${resource}:${how}`, of: () => [{ resource, access: how }] };
}

/** Needs a token that may do everything. */
export const management: RoutePermission = {
  kind: "needs",
  what: "management",
  of: () => [{ resource: "management" }],
};

export function everyone(why: string): RoutePermission {
  return { kind: "everyone", why };
}
