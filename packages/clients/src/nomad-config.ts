import { readBool, type TargetSettings, targetOf } from "./target.ts";
import type { HttpTarget } from "./http.ts";

/** How to reach a server that speaks Nomad's HTTP API; texts as a user writes them in variables, flags and blocks. */
export interface NomadConfig extends TargetSettings {
  readonly token?: string;
  /** The region to ask; that of the server where nothing is said. */
  readonly region?: string;
  /** `default` where nothing is said; `*` for all, where a list is read. */
  readonly namespace?: string;
  /** `user:password` for HTTP basic authentication. */
  readonly basicAuth?: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

const defaultNomadAddress = "http://127.0.0.1:4646";

/** The configuration that the environment variables of Nomad's own client give; unset and empty ones give nothing. */
export function nomadConfigFromEnv(env: Readonly<Record<string, string | undefined>>): NomadConfig {
  const config: { -readonly [K in keyof NomadConfig]: NomadConfig[K] } = {
    address: env.NOMAD_ADDR || defaultNomadAddress,
  };
  for (const [variable, field] of textVariables) {
    const text = env[variable];
    if (text) config[field] = text;
  }
  const skip = readBool("NOMAD_SKIP_VERIFY", env.NOMAD_SKIP_VERIFY);
  if (skip !== undefined) config.tlsVerify = !skip;
  return config;
}

const textVariables = [
  ["NOMAD_TOKEN", "token"],
  ["NOMAD_REGION", "region"],
  ["NOMAD_NAMESPACE", "namespace"],
  ["NOMAD_HTTP_AUTH", "basicAuth"],
  ["NOMAD_CACERT", "caFile"],
  ["NOMAD_CAPATH", "caPath"],
  ["NOMAD_CLIENT_CERT", "certFile"],
  ["NOMAD_CLIENT_KEY", "keyFile"],
  ["NOMAD_TLS_SERVER_NAME", "tlsServerName"],
] as const;

/** The target of a configuration; reads certificate files. Throws `badConfiguration`. */
export function nomadTarget(config: NomadConfig): HttpTarget {
  return targetOf(config, 'NOMAD_ADDR, -address or "address"');
}
