import { OperationalError } from "@millwright/core/errors";
import type { Caller, TokenGrant } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import { fieldsOf } from "../request-fields.ts";
import { matchesGlob } from "../text-glob.ts";
import type { TokenRole } from "./token-role.ts";
import { policiesOf } from "./token-store.ts";
import type { TokenView } from "./tokens.ts";

/** Who asks for a token, and in which way. */
export interface TokenRequest {
  readonly caller: Caller;
  /** The caller's own token. */
  readonly parent: TokenView;
  readonly hasSudo: boolean;
  /** By `create-orphan`, which a policy allows by itself. */
  readonly asOrphan: boolean;
  readonly role?: TokenRole;
  readonly data: Readonly<Record<string, unknown>>;
}

export const tokenRequestFields = [
  "id",
  "policies",
  "meta",
  "no_parent",
  "no_default_policy",
  "renewable",
  "ttl",
  "lease",
  "type",
  "explicit_max_ttl",
  "display_name",
  "num_uses",
  "period",
] as const;

/** The token that is asked for, where the caller may make it: a child never has a right that its parent lacks, without sudo. */
export function grantOf(request: TokenRequest): TokenGrant {
  const { parent, hasSudo, role, asOrphan } = request;
  const fields = fieldsOf(request.data);
  if (parent.numUses !== 0) throw refusal("restricted use token cannot generate child tokens");
  const id = fields.text("id") || undefined;
  if (id !== undefined && !hasSudo) throw refusal("root or sudo privileges required to specify token id");
  const noParent = fields.boolean("no_parent") ?? false;
  if (noParent && !hasSudo && !role?.orphan) {
    throw refusal("root or sudo privileges required to create orphan token");
  }
  const period = fields.seconds("period") ?? 0;
  if (period > 0 && !hasSudo && !role) throw refusal("root or sudo privileges required to create periodic token");
  refuseType(fields.text("type"));
  const label = fields.text("display_name");
  const isOrphan = asOrphan || noParent || (role?.orphan ?? false);
  return {
    displayName: label === undefined || label === "" ? "token" : `token-${label.replaceAll(/[^a-zA-Z0-9-]/g, "-")}`,
    policies: policiesFor(request),
    metadata: fields.textMap("meta") ?? {},
    ttl: fields.seconds("ttl") ?? fields.seconds("lease") ?? 0,
    maxTtl: 0,
    period: role?.period || (role ? 0 : period),
    renewable: (fields.boolean("renewable") ?? true) && (role?.renewable ?? true),
    numUses: lesser(fields.integer("num_uses") ?? 0, role?.numUses ?? 0),
    // Whoever named the policies above has said whether `default` is among them.
    withDefaultPolicy: false,
    explicitMaxTtl: lesser(fields.seconds("explicit_max_ttl") ?? 0, role?.explicitMaxTtl ?? 0),
    ...(isOrphan ? {} : { parent: parent.id }),
    ...(id === undefined ? {} : { id }),
  };
}

function policiesFor({ caller, hasSudo, role, data }: TokenRequest): readonly string[] {
  const fields = fieldsOf(data);
  const asked = fields.texts("policies")?.map((name) => name.toLowerCase()) ?? [];
  const noDefault = fields.boolean("no_default_policy") ?? false;
  const isRoot = caller.policies.includes("root");
  if (role) return policiesOfRole({ caller, role, asked, noDefault });
  if (asked.length === 0) {
    // A child is as its parent: also in not having `default`.
    return policiesOf({
      policies: caller.policies,
      withDefaultPolicy: !noDefault && caller.policies.includes("default"),
    });
  }
  const policies = policiesOf({ policies: asked, withDefaultPolicy: !noDefault });
  if (policies.includes("root") && !isRoot) {
    throw refusal("root tokens may not be created without parent token being root");
  }
  const beyond = policies.filter((name) => name !== "default" && !caller.policies.includes(name));
  if (!hasSudo && beyond.length > 0) {
    throw refusal(`child policies must be subset of parent: the token lacks ${beyond.join(", ")}`);
  }
  return policies;
}

interface RoleRequest {
  readonly caller: Caller;
  readonly role: TokenRole;
  readonly asked: readonly string[];
  readonly noDefault: boolean;
}

function policiesOfRole({ caller, role, asked, noDefault }: RoleRequest): readonly string[] {
  const isBounded = role.allowedPolicies.length + role.allowedPolicyGlobs.length > 0;
  const standard = role.allowedPolicies.length > 0 ? role.allowedPolicies : isBounded ? [] : caller.policies;
  const withDefaultPolicy = !noDefault && role.withDefaultPolicy;
  const wanted = asked.length > 0 ? asked : standard;
  const policies = policiesOf({ policies: wanted, withDefaultPolicy });
  if (policies.includes("root") && !caller.policies.includes("root")) {
    throw refusal("root tokens may not be created without parent token being root");
  }
  const refused = policies.filter((name) => {
    if (matches(name, role.disallowedPolicies, role.disallowedPolicyGlobs)) return true;
    if (name === "default") return false;
    if (isBounded) return !matches(name, role.allowedPolicies, role.allowedPolicyGlobs);
    return !caller.policies.includes(name) && !caller.policies.includes("root");
  });
  // What nobody asked for is left out instead.
  if (refused.length === 1 && refused[0] === "default" && !asked.includes("default")) {
    return policies.filter((name) => name !== "default");
  }
  if (refused.length > 0) throw refusal(`the role ${role.name} does not allow the policies ${refused.join(", ")}`);
  return policies;
}

function matches(name: string, names: readonly string[], globs: readonly string[]): boolean {
  return names.includes(name) || globs.some((glob) => matchesGlob(glob, name));
}

function refuseType(type: string | undefined): void {
  if (type === undefined || type === "" || type === "service" || type === "default") return;
  throw refusal(`there are no tokens of type "${type}": leave type out, or ask for "service"`);
}

/** The lesser of the two, where 0 says nothing. */
function lesser(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}

function refusal(message: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, message);
}
