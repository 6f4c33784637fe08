import { OperationalError, messageOf } from "@millwright/core/errors";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { clientErrors } from "./errors.ts";
import type { HttpTarget, TlsSettings } from "./http.ts";

/** How to reach a server that speaks Consul's HTTP API; texts as a user writes them in variables, flags and blocks. */
export interface ConsulConfig {
  /** `host:port`, `http://host:port/prefix`, `https://…` or `unix:///path`. */
  readonly address: string;
  readonly token?: string;
  /** Read at each start; wins over `token`, as in Consul's own client. */
  readonly tokenFile?: string;
  /** `user:password` for HTTP basic authentication. */
  readonly basicAuth?: string;
  /** Speak TLS although the address names no scheme. */
  readonly tls?: boolean;
  readonly tlsVerify?: boolean;
  readonly caFile?: string;
  readonly caPath?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The same as texts in PEM; each wins over its file. */
  readonly caPem?: string;
  readonly certPem?: string;
  readonly keyPem?: string;
  readonly tlsServerName?: string;
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
  const address = config.address;
  if (address.startsWith("unix://")) {
    return { scheme: "http", at: { socketPath: address.slice("unix://".length) }, pathPrefix: "" };
  }
  const text = address.includes("://") ? address : `${config.tls ? "https" : "http"}://${address}`;
  const url = parseUrl(address, text);
  const scheme = config.tls || url.protocol === "https:" ? "https" : "http";
  // URL leaves a port out where it is the scheme's own; only then does the scheme decide.
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const target = { scheme, at: { host, port }, pathPrefix: url.pathname.replace(/\/$/, "") } as const;
  return scheme === "https" ? { ...target, tls: tlsSettings(config) } : target;
}

/** The token that a configuration gives, or undefined. Throws `badConfiguration` where its file cannot be read. */
export function consulToken(config: ConsulConfig): string | undefined {
  const fromFile = config.tokenFile ? readText("the token file", config.tokenFile).trim() : "";
  return fromFile || config.token || undefined;
}

function parseUrl(given: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "") return url;
  const detail =
    'Write host:port, http://host:port, https://host:port or unix:///path (CONSUL_HTTP_ADDR, -http-addr or "address").';
  throw new OperationalError(
    clientErrors.badConfiguration,
    `${JSON.stringify(given)} is no address of a server. ${detail}`,
  );
}

function tlsSettings(config: ConsulConfig): TlsSettings {
  const { caPem, certPem, keyPem, caFile, caPath, certFile, keyFile } = config;
  const files = caPem ? [] : [...(caFile ? [caFile] : []), ...(caPath ? listFolder(caPath) : [])];
  const ca = [...(caPem ? [caPem] : []), ...files.map((file) => readText("the CA certificate", file))];
  const cert = certPem ?? (certFile && readText("the client certificate", certFile));
  const key = keyPem ?? (keyFile && readText("the client key", keyFile));
  return {
    verify: config.tlsVerify ?? true,
    ...(ca.length > 0 ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(config.tlsServerName ? { serverName: config.tlsServerName } : {}),
  };
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    throw unreadable("the folder of CA certificates", folder, error);
  }
}

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(what, path, error);
  }
}

function unreadable(what: string, path: string, error: unknown): OperationalError {
  const text = `Cannot read ${what} ${path}: ${messageOf(error)}. Check the path and its permissions.`;
  return new OperationalError(clientErrors.badConfiguration, text, { cause: error });
}

function readBool(name: string, text: string | undefined): boolean | undefined {
  if (!text) return undefined;
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new OperationalError(clientErrors.badConfiguration, `${name} is ${JSON.stringify(text)}; write true or false.`);
}
