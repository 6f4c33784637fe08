import { OperationalError } from "@millwright/core/errors";
import { secretsErrors } from "../errors.ts";
import type { Fields } from "../request-fields.ts";
import { fieldsOf } from "../request-fields.ts";

/** Whom a login lets in, and what the token is that they get. Lengths are seconds; 0 is the standard. */
export interface JwtRole {
  readonly name: string;
  readonly boundAudiences: readonly string[];
  readonly boundSubject: string;
  /** Claims with the values one of which each must have. */
  readonly boundClaims: Readonly<Record<string, readonly string[]>>;
  readonly boundClaimsType: "string" | "glob";
  readonly userClaim: string;
  /** Claims with the names under which they are told as the token's metadata. */
  readonly claimMappings: Readonly<Record<string, string>>;
  readonly clockSkewLeeway: number;
  readonly expirationLeeway: number;
  readonly notBeforeLeeway: number;
  readonly policies: readonly string[];
  readonly ttl: number;
  readonly maxTtl: number;
  readonly explicitMaxTtl: number;
  readonly period: number;
  readonly numUses: number;
  readonly withDefaultPolicy: boolean;
  /** As it was asked for; all are service tokens. Not there in roles of earlier versions. */
  readonly tokenType?: string;
}

export const jwtRoleFields = [
  "name",
  "role_type",
  "bound_audiences",
  "bound_subject",
  "bound_claims",
  "bound_claims_type",
  "user_claim",
  "user_claim_json_pointer",
  "claim_mappings",
  "clock_skew_leeway",
  "expiration_leeway",
  "not_before_leeway",
  "policies",
  "token_policies",
  "ttl",
  "token_ttl",
  "max_ttl",
  "token_max_ttl",
  "token_explicit_max_ttl",
  "period",
  "token_period",
  "num_uses",
  "token_num_uses",
  "token_no_default_policy",
  "token_type",
] as const;

/** The role that a write makes of the one there is. Throws `badRequest` for what cannot be. */
export function changedRole(
  name: string,
  known: JwtRole | undefined,
  data: Readonly<Record<string, unknown>>,
): JwtRole {
  const fields = fieldsOf(data);
  refuseMissingParts(fields);
  const seconds = (...names: readonly string[]) => firstOf(names, (field) => fields.seconds(field));
  const noDefault = fields.boolean("token_no_default_policy");
  const role: JwtRole = {
    name,
    boundAudiences: fields.texts("bound_audiences") ?? known?.boundAudiences ?? [],
    boundSubject: fields.text("bound_subject") ?? known?.boundSubject ?? "",
    boundClaims: boundClaimsOf(fields) ?? known?.boundClaims ?? {},
    boundClaimsType: claimsTypeOf(fields.text("bound_claims_type")) ?? known?.boundClaimsType ?? "string",
    userClaim: fields.text("user_claim") ?? known?.userClaim ?? "",
    claimMappings: fields.textMap("claim_mappings") ?? known?.claimMappings ?? {},
    clockSkewLeeway: seconds("clock_skew_leeway") ?? known?.clockSkewLeeway ?? 0,
    expirationLeeway: seconds("expiration_leeway") ?? known?.expirationLeeway ?? 0,
    notBeforeLeeway: seconds("not_before_leeway") ?? known?.notBeforeLeeway ?? 0,
    policies: fields.texts("token_policies") ?? fields.texts("policies") ?? known?.policies ?? [],
    ttl: seconds("token_ttl", "ttl") ?? known?.ttl ?? 0,
    maxTtl: seconds("token_max_ttl", "max_ttl") ?? known?.maxTtl ?? 0,
    explicitMaxTtl: seconds("token_explicit_max_ttl") ?? known?.explicitMaxTtl ?? 0,
    period: seconds("token_period", "period") ?? known?.period ?? 0,
    numUses: firstOf(["token_num_uses", "num_uses"], (field) => fields.integer(field)) ?? known?.numUses ?? 0,
    withDefaultPolicy: noDefault === undefined ? (known?.withDefaultPolicy ?? true) : !noDefault,
    tokenType: fields.text("token_type") || known?.tokenType || "default",
  };
  refuseFaults(role);
  return role;
}

