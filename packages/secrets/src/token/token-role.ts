import { OperationalError } from "@millwright/core/errors";
import { secretsErrors } from "../errors.ts";
import type { SecretStorage } from "../storage.ts";
import { fieldsOf } from "../request-fields.ts";

/** What tokens that are made under its name are like. Lengths are seconds, 0 where nothing is said. */
export interface TokenRole {
  readonly name: string;
  readonly allowedPolicies: readonly string[];
  /** With stars, which stand for any text. */
  readonly allowedPolicyGlobs: readonly string[];
  readonly disallowedPolicies: readonly string[];
  readonly disallowedPolicyGlobs: readonly string[];
  readonly orphan: boolean;
  readonly renewable: boolean;
  readonly period: number;
  readonly explicitMaxTtl: number;
  readonly numUses: number;
  readonly withDefaultPolicy: boolean;
}

/** The fields of a role that are known; anything else is warned of. */
export const tokenRoleFields = [
  "name",
  "role_name",
  "allowed_policies",
  "allowed_policies_glob",
  "disallowed_policies",
  "disallowed_policies_glob",
  "orphan",
  "renewable",
  "period",
  "token_period",
  "explicit_max_ttl",
  "token_explicit_max_ttl",
  "token_num_uses",
  "token_no_default_policy",
  "token_type",
  "token_bound_cidrs",
  "bound_cidrs",
  "allowed_entity_aliases",
  "path_suffix",
] as const;

/** The role that a write makes of the one there is. Throws `badRequest` for what cannot be. */
export function changedRole(
  name: string,
  known: TokenRole | undefined,
  data: Readonly<Record<string, unknown>>,
): TokenRole {
  const fields = fieldsOf(data);
  for (const narrowing of ["token_bound_cidrs", "bound_cidrs", "allowed_entity_aliases", "path_suffix"]) {
    if ((fields.texts(narrowing) ?? []).length === 0) continue;
    throw new OperationalError(secretsErrors.badRequest, `${narrowing}: a role cannot be narrowed by it here`);
  }
  const names = (field: string, before: readonly string[] = []) =>
    fields.texts(field)?.map((policy) => policy.toLowerCase()) ?? before;
  const noDefault = fields.boolean("token_no_default_policy");
  return {
    name,
    allowedPolicies: names("allowed_policies", known?.allowedPolicies),
    allowedPolicyGlobs: names("allowed_policies_glob", known?.allowedPolicyGlobs),
    disallowedPolicies: names("disallowed_policies", known?.disallowedPolicies),
    disallowedPolicyGlobs: names("disallowed_policies_glob", known?.disallowedPolicyGlobs),
    orphan: fields.boolean("orphan") ?? known?.orphan ?? false,
    renewable: fields.boolean("renewable") ?? known?.renewable ?? true,
    period: fields.seconds("token_period") ?? fields.seconds("period") ?? known?.period ?? 0,
    explicitMaxTtl:
      fields.seconds("token_explicit_max_ttl") ?? fields.seconds("explicit_max_ttl") ?? known?.explicitMaxTtl ?? 0,
    numUses: fields.integer("token_num_uses") ?? known?.numUses ?? 0,
    withDefaultPolicy: noDefault === undefined ? (known?.withDefaultPolicy ?? true) : !noDefault,
  };
}

/** What a read of a role tells. */
export function roleData(role: TokenRole): Readonly<Record<string, unknown>> {
  return {
    name: role.name,
    allowed_policies: role.allowedPolicies,
    allowed_policies_glob: role.allowedPolicyGlobs,
    disallowed_policies: role.disallowedPolicies,
    disallowed_policies_glob: role.disallowedPolicyGlobs,
    orphan: role.orphan,
    renewable: role.renewable,
    period: role.period,
    token_period: role.period,
    explicit_max_ttl: role.explicitMaxTtl,
    token_explicit_max_ttl: role.explicitMaxTtl,
    token_num_uses: role.numUses,
    token_bound_cidrs: [],
    path_suffix: "",
    token_no_default_policy: !role.withDefaultPolicy,
    token_type: "default-service",
  };
}

const folder = "roles/";

export async function readRole(storage: SecretStorage, name: string): Promise<TokenRole | undefined> {
  const stored = await storage.get(folder + name.toLowerCase());
  return stored && (JSON.parse(Buffer.from(stored.value).toString()) as TokenRole);
}

export async function writeRole(storage: SecretStorage, role: TokenRole): Promise<void> {
  const path = folder + role.name.toLowerCase();
  await storage.commit([{ op: "put", path, value: Buffer.from(JSON.stringify(role)) }]);
}

export async function deleteRole(storage: SecretStorage, name: string): Promise<void> {
  await storage.commit([{ op: "delete", path: folder + name.toLowerCase() }]);
}

export function listRoles(storage: SecretStorage): Promise<readonly string[]> {
  return storage.list(folder);
}
