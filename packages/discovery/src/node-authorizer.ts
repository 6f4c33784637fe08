import { createHash } from "node:crypto";
import { folded } from "@millwright/records/table";
import type { Authorizer, Decision, Grants, Permission } from "./permissions.ts";
import type { DiscoveryState } from "./state.ts";
import type { Row } from "./tables.ts";

/**
 * Adds the tokens that nodes got when they joined. A node's token may write that node, its services, checks and sessions, and
 * read what is in the catalog; anything else it may read as a request without a token may, and never write.
 */
export function nodeAuthorizer(inner: Authorizer, state: () => DiscoveryState): Authorizer {
  return {
    defaultPolicy: inner.defaultPolicy,
    grantsOf: (token) => {
      const identity = token === "" ? undefined : identityOf(state(), token);
      return identity ? nodeGrants(identity.node, inner.grantsOf("")) : inner.grantsOf(token);
    },
  };
}

/** Which node a token is of. */
export function identityOf(state: DiscoveryState, token: string): Row<"nodetoken"> | undefined {
  return state.row("nodetoken", tokenKey(token));
}

/** The key of a token's record: the server keeps no token. */
export function tokenKey(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function nodeGrants(node: string, anonymous: Grants): Grants {
  const own = (name: string): Decision => (folded(name) === folded(node) ? { kind: "allow" } : { kind: "deny", node });
  return {
    unrestricted: false,
    decide: (permission: Permission) => {
      switch (permission.resource) {
        case "node":
        case "session":
          return permission.access === "read" ? { kind: "allow" } : own(permission.name);
        case "service":
          return permission.access === "read" ? { kind: "allow" } : own(permission.node);
        default: {
          const readable = permission.access === "read" && anonymous.decide(permission).kind === "allow";
          return readable ? { kind: "allow" } : { kind: "deny", node };
        }
      }
    },
  };
}
