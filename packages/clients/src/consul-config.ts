import type { HttpTarget } from "./http.ts";
import { readBool, readText, type TargetSettings, targetOf } from "./target.ts";

/** How to reach a server that speaks Consul's HTTP API; texts as a user writes them in variables, flags and blocks. */
export interface ConsulConfig extends TargetSettings {
  readonly token?: string;
  /** Read at each start; wins over `token`, as in Consul's own client. */
  readonly tokenFile?: string;
  /** `user:password` for HTTP basic authentication. */
  readonly basicAuth?: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly datacenter?: string;
  readonly namespace?: string;
  readonly partition?: string;
}

export const defaultConsulAddress = "127.0.0.1:8500";

/** The configuration that the environment variables of Consul's own client give; unset and empty ones give nothing. */
export function consulConfigFromEnv(env: Readonly<Record<string, string | undefined>>): ConsulConfig {
  const config: { -readonly [K in keyof ConsulConfig]: ConsulConfig[K] } = {
    address: env.CONSUL_HTTP_ADDR || defaultConsulAddress,
  };
  for (const [variable, field] of textVariables) {
    const text = env[variable];
    if (text) config[field] = text;
  }
  const tls = readBool("CONSUL_HTTP_SSL", env.CONSUL_HTTP_SSL);
  if (tls !== undefined) config.tls = tls;
  const verify = readBool("CONSUL_HTTP_SSL_VERIFY", env.CONSUL_HTTP_SSL_VERIFY);
  if (verify !== undefined) config.tlsVerify = verify;
  return config;
}

const textVariables = [
  ["CONSUL_HTTP_TOKEN", "token"],
  ["CONSUL_HTTP_TOKEN_FILE", "tokenFile"],
  ["CONSUL_HTTP_AUTH", "basicAuth"],
  ["CONSUL_CACERT", "caFile"],
  ["CONSUL_CAPATH", "caPath"],
  ["CONSUL_CLIENT_CERT", "certFile"],
  ["CONSUL_CLIENT_KEY", "keyFile"],
  ["CONSUL_TLS_SERVER_NAME", "tlsServerName"],
  ["CONSUL_NAMESPACE", "namespace"],
  ["CONSUL_PARTITION", "partition"],
] as const;

/** The target of a configuration; reads certificate files. Throws `badConfiguration`. */
export function consulTarget(config: ConsulConfig): HttpTarget {
  return targetOf(config, 'CONSUL_HTTP_ADDR, -http-addr or "address"');
}

/** The token that a configuration gives, or undefined. Throws `badConfiguration` where its file cannot be read. */
export function consulToken(config: ConsulConfig): string | undefined {
  const fromFile = config.tokenFile ? readText("the token file", config.tokenFile).trim() : "";
  return fromFile || config.token || undefined;
}
