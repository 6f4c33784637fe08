import { createHash } from "node:crypto";
import { clientErrors } from "@millwright/clients/errors";
import { isKind, type OperationalError } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import { nodeErrors } from "./errors.ts";
import type { IdentityKeeper } from "./kept-identity.ts";
import type { Authorizer, Decision, Permission } from "./permissions.ts";
import type { Servers } from "./servers.ts";

export interface ServerAuthorizerOptions {
  readonly servers: Servers;
  readonly kept: IdentityKeeper;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Asks the servers what a token may do, and remembers the answer for a while; while no server can be reached, the last
 * answer holds, and who shows no token may do all where the servers had no access control at the join. Before the first
 * join there is nothing to guard but what would be done later in the node's name: what is about the node itself is allowed,
 * and all where no server is known.
 */
export function serverAuthorizer(options: ServerAuthorizerOptions): Authorizer {
  const known = new Map<string, Known>();
  return {
    grantsOf: (token) => ({ decide: (permissions) => decide(token, permissions, known, options) }),
  };
}

interface Known {
  readonly decision: Decision;
  readonly until: number;
}

const holdMilliseconds = 30_000;
const mostKnown = 10_000;
const patienceMilliseconds = 5_000;

async function decide(
  token: string,
  permissions: readonly Permission[],
  known: Map<string, Known>,
  options: ServerAuthorizerOptions,
): Promise<readonly Decision[]> {
  const digest = createHash("sha256").update(token).digest("base64");
  const keyOf = ({ resource, access, name }: Permission) => `${digest} ${resource}:${access} ${name}`;
  const now = options.clock.monotonic();
  // Taken before anything is waited for: others may put answers in and out meanwhile.
  const held = permissions.map((permission) => known.get(keyOf(permission)));
  const missing = permissions.filter((_, i) => (held[i]?.until ?? 0) <= now);
  const fresh = missing.length === 0 ? noAnswers : await ask(token, missing, options);
  if (fresh.kind === "nobody") {
    if (permissions.some((permission, i) => !held[i] && !isOpen(token, permission, options))) throw fresh.error;
    return held.map((last) => last?.decision ?? "allow");
  }
  if (known.size > mostKnown) known.clear();
  const answers = new Map(missing.map((permission, i) => [keyOf(permission), fresh.decisions[i] ?? "deny"]));
  for (const [key, decision] of answers) known.set(key, { decision, until: now + holdMilliseconds });
  return permissions.map((permission, i) => answers.get(keyOf(permission)) ?? held[i]?.decision ?? "deny");
}

const noAnswers: Asked = { kind: "answer", decisions: [] };

type Asked =
  | { readonly kind: "answer"; readonly decisions: readonly Decision[] }
  /** No server can say. */
  | { readonly kind: "nobody"; readonly error: OperationalError };

async function ask(
  token: string,
  permissions: readonly Permission[],
  { servers, signal }: ServerAuthorizerOptions,
): Promise<Asked> {
  const questions = permissions.map(({ resource, access, name }) => ({ resource, access, segment: name }));
  try {
    const allowed = await servers.call((client, within) => client.acl.authorize(questions, { token, signal: within }), {
      signal,
      patienceMilliseconds,
    });
    return { kind: "answer", decisions: allowed.map((isAllowed) => (isAllowed ? "allow" : "deny")) };
  } catch (error) {
    if (isKind(error, clientErrors.denied))
      return { kind: "answer", decisions: permissions.map(() => "unknown-token" as const) };
    if (isKind(error, nodeErrors.noServer)) return { kind: "nobody", error };
    throw error;
  }
}

function isOpen(token: string, { resource }: Permission, { servers, kept }: ServerAuthorizerOptions): boolean {
  const joined = kept.get();
  if (joined) return joined.openAccess && token === "";
  return servers.addresses.length === 0 || resource === "agent";
}
