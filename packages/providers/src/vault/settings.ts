import type { VaultConfig } from "@millwright/clients/vault-config";
import { vaultConfigFromEnv } from "@millwright/clients/vault-config";
import { readBool } from "@millwright/clients/target";
import type { ConfigOf } from "@millwright/provider/field-types";
import { blocks, bool, map, number, optional, required, string } from "@millwright/provider/fields";
import type { Fields } from "@millwright/provider/fields";

const loginPlace = {
  namespace: optional(string, { description: "Where the auth method is; of Vault Enterprise." }),
  use_root_namespace: optional(bool, { description: "The auth method is in the root namespace." }),
};

/** What `provider "vault"` may say. */
export const settingsFields = {
  address: optional(string, { description: "The server's URL; else VAULT_ADDR, else http://127.0.0.1:8200." }),
  token: optional(string, { description: "Else VAULT_TOKEN, else what is in ~/.vault-token." }),
  token_name: optional(string, {
    description: "The child token's display name; else VAULT_TOKEN_NAME, else terraform.",
  }),
  skip_child_token: optional(bool, {
    description: "Works with the token itself; else TERRAFORM_VAULT_SKIP_CHILD_TOKEN.",
  }),
  max_lease_ttl_seconds: optional(number, {
    description: "How long the child token lives; else TERRAFORM_VAULT_MAX_TTL, else 20 minutes.",
  }),
  namespace: optional(string, { description: "Else VAULT_NAMESPACE; of Vault Enterprise." }),
  ca_cert_file: optional(string, { description: "A file of CA certificates in PEM; else VAULT_CACERT." }),
  ca_cert_dir: optional(string, { description: "A folder of CA certificates in PEM; else VAULT_CAPATH." }),
  skip_tls_verify: optional(bool, { description: "Accepts any certificate; else VAULT_SKIP_VERIFY." }),
  tls_server_name: optional(string, { description: "The name to ask for in TLS; else VAULT_TLS_SERVER_NAME." }),
  max_retries: optional(number, { description: "How often a request is sent again; else VAULT_MAX_RETRIES, else 2." }),
  max_retries_ccc: optional(number, { description: "Taken and not needed: no request goes to a replica on purpose." }),
  set_namespace_from_token: optional(bool, { description: "Taken and not needed: namespaces are those configured." }),
  skip_get_vault_version: optional(bool, { description: "Taken and not needed: the version is never asked for." }),
  vault_version_override: optional(string, { description: "Taken and not needed: the version is never asked for." }),
  auth_login: blocks.list(
    {
      path: required(string, { description: "Where to log in, as auth/userpass/login/jane." }),
      method: optional(string, { description: "Taken and not needed: what is said in parameters is sent." }),
      parameters: optional(map(string), { sensitive: true, description: "What to send there." }),
      ...loginPlace,
    },
    { description: "Logs in by any auth method whose login is one request." },
  ),
  auth_login_jwt: blocks.list(
    {
      role: required(string),
      jwt: optional(string, { description: "Else TERRAFORM_VAULT_AUTH_JWT." }),
      mount: optional(string, { description: "Where the auth method is; jwt when left out." }),
      ...loginPlace,
    },
    { description: "Logs in with a JWT." },
  ),
  auth_login_token_file: blocks.list(
    { filename: optional(string, { description: "Else TERRAFORM_VAULT_TOKEN_FILENAME." }), ...loginPlace },
    { description: "Takes the token from a file." },
  ),
  client_auth: blocks.list(
    { cert_file: required(string), key_file: required(string) },
    { deprecated: true, description: "The client certificate and its key, in PEM." },
  ),
  headers: blocks.list(
    { name: required(string, { sensitive: true }), value: required(string, { sensitive: true }) },
    { description: "Sent with every request." },
  ),
} satisfies Fields;

export type Settings = ConfigOf<typeof settingsFields>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** How to reach the server: what is configured, else what the environment says, else the defaults. */
export function connectionConfig(settings: Settings, env: Environment): VaultConfig {
  const headers = settings.headers.map(({ name, value }) => [name.toLowerCase(), value] as const);
  const [certificate] = settings.client_auth;
  const said = {
    address: settings.address,
    token: settings.token,
    namespace: settings.namespace,
    caFile: settings.ca_cert_file,
    caPath: settings.ca_cert_dir,
    certFile: certificate?.cert_file,
    keyFile: certificate?.key_file,
    tlsServerName: settings.tls_server_name,
  };
  return {
    ...vaultConfigFromEnv(env),
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value)),
    ...(settings.skip_tls_verify === null ? {} : { tlsVerify: !settings.skip_tls_verify }),
    ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
  };
}

/** Times that a request is sent at most. Throws `badConfiguration`. */
export function attemptsOf(settings: Settings, env: Environment): number {
  return 1 + (settings.max_retries ?? wholeNumber(env.VAULT_MAX_RETRIES) ?? 2);
}

/** How the token is made that the provider works with, out of the user's own. */
export interface ChildToken {
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
}

/** The child token to make; undefined where the user's own is used. Throws `badConfiguration`. */
export function childTokenOf(settings: Settings, env: Environment): ChildToken | undefined {
  const variable = "TERRAFORM_VAULT_SKIP_CHILD_TOKEN";
  if (settings.skip_child_token ?? readBool(variable, env[variable])) return undefined;
  return {
    name: settings.token_name || env.VAULT_TOKEN_NAME || "terraform",
    ttl: settings.max_lease_ttl_seconds ?? wholeNumber(env.TERRAFORM_VAULT_MAX_TTL) ?? 1200,
  };
}

/** Where the address of {@link connectionConfig} was said, as a sentence for whoever cannot reach it. */
export function addressSource(settings: Settings, env: Environment): string {
  if (settings.address) return "The address is that of the provider block.";
  for (const variable of ["VAULT_ADDR", "VAULT_AGENT_ADDR"])
    if (env[variable]) return `The address comes from ${variable}.`;
  return "It is the default address: set VAULT_ADDR, or address in the provider block, for another.";
}

function wholeNumber(text: string | undefined): number | undefined {
  return text && /^\d+$/.test(text) ? Number(text) : undefined;
}
