import { OperationalError } from "@millwright/core/errors";
import { nodeErrors } from "./errors.ts";

/** What a request to a node's own routes needs to be allowed. */
export interface Permission {
  readonly resource: "agent" | "node" | "service";
  readonly access: "read" | "write";
  readonly name: string;
}

export type Decision = "allow" | "deny" | "unknown-token";

/** What one token may do, as a server says. */
export interface Grants {
  /** The decisions in the order of the permissions. Rejects with `noServer` where no server can say. */
  decide(permissions: readonly Permission[]): Promise<readonly Decision[]>;
}

/** Who may do what on this node. Tokens are secret: an implementation keeps them out of logs and messages. */
export interface Authorizer {
  /** `token` is empty for a request without one, which is then anonymous. */
  grantsOf(token: string): Grants;
}

/** Throws `denied` unless all permissions are granted. The only place where permission is checked. */
export async function checkPermissions(grants: Grants, permissions: readonly Permission[]): Promise<void> {
  if (permissions.length === 0) return;
  const decisions = await grants.decide(permissions);
  if (decisions.includes("unknown-token")) throw new OperationalError(nodeErrors.denied, "ACL not found");
  const missing = permissions[decisions.indexOf("deny")];
  if (missing) throw new OperationalError(nodeErrors.denied, denialText(missing));
}

/** Those of `items` whose permission is granted, for lists that leave out what may not be seen. */
export async function onlyGranted<T>(
  grants: Grants,
  items: readonly T[],
  permissionOf: (item: T) => Permission,
): Promise<readonly T[]> {
  if (items.length === 0) return items;
  const decisions = await grants.decide(items.map(permissionOf));
  return items.filter((_, i) => decisions[i] === "allow");
}

/** Everybody may do everything: a node whose servers have no access control. */
export const allowAll: Authorizer = {
  grantsOf: () => ({ decide: async (permissions) => permissions.map(() => "allow") }),
};

function denialText({ resource, access, name }: Permission): string {
  return `Permission denied: the request's token lacks permission '${resource}:${access}' on "${name}". Give one that has it (X-Consul-Token, -token, CONSUL_HTTP_TOKEN).`;
}