/** What a read of a role tells. */
export function roleData(role: JwtRole): Readonly<Record<string, unknown>> {
  return {
    role_type: "jwt",
    bound_audiences: role.boundAudiences,
    bound_subject: role.boundSubject,
    bound_claims: role.boundClaims,
    bound_claims_type: role.boundClaimsType,
    user_claim: role.userClaim,
    // A name with a slash at its beginning is a pointer, with or without this.
    user_claim_json_pointer: role.userClaim.startsWith("/"),
    claim_mappings: role.claimMappings,
    clock_skew_leeway: role.clockSkewLeeway,
    expiration_leeway: role.expirationLeeway,
    not_before_leeway: role.notBeforeLeeway,
    token_policies: role.policies,
    token_ttl: role.ttl,
    token_max_ttl: role.maxTtl,
    token_explicit_max_ttl: role.explicitMaxTtl,
    token_period: role.period,
    token_num_uses: role.numUses,
    token_no_default_policy: !role.withDefaultPolicy,
    token_type: role.tokenType ?? "default",
  };
}

// What would make a role narrower must not be passed over in silence.
function refuseMissingParts(fields: Fields): void {
  const type = fields.text("role_type");
  if (type !== undefined && type !== "" && type !== "jwt") {
    throw refusal(`role_type: there is "jwt" only, not "${type}"`);
  }
  const tokenType = fields.text("token_type");
  if (tokenType !== undefined && !["", "default", "service", "default-service"].includes(tokenType)) {
    throw refusal(`token_type: there are no tokens of type "${tokenType}"`);
  }
  for (const name of ["token_bound_cidrs", "bound_cidrs"]) {
    if ((fields.texts(name) ?? []).length > 0) throw refusal(`${name}: a login cannot be bound to addresses here`);
  }
  if ((fields.text("groups_claim") ?? "") !== "") throw refusal("groups_claim: there are no groups here");
}

function refuseFaults(role: JwtRole): void {
  if (role.userClaim === "") throw refusal("a user claim must be defined on the role: user_claim=sub, for one");
  if (role.boundAudiences.length === 0 && role.boundSubject === "" && Object.keys(role.boundClaims).length === 0) {
    throw refusal(
      "must have at least one bound constraint when creating/updating a role: bound_audiences, bound_subject or bound_claims",
    );
  }
  const { ttl, maxTtl, explicitMaxTtl, period, numUses } = role;
  if ([ttl, maxTtl, explicitMaxTtl, period, numUses].some((count) => count < 0)) {
    throw refusal("the token's times and uses are not negative");
  }
  if (maxTtl > 0 && ttl > maxTtl) throw refusal("token_ttl should not be greater than token_max_ttl");
  const keys = Object.values(role.claimMappings);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw refusal(`claim_mappings: multiple keys are mapped to metadata key "${twice}"`);
  if (keys.includes("role")) throw refusal('claim_mappings: the metadata key "role" is taken by the name of the role');
}

function boundClaimsOf(fields: Fields): Readonly<Record<string, readonly string[]>> | undefined {
  const map = fields.map("bound_claims");
  if (!map) return undefined;
  return Object.fromEntries(
    Object.entries(map).map(([claim, value]) => {
      const values = (Array.isArray(value) ? value : [value]).map((item: unknown) => {
        if (typeof item === "string" || typeof item === "number" || typeof item === "boolean") return String(item);
        throw refusal(`bound_claims: the values of "${claim}" are texts, numbers, true or false`);
      });
      return [claim, values];
    }),
  );
}

function claimsTypeOf(text: string | undefined): JwtRole["boundClaimsType"] | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "string" || text === "glob") return text;
  throw refusal(`bound_claims_type: "string" or "glob" is expected`);
}

function firstOf<T>(names: readonly string[], read: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const value = read(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function refusal(message: string): OperationalError {
  return new OperationalError(secretsErrors.badRequest, message);
}
