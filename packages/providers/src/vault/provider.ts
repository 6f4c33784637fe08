import { clientErrors } from "@millwright/clients/errors";
import { VaultRefusal } from "@millwright/clients/vault-api";
import type { OperationalError } from "@millwright/core/errors";
import { type Clock, systemClock } from "@millwright/core/ports";
import type { DefinedProvider } from "@millwright/provider/define";
import { defineProvider } from "@millwright/provider/define";
import { type Problem, problem } from "@millwright/provider/problem";
import { atMostOneOf } from "@millwright/provider/rules";
import { VaultConnection } from "./connection.ts";
import { vaultDatabaseConnection } from "./database-connection.ts";
import { vaultDatabaseRole } from "./database-role.ts";
import { vaultGenericSecret } from "./generic-secret.ts";
import { vaultJwtBackend } from "./jwt-backend.ts";
import { vaultJwtRole } from "./jwt-role.ts";
import { vaultKvSecretBackendV2 } from "./kv-backend.ts";
import { vaultKvSecretV2 } from "./kv-secret.ts";
import { vaultMount } from "./mount.ts";
import { vaultPolicyDocument } from "./policy-document.ts";
import { vaultPolicy } from "./policy.ts";
import { vaultGenericSecretData, vaultKvSecretV2Data } from "./secrets-data.ts";
import type { Environment } from "./settings.ts";
import { settingsFields } from "./settings.ts";

/** `hashicorp/vault`: what is kept in Vault, or in any server that speaks its API. */
export function vaultProvider(env: Environment = process.env, clock: Clock = systemClock): DefinedProvider {
  return defineProvider({
    name: "vault",
    version: "5.0.0",
    schema: settingsFields,
    *validate({ config }) {
      const isSet = (blocks: readonly unknown[] | undefined) =>
        blocks === undefined || blocks.length > 0 ? true : null;
      const { auth_login, auth_login_jwt, auth_login_token_file } = config;
      const ways = { auth_login, auth_login_jwt, auth_login_token_file };
      const given = Object.fromEntries(Object.entries(ways).map(([name, blocks]) => [name, isSet(blocks)]));
      yield* atMostOneOf(given, Object.keys(given));
    },
    configure: ({ config }) => new VaultConnection(config, env),
    explain: (error, connection) => connection && explained(error, connection),
    close: (connection) => connection.close(),
    resources: {
      vault_mount: vaultMount,
      vault_policy: vaultPolicy,
      vault_generic_secret: vaultGenericSecret,
      vault_kv_secret_v2: vaultKvSecretV2,
      vault_kv_secret_backend_v2: vaultKvSecretBackendV2,
      vault_database_secret_backend_connection: vaultDatabaseConnection,
      vault_database_secret_backend_role: vaultDatabaseRole,
      vault_jwt_auth_backend: vaultJwtBackend,
      vault_jwt_auth_backend_role: vaultJwtRole,
    },
    dataSources: {
      vault_generic_secret: vaultGenericSecretData(clock),
      vault_kv_secret_v2: vaultKvSecretV2Data,
      vault_policy_document: vaultPolicyDocument,
    },
  });
}

function explained(error: OperationalError, { client, addressSource }: VaultConnection): Problem | undefined {
  const { kind } = error;
  if (kind === clientErrors.unreachable)
    return problem(`Cannot reach Vault at ${client.address}`, `${error.message} ${addressSource}`);
  const refusal = error.cause instanceof VaultRefusal ? error.cause : undefined;
  if (refusal?.status === 503 && refusal.errors.some((text) => /sealed/i.test(text)))
    return problem(`Vault at ${client.address} is sealed`, error.message);
  if (kind === clientErrors.denied) return problem("Vault refused the token", error.message);
  if (refusal?.status === 404) {
    const advice = "Check that the secrets engine is mounted (vault secrets list), and that this depends on its mount.";
    return problem("Nothing is mounted at this path", `${error.message}\n${advice}`);
  }
  if (refusal?.errors.some((text) => /failed to revoke/i.test(text))) {
    const advice =
      'Logins that were lent have to be taken back while their connection is still there: "vault lease revoke -prefix PATH" before destroy. With -force they are forgotten, and stay in the database.';
    return problem("A lease could not be revoked", `${error.message}\n${advice}`);
  }
  return undefined;
}
