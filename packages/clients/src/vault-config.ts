import { OperationalError } from "@millwright/core/errors";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { clientErrors } from "./errors.ts";
import type { HttpTarget } from "./http.ts";
import { readBool, type TargetSettings, targetOf } from "./target.ts";

/** How to reach a server that speaks Vault's HTTP API. */
export interface VaultConfig extends TargetSettings {
  readonly token?: string;
  readonly namespace?: string;
  /** Milliseconds that the server may be silent; a minute by default. */
  readonly timeoutMilliseconds?: number;
  /** Asks for every answer wrapped in a single-use token that lives this long: `60s`. */
  readonly wrapTtl?: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where our own server listens. (Vault's client asks for TLS there.) */
export const defaultVaultAddress = "http://127.0.0.1:8200";

/**
 * The configuration that the environment variables of Vault's own client give, with the token of `~/.vault-token` where
 * `VAULT_TOKEN` gives none; unset and empty variables give nothing. Throws `badConfiguration`.
 */
export function vaultConfigFromEnv(env: Readonly<Record<string, string | undefined>>): VaultConfig {
  const config: { -readonly [K in keyof VaultConfig]: VaultConfig[K] } = {
    address: env.VAULT_ADDR || env.VAULT_AGENT_ADDR || defaultVaultAddress,
  };
  for (const [variable, field] of textVariables) {
    const text = env[variable];
    if (text) config[field] = text;
  }
  const skip = readBool("VAULT_SKIP_VERIFY", env.VAULT_SKIP_VERIFY);
  if (skip !== undefined) config.tlsVerify = !skip;
  const timeout = env.VAULT_CLIENT_TIMEOUT;
  if (timeout) config.timeoutMilliseconds = readTimeout(timeout);
  const token = env.VAULT_TOKEN || tokenOfFile(tokenFile(env));
  if (token) config.token = token;
  return config;
}

const textVariables = [
  ["VAULT_CACERT", "caFile"],
  ["VAULT_CACERT_BYTES", "caPem"],
  ["VAULT_CAPATH", "caPath"],
  ["VAULT_CLIENT_CERT", "certFile"],
  ["VAULT_CLIENT_KEY", "keyFile"],
  ["VAULT_TLS_SERVER_NAME", "tlsServerName"],
  ["VAULT_NAMESPACE", "namespace"],
] as const;

/** Where a login keeps its token for the next command; undefined where the user has no home folder. */
export function tokenFile(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env.HOME ? join(env.HOME, ".vault-token") : undefined;
}

/** The target of a configuration; reads certificate files. Throws `badConfiguration`. */
export function vaultTarget(config: VaultConfig): HttpTarget {
  return targetOf(config, 'VAULT_ADDR, -address or "address"');
}

// A file that is not there, or not for this user, gives no token.
function tokenOfFile(path: string | undefined): string {
  if (path === undefined) return "";
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

// Whole seconds, or a number with its unit.
function readTimeout(text: string): number {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as "ms"];
  throw new OperationalError(
    clientErrors.badConfiguration,
    `VAULT_CLIENT_TIMEOUT is ${JSON.stringify(text)}; write seconds, or a duration such as 30s.`,
  );
}
