import { isObject } from "../objects.ts";
import { unknownFieldWarnings } from "../replies.ts";
import { fieldsOf } from "../request-fields.ts";
import { type Reading, refused } from "./database-config.ts";
import { placeholdersIn, splitStatements, statementTexts } from "./statements.ts";

/** What a login is made with, and how it is renewed and taken back. */
export interface DatabaseRole {
  readonly database: string;
  readonly creation: readonly string[];
  readonly revocation: readonly string[];
  readonly rollback: readonly string[];
  readonly renewal: readonly string[];
  /** Seconds; 0 takes the mount's. */
  readonly defaultTtl: number;
  readonly maxTtl: number;
}

const statementFields = {
  creation_statements: "creation",
  revocation_statements: "revocation",
  rollback_statements: "rollback",
  renew_statements: "renewal",
} as const satisfies Record<string, keyof DatabaseRole>;

type StatementName = (typeof statementFields)[keyof typeof statementFields];
type Statements = Readonly<Record<StatementName, readonly string[]>>;

const fieldNames: readonly string[] = [
  ...Object.keys(statementFields),
  ...["db_name", "default_ttl", "max_ttl", "credential_type", "credential_config"],
];

const noRole: DatabaseRole = {
  ...{ database: "", creation: [], revocation: [], rollback: [], renewal: [], defaultTtl: 0, maxTtl: 0 },
};

/** Reads a write of `roles/NAME` over what the role was before. */
export function readRole(
  data: Readonly<Record<string, unknown>>,
  before: DatabaseRole = noRole,
): Reading<DatabaseRole> {
  const fields = fieldsOf(data);
  const credentialType = fields.text("credential_type") ?? "password";
  if (credentialType !== "password")
    return refused(`credential_type: ${JSON.stringify(credentialType)} is not here. There is: password.`);
  if (data["credential_config"] !== undefined && Object.keys(fields.map("credential_config") ?? {}).length > 0)
    return refused("credential_config is not supported: passwords are 20 random letters. Leave it out.");
  const statements = readStatements(data, before);
  if (typeof statements === "string") return refused(statements);
  const role: DatabaseRole = {
    ...statements,
    database: fields.text("db_name") ?? before.database,
    defaultTtl: fields.seconds("default_ttl") ?? before.defaultTtl,
    maxTtl: fields.seconds("max_ttl") ?? before.maxTtl,
  };
  if (role.database === "")
    return refused("db_name is missing: the name of the database's configuration, config/NAME.");
  if (role.creation.length === 0)
    return refused(
      `creation_statements are missing: CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}'; GRANT …`,
    );
  if (role.defaultTtl < 0 || role.maxTtl < 0) return refused("default_ttl and max_ttl are not below 0.");
  if (role.maxTtl > 0 && role.defaultTtl > role.maxTtl) return refused("default_ttl is longer than max_ttl.");
  return {
    ok: true,
    value: role,
    warnings: [...unknownFieldWarnings(data, fieldNames), ...placeholderWarnings("creation_statements", role.creation)],
  };
}

/** What `roles/NAME` tells. */
export function roleData(role: DatabaseRole): Readonly<Record<string, unknown>> {
  return {
    creation_statements: role.creation,
    credential_type: "password",
    db_name: role.database,
    default_ttl: role.defaultTtl,
    max_ttl: role.maxTtl,
    renew_statements: role.renewal,
    revocation_statements: role.revocation,
    rollback_statements: role.rollback,
  };
}

/** Why these statements cannot be cut into single ones; nothing where they can. */
export function statementsFault(field: string, texts: readonly string[]): string | undefined {
  for (const text of texts) {
    const split = splitStatements(text);
    if (!split.ok) return `${field}: ${split.fault}`;
  }
  return undefined;
}

/** Warnings of placeholders that are missing, or that are none. */
export function placeholderWarnings(field: string, texts: readonly string[]): readonly string[] {
  const used = placeholdersIn(texts);
  const known = ["name", "username", "password", "expiration"];
  const unknown = used.filter((name) => !known.includes(name));
  const warnings = unknown.map(
    (name) => `${field}: {{${name}}} is not filled. There are: {{${known.join("}}, {{")}}}.`,
  );
  if (!used.includes("name") && !used.includes("username"))
    warnings.push(`${field} never use "{{name}}": no login of that name will be made.`);
  if (!used.includes("password")) warnings.push(`${field} never use '{{password}}': the login will have none.`);
  return warnings;
}

export function decodeRole(value: Uint8Array): DatabaseRole {
  const role: unknown = JSON.parse(Buffer.from(value).toString());
  return isObject(role) ? { ...noRole, ...role } : noRole;
}

function readStatements(data: Readonly<Record<string, unknown>>, before: DatabaseRole): Statements | string {
  const read: Record<StatementName, readonly string[]> = { ...before };
  for (const [field, name] of Object.entries(statementFields)) {
    if (data[field] === undefined || data[field] === null) continue;
    const texts = statementTexts(data[field]);
    if (!texts) return `${field}: a list of statements, or one text, is expected.`;
    const fault = statementsFault(field, texts);
    if (fault !== undefined) return fault;
    read[name] = texts;
  }
  return { creation: read.creation, revocation: read.revocation, rollback: read.rollback, renewal: read.renewal };
}
