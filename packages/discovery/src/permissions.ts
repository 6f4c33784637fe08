import { createHash, timingSafeEqual } from "node:crypto";
import { assertNever, OperationalError } from "@millwright/core/errors";
import { discoveryErrors } from "./errors.ts";

/** What a request needs to be allowed. */
export type Permission =
  | { readonly resource: "key"; readonly access: "read" | "write"; readonly name: string }
  /** Every key that starts with `name`. */
  | { readonly resource: "key-prefix"; readonly access: "write"; readonly name: string }
  | { readonly resource: "node"; readonly access: "read" | "write"; readonly name: string }
  /** `node` is the node that an instance is written on: the node itself may do that for any of its services. */
  | { readonly resource: "service"; readonly access: "read"; readonly name: string }
  | { readonly resource: "service"; readonly access: "write"; readonly name: string; readonly node: string }
  /** What is said of the servers themselves. */
  | { readonly resource: "operator"; readonly access: "read" }
  /** Custom events of the name. */
  | { readonly resource: "event"; readonly access: "read" | "write"; readonly name: string }
  /** Sessions of the node. */
  | { readonly resource: "session"; readonly access: "read" | "write"; readonly name: string }
  | { readonly resource: "agent"; readonly access: "read"; readonly name: string }
  /** All of the server's state at once. */
  | { readonly resource: "acl"; readonly access: "write" };

export type Decision =
  | { readonly kind: "allow" }
  /**
   * `accessor` names the token that lacks the permission, without giving it away, `node` the node whose token it is; neither
   * is there for the anonymous token.
   */
  | { readonly kind: "deny"; readonly accessor?: string; readonly node?: string }
  | { readonly kind: "unknown-token" };

/** Who may do what. Tokens are secret: an implementation keeps them out of logs and messages. */
export interface Authorizer {
  /** What holds where nothing else is said; told in each answer's headers. */
  readonly defaultPolicy: "allow" | "deny";
  /** `token` is empty for a request without one, which is then anonymous. Looked up once a request. */
  grantsOf(token: string): Grants;
}

/** What one token may do. */
export interface Grants {
  /** Whether it may do everything: a list then needs no look at each key. */
  readonly unrestricted: boolean;
  decide(permission: Permission): Decision;
}

/** Throws `denied` or `unknownToken` unless the permission is granted. The only place where permission is checked. */
export function checkPermission(grants: Grants, permission: Permission): void {
  const decision = grants.decide(permission);
  switch (decision.kind) {
    case "allow":
      return;
    case "unknown-token":
      throw new OperationalError(discoveryErrors.unknownToken, "ACL not found");
    case "deny":
      throw new OperationalError(discoveryErrors.denied, denialText(decision, permission));
    default:
      assertNever(decision);
  }
}

/** Throws `unknownToken` for a token that nobody knows: it is refused, not shown a list without items. */
export function checkKnown(grants: Grants): void {
  if (!isKnown(grants)) throw new OperationalError(discoveryErrors.unknownToken, "ACL not found");
}

/** Whether the token is known at all. */
export function isKnown(grants: Grants): boolean {
  return grants.unrestricted || grants.decide({ resource: "node", access: "read", name: "" }).kind !== "unknown-token";
}

/** Whether a list may show what needs this permission. */
export function mayRead(grants: Grants, permission: Permission): boolean {
  return grants.unrestricted || grants.decide(permission).kind === "allow";
}

/** The permissions of a server that has no access control: everybody may do everything. */
export const allowAll: Authorizer = { defaultPolicy: "allow", grantsOf: () => everything };

const everything: Grants = { unrestricted: true, decide: () => ({ kind: "allow" }) };

/** One token that may do everything, beside the anonymous one that may do what the default policy says. */
export function staticTokens(settings: {
  readonly defaultPolicy: "allow" | "deny";
  readonly master: string;
}): Authorizer {
  const { defaultPolicy } = settings;
  const master = digest(settings.master);
  const anonymous = defaultPolicy === "allow" ? everything : always({ kind: "deny" });
  return {
    defaultPolicy,
    grantsOf: (token) => {
      // Clients may name the anonymous token, too.
      if (token === "" || token === "anonymous") return anonymous;
      return timingSafeEqual(digest(token), master) ? everything : always({ kind: "unknown-token" });
    },
  };
}

function always(decision: Decision): Grants {
  return { unrestricted: false, decide: () => decision };
}

function denialText({ accessor, node }: Decision & { kind: "deny" }, permission: Permission): string {
  const resource = permission.resource === "key-prefix" ? "key" : permission.resource;
  const lacks = `lacks permission '${resource}:${permission.access}'`;
  const on = "name" in permission && permission.name !== "" ? ` on "${permission.name}"` : "";
  if (node !== undefined) {
    const where = "node" in permission ? ` of node "${permission.node}"` : "";
    return `Permission denied: the identity of node "${node}" ${lacks}${on}${where}. A node writes its own part of the catalog.`;
  }
  if (accessor !== undefined) return `Permission denied: token with AccessorID '${accessor}' ${lacks}${on}`;
  const hint = "The anonymous token is used implicitly when a request does not specify a token.";
  return `Permission denied: anonymous token ${lacks}${on}. ${hint}`;
}

// Digests have one length, as the comparison in constant time needs.
function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
