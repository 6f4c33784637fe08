import { createHash, timingSafeEqual } from "node:crypto";
import { assertNever, OperationalError } from "@millwright/core/errors";
import { orchestratorErrors } from "../errors.ts";

/** What somebody may do with the jobs of a namespace, in Nomad's words. */
export type Capability =
  | "list-jobs"
  | "parse-job"
  | "read-job"
  | "submit-job"
  | "scale-job"
  | "read-job-scaling"
  | "read-logs"
  | "read-fs"
  | "alloc-exec"
  | "alloc-lifecycle";

/** What a request needs to be allowed. */
export type Permission =
  /** `namespace` may be `*`, for a look at all of them. */
  | { readonly resource: "namespace"; readonly capability: Capability; readonly namespace: string }
  | { readonly resource: "node" | "agent" | "operator"; readonly access: "read" | "write" }
  /** Who may do everything. */
  | { readonly resource: "management" };

export type Decision = "allow" | "deny" | "unknown-token";

/** Who may do what. Tokens are secret: an implementation keeps them out of logs and messages. */
export interface Authorizer {
  /** `token` is empty for a request without one, which is then anonymous. Looked up once a request. */
  grantsOf(token: string): Grants;
}

/** What one token may do. */
export interface Grants {
  decide(permission: Permission): Decision;
}

/** Throws `denied` unless the permission is granted. The only place where permission is checked. */
export function checkPermission(grants: Grants, permission: Permission): void {
  const decision = grants.decide(permission);
  switch (decision) {
    case "allow":
      return;
    case "unknown-token":
      throw new OperationalError(orchestratorErrors.denied, "ACL token not found");
    case "deny":
      throw new OperationalError(orchestratorErrors.denied, "Permission denied");
    default:
      assertNever(decision);
  }
}

/** The permissions of a server that has no access control: everybody may do everything. */
export const allowAll: Authorizer = { grantsOf: () => always("allow") };

/** One token that may do everything, beside the anonymous one that may do what the default policy says. */
export function managementToken(settings: {
  readonly defaultPolicy: "allow" | "deny";
  readonly token: string;
}): Authorizer {
  const known = digest(settings.token);
  const anonymous = always(settings.defaultPolicy);
  return {
    grantsOf: (token) => {
      if (token === "") return anonymous;
      return always(timingSafeEqual(digest(token), known) ? "allow" : "unknown-token");
    },
  };
}

function always(decision: Decision): Grants {
  return { decide: () => decision };
}

// Digests have one length, as the comparison in constant time needs.
function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
