import type { ConsulConfig } from "@millwright/clients/consul-config";
import { consulConfigFromEnv } from "@millwright/clients/consul-config";
import type { ConfigOf } from "@millwright/provider/field-types";
import { blocks, bool, map, optional, required, string } from "@millwright/provider/fields";
import type { Fields } from "@millwright/provider/fields";

/** What `provider "consul"` may say. */
export const settingsFields = {
  address: optional(string, { description: "host:port or a URL; else CONSUL_HTTP_ADDR, else 127.0.0.1:8500." }),
  scheme: optional(string, {
    check: (scheme) => (scheme === "http" || scheme === "https" ? undefined : 'The scheme is "http" or "https".'),
    description: "http or https; else CONSUL_HTTP_SSL, else http.",
  }),
  http_auth: optional(string, { description: "user:password for HTTP basic authentication; else CONSUL_HTTP_AUTH." }),
  datacenter: optional(string, { description: "The agent's own when left out." }),
  token: optional(string, { sensitive: true, description: "Else CONSUL_HTTP_TOKEN." }),
  ca_file: optional(string, { description: "A file of CA certificates in PEM; else CONSUL_CACERT." }),
  ca_pem: optional(string, { description: "CA certificates in PEM." }),
  ca_path: optional(string, { description: "A folder of CA certificates in PEM; else CONSUL_CAPATH." }),
  cert_file: optional(string, { description: "The client certificate in PEM; else CONSUL_CLIENT_CERT." }),
  cert_pem: optional(string, { description: "The client certificate in PEM." }),
  key_file: optional(string, { description: "The client certificate's key in PEM; else CONSUL_CLIENT_KEY." }),
  key_pem: optional(string, { description: "The client certificate's key in PEM." }),
  insecure_https: optional(bool, { description: "Accepts any certificate; only with scheme https." }),
  namespace: optional(string, { description: "Where the auth method of auth_jwt is; of Consul Enterprise." }),
  auth_jwt: blocks.list(
    {
      auth_method: required(string, { description: "The name of the auth method." }),
      bearer_token: optional(string, { description: "The token to trade there." }),
      use_terraform_cloud_workload_identity: optional(bool, {
        description: "Takes TFC_WORKLOAD_IDENTITY_TOKEN instead.",
      }),
      meta: optional(map(string), { description: "What to note beside the token that is made." }),
    },
    { max: 1, description: "Logs in with a JWT." },
  ),
  header: blocks.list({ name: required(string), value: required(string) }, { description: "Sent with every request." }),
} satisfies Fields;

export type Settings = ConfigOf<typeof settingsFields>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** How to reach the server: what is configured, else what the environment says, else Consul's defaults. */
export function connectionConfig(settings: Settings, env: Environment): ConsulConfig {
  const fromEnv = consulConfigFromEnv({ ...env, CONSUL_HTTP_ADDR: env.CONSUL_ADDRESS || env.CONSUL_HTTP_ADDR });
  const scheme = settings.scheme || env.CONSUL_SCHEME || env.CONSUL_HTTP_SCHEME;
  const headers = settings.header.map(({ name, value }) => [name.toLowerCase(), value] as const);
  const said = {
    address: settings.address,
    basicAuth: settings.http_auth,
    datacenter: settings.datacenter,
    token: settings.token || env.CONSUL_TOKEN,
    caFile: settings.ca_file || env.CONSUL_CA_FILE,
    caPem: settings.ca_pem,
    caPath: settings.ca_path,
    certFile: settings.cert_file || env.CONSUL_CERT_FILE,
    certPem: settings.cert_pem,
    keyFile: settings.key_file || env.CONSUL_KEY_FILE,
    keyPem: settings.key_pem,
  };
  const { tokenFile, ...rest } = fromEnv;
  return {
    ...rest,
    // A token that is configured is meant, whatever file the environment names.
    ...(tokenFile && !said.token ? { tokenFile } : {}),
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value)),
    ...(scheme ? { tls: scheme === "https" } : {}),
    ...(settings.insecure_https ? { tlsVerify: false } : {}),
    ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
  };
}

/** Where the address of {@link connectionConfig} was said, as a sentence for whoever cannot reach it. */
export function addressSource(settings: Settings, env: Environment): string {
  if (settings.address) return "The address is that of the provider block.";
  for (const variable of ["CONSUL_ADDRESS", "CONSUL_HTTP_ADDR"])
    if (env[variable]) return `The address comes from ${variable}.`;
  return "It is the default address: set CONSUL_HTTP_ADDR, or address in the provider block, for another.";
}
