import { formatDuration, second } from "@millwright/text/duration";
import { refusal, unknownFieldWarnings } from "../replies.ts";
import type { EngineReply } from "../engine.ts";
import { fieldsOf } from "../request-fields.ts";
import { holdsPassword, parseConnection, withoutPassword } from "./connection-url.ts";
import { statementTexts } from "./statements.ts";

/** A database as it is configured: where it is, how the server logs in there, and for which roles. */
export interface DatabaseConfig {
  readonly plugin: string;
  readonly connectionUrl: string;
  readonly username: string;
  readonly password: string;
  /** A password that a rotation was about to set: it holds where the database takes it. */
  readonly nextPassword?: string;
  /** Names, with `*` at the end for all that begin so. */
  readonly allowedRoles: readonly string[];
  readonly rotationStatements: readonly string[];
  readonly maxOpen: number;
  readonly maxIdle: number;
  /** Seconds. */
  readonly maxLifetime: number;
  /** How new passwords are sent; as the server itself keeps them where it is not said. */
  readonly passwordAuthentication?: PasswordAuthentication;
  readonly isVerbatim: boolean;
  readonly isVerified: boolean;
}

export type PasswordAuthentication = "scram-sha-256" | "password";

export type Reading<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly reply: EngineReply };

export const pluginName = "postgresql-database-plugin";

const fieldNames: readonly string[] = [
  ...["plugin_name", "plugin_version", "verify_connection", "allowed_roles", "root_rotation_statements"],
  ...["root_credentials_rotate_statements", "connection_url", "username", "password", "max_open_connections"],
  ...["max_idle_connections", "max_connection_lifetime", "password_authentication", "disable_escaping"],
  ...["username_template", "password_policy"],
];

const noConfig: DatabaseConfig = {
  ...{ plugin: "", connectionUrl: "", username: "", password: "", allowedRoles: [], rotationStatements: [] },
  ...{ maxOpen: 4, maxIdle: 0, maxLifetime: 0, isVerbatim: false, isVerified: true },
};

/** Reads a write of `config/NAME` over what was configured before. */
export function readConfig(
  data: Readonly<Record<string, unknown>>,
  before: DatabaseConfig = noConfig,
): Reading<DatabaseConfig> {
  const fields = fieldsOf(data);
  const { nextPassword, ...settled } = before;
  const password = fields.text("password");
  const authentication = passwordAuthentication(
    fields.text("password_authentication") ?? before.passwordAuthentication,
  );
  if (authentication === "unknown")
    return refused(
      "password_authentication: it is scram-sha-256 or password (the plain one, which the database hashes).",
    );
  const rotation = data["root_rotation_statements"] ?? data["root_credentials_rotate_statements"];
  const rotationStatements = rotation === undefined ? before.rotationStatements : statementTexts(rotation);
  if (!rotationStatements) return refused("root_rotation_statements: a list of statements, or one text, is expected.");
  const config: DatabaseConfig = {
    plugin: fields.text("plugin_name") ?? before.plugin,
    connectionUrl: fields.text("connection_url") ?? before.connectionUrl,
    username: fields.text("username") ?? before.username,
    password: password ?? before.password,
    ...(password === undefined && nextPassword !== undefined && { nextPassword }),
    allowedRoles: fields.texts("allowed_roles") ?? settled.allowedRoles,
    rotationStatements,
    maxOpen: fields.integer("max_open_connections") ?? before.maxOpen,
    maxIdle: fields.integer("max_idle_connections") ?? before.maxIdle,
    maxLifetime: fields.seconds("max_connection_lifetime") ?? before.maxLifetime,
    ...(authentication !== undefined && { passwordAuthentication: authentication }),
    isVerbatim: fields.boolean("disable_escaping") ?? before.isVerbatim,
    isVerified: fields.boolean("verify_connection") ?? true,
  };
  const fault = configFault(config) ?? missingFeature(data);
  if (fault !== undefined) return refused(fault);
  const warnings = [...unknownFieldWarnings(data, fieldNames)];
  if (holdsPassword(config.connectionUrl))
    warnings.push(
      "connection_url has a password in it, which reads hide but rotate-root cannot change. Write {{username}} and " +
        "{{password}} in its place, and give both as fields of their own.",
    );
  return { ok: true, value: config, warnings };
}

/** What `config/NAME` tells: everything but passwords. */
export function configData(config: DatabaseConfig): Readonly<Record<string, unknown>> {
  return {
    allowed_roles: config.allowedRoles,
    connection_details: {
      connection_url: withoutPassword(config.connectionUrl),
      ...(config.username !== "" && { username: config.username }),
      max_open_connections: config.maxOpen,
      max_idle_connections: config.maxIdle,
      max_connection_lifetime: formatDuration(BigInt(config.maxLifetime) * second),
      ...(config.passwordAuthentication && { password_authentication: config.passwordAuthentication }),
      ...(config.isVerbatim && { disable_escaping: true }),
    },
    password_policy: "",
    plugin_name: config.plugin,
    plugin_version: "",
    root_credentials_rotate_statements: config.rotationStatements,
    verify_connection: config.isVerified,
  };
}

export function isAllowed({ allowedRoles }: DatabaseConfig, role: string): boolean {
  return allowedRoles.some((name) => (name.endsWith("*") ? role.startsWith(name.slice(0, -1)) : name === role));
}

export function decodeConfig(value: Uint8Array): DatabaseConfig {
  return JSON.parse(Buffer.from(value).toString());
}

function configFault(config: DatabaseConfig): string | undefined {
  if (config.plugin === "") return `plugin_name is missing: write plugin_name=${pluginName}.`;
  if (config.plugin !== pluginName)
    return `plugin_name: ${JSON.stringify(config.plugin)} is not here. There is: ${pluginName}.`;
  if (config.connectionUrl === "")
    return "connection_url is missing: write postgresql://{{username}}:{{password}}@HOST:PORT/DATABASE, with username and password.";
  if (config.maxOpen < 1) return "max_open_connections: at least 1 is expected.";
  const parsed = parseConnection(config.connectionUrl, config);
  return parsed.ok ? undefined : parsed.fault;
}

function missingFeature(data: Readonly<Record<string, unknown>>): string | undefined {
  const asked = ["username_template", "password_policy"].find((name) => data[name] !== undefined && data[name] !== "");
  return (
    asked && `${asked} is not supported: names are v-WHO-ROLE-RANDOM-TIME, passwords 20 random letters. Leave it out.`
  );
}

function passwordAuthentication(text: string | undefined): PasswordAuthentication | "unknown" | undefined {
  if (text === undefined || text === "") return undefined;
  return text === "scram-sha-256" || text === "password" ? text : "unknown";
}

/** A reading that failed for what the request says. */
export function refused(fault: string): { readonly ok: false; readonly reply: EngineReply } {
  return { ok: false, reply: refusal(400, fault) };
}
