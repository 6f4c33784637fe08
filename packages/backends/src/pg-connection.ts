import { readFileSync } from "node:fs";
import type { ClientConfig } from "pg";

/** What a connection string says, by libpq's names. */
type Words = Readonly<Record<string, string>>;

/**
 * The settings of a PostgreSQL connection from a URL or `name=value` words, with libpq's environment variables behind them.
 * As in Terraform, TLS is asked for unless `sslmode` says otherwise.
 */
export function connectionConfig(text: string, env: Readonly<Record<string, string | undefined>>): ClientConfig {
  const words = { ...wordsOfEnvironment(env), ...(isUrl(text) ? wordsOfUrl(text) : wordsOfPairs(text)) };
  const { host = "localhost", port = "5432", user, password, dbname } = words;
  return {
    host,
    port: Number(port),
    ssl: tlsOf(words),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(dbname === undefined ? {} : { database: dbname }),
    ...(words.options === undefined ? {} : { options: words.options }),
    connectionTimeoutMillis: Number(words.connect_timeout ?? "30") * 1000,
    keepAlive: true,
  };
}

/** Where a connection string leads, without what is secret in it. */
export function connectionPlace(config: ClientConfig): string {
  return `${config.host}:${config.port}/${config.database ?? config.user ?? ""}`;
}

function isUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text);
}

function wordsOfUrl(text: string): Words {
  if (!URL.canParse(text)) return {};
  const url = new URL(text);
  const parts = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    dbname: decodeURIComponent(url.pathname.slice(1)),
  };
  const given = Object.entries(parts).filter(([, value]) => value !== "");
  return { ...Object.fromEntries(given), ...Object.fromEntries(url.searchParams) };
}

function wordsOfPairs(text: string): Words {
  const pairs = text.matchAll(/(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))/g);
  return Object.fromEntries(
    [...pairs].map(([, name = "", quoted, bare]) => [name, (quoted ?? bare ?? "").replace(/\\(.)/g, "$1")]),
  );
}

const variables = {
  PGHOST: "host",
  PGPORT: "port",
  PGUSER: "user",
  PGPASSWORD: "password",
  PGDATABASE: "dbname",
  PGSSLMODE: "sslmode",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGCONNECT_TIMEOUT: "connect_timeout",
  PGOPTIONS: "options",
} as const;

function wordsOfEnvironment(env: Readonly<Record<string, string | undefined>>): Words {
  const words: Record<string, string> = {};
  for (const [variable, name] of Object.entries(variables)) {
    const text = env[variable];
    if (text) words[name] = text;
  }
  return words;
}

function tlsOf({ sslmode = "require", sslrootcert, sslcert, sslkey }: Words): NonNullable<ClientConfig["ssl"]> {
  if (sslmode === "disable" || sslmode === "allow" || sslmode === "prefer") return false;
  const read = (name: string, path: string | undefined) =>
    path === undefined ? {} : { [name]: readFileSync(path, "utf8") };
  // As libpq and Terraform's client take it: an authority that is named is asked for a reason.
  const isOfAuthority = sslmode === "verify-ca" || (sslmode === "require" && sslrootcert !== undefined);
  return {
    rejectUnauthorized: isOfAuthority || sslmode === "verify-full",
    ...(isOfAuthority ? { checkServerIdentity: () => undefined } : {}),
    ...read("ca", sslrootcert),
    ...read("cert", sslcert),
    ...read("key", sslkey),
  };
}
