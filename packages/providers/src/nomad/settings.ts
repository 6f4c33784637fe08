import type { NomadConfig } from "@millwright/clients/nomad-config";
import { nomadConfigFromEnv } from "@millwright/clients/nomad-config";
import type { ConfigOf } from "@millwright/provider/field-types";
import { blocks, bool, map, optional, required, string } from "@millwright/provider/fields";
import type { Fields } from "@millwright/provider/fields";

/** What `provider "nomad"` may say. */
export const settingsFields = {
  address: optional(string, { description: "The server's URL; else NOMAD_ADDR, else http://127.0.0.1:4646." }),
  region: optional(string, { description: "Else NOMAD_REGION, else that of the server." }),
  http_auth: optional(string, {
    sensitive: true,
    description: "user:password for HTTP basic authentication; else NOMAD_HTTP_AUTH.",
  }),
  ca_file: optional(string, { description: "A file of CA certificates in PEM; else NOMAD_CACERT." }),
  ca_pem: optional(string, { description: "CA certificates in PEM." }),
  cert_file: optional(string, { description: "The client certificate in PEM; else NOMAD_CLIENT_CERT." }),
  cert_pem: optional(string, { description: "The client certificate in PEM." }),
  key_file: optional(string, { description: "The client certificate's key in PEM; else NOMAD_CLIENT_KEY." }),
  key_pem: optional(string, { sensitive: true, description: "The client certificate's key in PEM." }),
  skip_verify: optional(bool, { description: "Accepts any certificate; else NOMAD_SKIP_VERIFY." }),
  secret_id: optional(string, { sensitive: true, description: "The token; else NOMAD_TOKEN." }),
  ignore_env_vars: optional(map(bool), {
    description: "Variables of the environment that count for nothing here, as { NOMAD_REGION = true }.",
  }),
  headers: blocks.list(
    { name: required(string), value: required(string, { sensitive: true }) },
    { description: "Sent with every request." },
  ),
} satisfies Fields;

export type Settings = ConfigOf<typeof settingsFields>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** How to reach the server: what is configured, else what the environment says, else the defaults. */
export function connectionConfig(settings: Settings, env: Environment): NomadConfig {
  const headers = settings.headers.map(({ name, value }) => [name.toLowerCase(), value] as const);
  const said = {
    address: settings.address,
    region: settings.region,
    basicAuth: settings.http_auth,
    token: settings.secret_id,
    caFile: settings.ca_file,
    caPem: settings.ca_pem,
    certFile: settings.cert_file,
    certPem: settings.cert_pem,
    keyFile: settings.key_file,
    keyPem: settings.key_pem,
  };
  // Each job says its own namespace: the environment's is for commands.
  const { namespace: _, ...fromEnv } = nomadConfigFromEnv(heeded(settings, env));
  return {
    ...fromEnv,
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value)),
    ...(settings.skip_verify === null ? {} : { tlsVerify: !settings.skip_verify }),
    ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
  };
}

/** Where the address of {@link connectionConfig} was said, as a sentence for whoever cannot reach it. */
export function addressSource(settings: Settings, env: Environment): string {
  if (settings.address) return "The address is that of the provider block.";
  if (heeded(settings, env).NOMAD_ADDR) return "The address comes from NOMAD_ADDR.";
  return "It is the default address: set NOMAD_ADDR, or address in the provider block, for another.";
}

function heeded({ ignore_env_vars: ignored }: Settings, env: Environment): Environment {
  return ignored ? Object.fromEntries(Object.entries(env).filter(([name]) => ignored[name] !== true)) : env;
}
