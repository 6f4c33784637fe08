import type { Caller, Operation } from "../engine.ts";
import type { Acl, AclAnswer } from "../policy/acl.ts";
import type { PolicyStore } from "../policy/policy-store.ts";
import type { Tokens, UsedToken } from "../token/tokens.ts";

/** What is to be decided: may this token do this there. */
export interface AccessQuestion {
  readonly operation: Operation;
  readonly path: string;
  /** The path in its one spelling, where it was asked for in another: both must be allowed. */
  readonly onePath: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Seconds; 0 where the answer is not to be wrapped. */
  readonly wrapTtl: number;
  /** Empty where none came. */
  readonly token: string;
  /** `open`: no token is needed. `token`: any valid one is enough. */
  readonly needs: "open" | "token" | "policy" | "sudo";
  /** For a write: whether it changes something that is there. Asked once it is known that the token is valid. */
  exists(caller: Caller): Promise<boolean>;
}

export type Access =
  /** To everybody. */
  | { readonly kind: "open"; readonly operation: Operation }
  | (GrantedAccess & { readonly kind: "allowed" })
  /** `used` is there where the token is valid. */
  | { readonly kind: "refused"; readonly errors: readonly string[]; readonly used?: UsedToken };

export interface GrantedAccess {
  /** With `create` where a write creates. */
  readonly operation: Operation;
  readonly used: UsedToken;
  readonly acl: Acl;
  readonly hasSudo: boolean;
  readonly grantedBy: readonly string[];
}

/** Decides about one request. The only place where permission is decided, for the server's routes and all mounts alike. */
export async function authorize(
  question: AccessQuestion,
  { tokens, policies }: { readonly tokens: Tokens; readonly policies: PolicyStore },
): Promise<Access> {
  const { path, needs } = question;
  if (needs === "open") return { kind: "open", operation: question.operation };
  if (question.token === "") return refused("missing client token: give one in X-Vault-Token, or log in first");
  const used = await tokens.use(question.token);
  if (!used)
    return refused(
      "invalid token: it is not known here, it has come to its end, or it was revoked. Log in for a new one",
    );
  const { caller } = used;
  const acl = await policies.aclOf(caller.policies);
  const isCreate = question.operation === "update" && !(await question.exists(caller));
  const operation = isCreate ? "create" : question.operation;
  const { isAllowed, hasSudo, grantedBy } = checkBoth(acl, operation, question);
  const granted = { operation, used, acl, hasSudo, grantedBy };
  if (needs === "token" || (isAllowed && (needs !== "sudo" || hasSudo))) return { kind: "allowed", ...granted };
  const lacking = isAllowed ? "sudo" : lackingOf(acl, operation, question);
  const names = caller.policies.join(", ") || "none";
  return { ...refused(`the policies of this token (${names}) do not allow ${lacking} on ${path}`), used };
}

// Whether there is something at a path is told only to who may either make or change it.
function lackingOf(acl: Acl, operation: Operation, question: AccessQuestion): string {
  if (operation !== "create" && operation !== "update") return operation;
  const other = operation === "create" ? "update" : "create";
  return checkBoth(acl, other, question).isAllowed ? operation : "create or update";
}

function checkBoth(acl: Acl, operation: Operation, question: AccessQuestion): AclAnswer {
  const { path, onePath, data, wrapTtl } = question;
  const answer = acl.check({ operation, path, data, wrapTtl });
  if (onePath === path || !answer.isAllowed) return answer;
  const other = acl.check({ operation, path: onePath, data, wrapTtl });
  return other.isAllowed ? { ...answer, hasSudo: answer.hasSudo && other.hasSudo } : other;
}

function refused(why: string): Access & { readonly kind: "refused" } {
  // In the form that clients print well, and that says what a client may look for.
  return { kind: "refused", errors: [`2 errors occurred:\n\t* permission denied\n\t* ${why}\n\n`] };
}
