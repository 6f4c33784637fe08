import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { fillPlaceholders } from "./statements.ts";

/** Where a database is and how to log in, as a connection URL says it. */
export interface ConnectionPlace {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: TlsMode;
  /** Paths of PEM files. */
  readonly tlsFiles: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Seconds. */
  readonly connectTimeout: number;
  /** `-c name=value …`, for each session. */
  readonly options?: string;
}

/** libpq's sslmode: `prefer` takes what the server offers, `require` does not look at certificates. */
export type TlsMode = "disable" | "prefer" | "require" | "verify-ca" | "verify-full";

export interface Login {
  readonly username: string;
  readonly password: string;
  /** Puts them into a URL as they are, without percent-encoding. */
  readonly isVerbatim: boolean;
}

export type ParsedConnection =
  | { readonly ok: true; readonly place: ConnectionPlace }
  /** A sentence without any part of the URL that may be secret. */
  | { readonly ok: false; readonly fault: string };

/**
 * Reads `postgresql://{{username}}:{{password}}@HOST:PORT/DATABASE?sslmode=…` or `host=… port=… user={{username}} …`, as libpq
 * takes them, with the login put in.
 */
export function parseConnection(url: string, login: Login): ParsedConnection {
  const { username, password, isVerbatim } = login;
  try {
    if (!isUrl(url)) {
      const settings = keywordSettings(url).map(([name, value]) => [
        name,
        fillPlaceholders(value, { username, password }),
      ]);
      return placeFrom(new Map(settings as [string, string][]));
    }
    const encode = isVerbatim ? (text: string) => text : encodeURIComponent;
    return placeFrom(urlSettings(fillPlaceholders(url, { username: encode(username), password: encode(password) })));
  } catch (error) {
    // The faults' own messages quote what may be secret.
    if (!(error instanceof TypeError || error instanceof URIError || error instanceof Misread)) throw error;
    return { ok: false, fault: error instanceof Misread ? error.message : shape };
  }
}

/** Whether the URL itself holds a password, and not the place for one. */
export function holdsPassword(url: string): boolean {
  return withoutPassword(url) !== url;
}

/** The URL with `*****` in place of a password. */
export function withoutPassword(url: string): string {
  const hide = (whole: string, before: string, password: string, after: string) =>
    password === "" || /^\{\{\s*password\s*\}\}$/.test(password) ? whole : `${before}*****${after}`;
  if (!isUrl(url)) return url.replace(/(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s]*)()/gi, hide);
  // Up to the last @ there is: in a password that was not percent-encoded any letter may stand.
  return url.replace(/^([a-z]+:\/\/[^:@/?#]*:)(.*)(@)/is, hide).replace(/([?&](?:ssl)?password=)([^&#]*)()/gi, hide);
}

const shape =
  "connection_url: it is neither postgresql://{{username}}:{{password}}@HOST:PORT/DATABASE nor host=HOST user={{username}} " +
  "password={{password}} …. In a URL, letters such as / ? # @ in a name or password are percent-encoded.";

class Misread extends Error {}

function isUrl(url: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(url);
}

function urlSettings(url: string): Map<string, string> {
  const parsed = new URL(url);
  const part = (text: string) => decodeURIComponent(text);
  const settings = new Map<string, string>();
  if (parsed.hostname !== "") settings.set("host", part(parsed.hostname.replace(/^\[(.*)\]$/, "$1")));
  if (parsed.port !== "") settings.set("port", parsed.port);
  if (parsed.username !== "") settings.set("user", part(parsed.username));
  if (parsed.password !== "") settings.set("password", part(parsed.password));
  if (parsed.pathname.length > 1) settings.set("dbname", part(parsed.pathname.slice(1)));
  for (const [name, value] of parsed.searchParams) settings.set(name, value);
  return settings;
}

function keywordSettings(text: string): [string, string][] {
  const pair = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))\s*/gy;
  const settings: [string, string][] = [];
  let end = 0;
  for (let found = pair.exec(text); found; found = pair.exec(text)) {
    settings.push([found[1]!, (found[2] ?? found[3] ?? "").replaceAll(/\\(.)/g, "$1")]);
    end = pair.lastIndex;
  }
  if (end !== text.length || settings.length === 0) throw new Misread(shape);
  return settings;
}

const known = ["host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "options"];
const ignored = ["application_name", "fallback_application_name", "client_encoding"];
const timeouts = ["connect_timeout"];

function placeFrom(settings: ReadonlyMap<string, string>): ParsedConnection {
  const unknown = [...settings.keys()].find((name) => ![...known, ...ignored, ...timeouts].includes(name));
  if (unknown !== undefined)
    throw new Misread(`connection_url: the parameter ${unknown} is not supported. There are: ${known.join(", ")}.`);
  const get = (name: string) => settings.get(name);
  const host = get("host") ?? "localhost";
  if (host.includes(",")) throw new Misread("connection_url: several hosts are not supported; name one.");
  const port = Number(get("port") ?? 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Misread("connection_url: the port is no port number.");
  const seconds = Number(get("connect_timeout") ?? 10);
  if (!Number.isInteger(seconds)) throw new Misread("connection_url: connect_timeout is no whole number of seconds.");
  const user = get("user") ?? "";
  if (user === "")
    throw new Misread(
      "connection_url: it names no user. Put {{username}}:{{password}}@ before the host, and give both.",
    );
  const files = { ca: get("sslrootcert"), cert: get("sslcert"), key: get("sslkey") };
  const options = get("options");
  return {
    ok: true,
    place: {
      ...{ host, port, user, password: get("password") ?? "", database: get("dbname") ?? user },
      tls: tlsMode(get("sslmode") ?? "prefer", files.ca !== undefined),
      tlsFiles: {
        ...(files.ca !== undefined && { ca: files.ca }),
        ...(files.cert !== undefined && { cert: files.cert }),
        ...(files.key !== undefined && { key: files.key }),
      },
      connectTimeout: seconds > 0 ? seconds : 10,
      ...(options !== undefined && { options }),
    },
  };
}

function tlsMode(text: string, hasCa: boolean): TlsMode {
  switch (text) {
    case "allow":
    case "prefer":
      return "prefer";
    case "require":
      // As libpq: with a root certificate at hand, require means verify-ca.
      return hasCa ? "verify-ca" : "require";
    case "disable":
    case "verify-ca":
    case "verify-full":
      return text;
    default:
      throw new Misread("connection_url: sslmode is one of disable, allow, prefer, require, verify-ca, verify-full.");
  }
}

/** What node's TLS takes for a mode other than `disable`. Rejects where a file cannot be read. */
export async function tlsOptions({ host, tls, tlsFiles }: ConnectionPlace) {
  const [ca, cert, key] = await Promise.all(
    [tlsFiles.ca, tlsFiles.cert, tlsFiles.key].map((path) => (path === undefined ? undefined : readFile(path, "utf8"))),
  );
  const isVerified = tls === "verify-ca" || tls === "verify-full";
  return {
    rejectUnauthorized: isVerified,
    // An address is no name that a server could choose its certificate by.
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tls === "verify-ca" && { checkServerIdentity: () => undefined }),
  };
}
