import { parseDuration, toMilliseconds } from "@millwright/text/duration";
import { asMap, asNumber, isKnown, isNull, type Value } from "@millwright/value/value";
import { flag, text } from "./plain.ts";
import { blockOf } from "./schema.ts";

/** The arguments of a `connection` block. */
export const connectionSchema = blockOf({
  type: "text",
  user: "text",
  password: "text",
  host: "text",
  port: "number",
  timeout: "text",
  script_path: "text",
  target_platform: "text",
  private_key: "text",
  certificate: "text",
  host_key: "text",
  agent: "flag",
  agent_identity: "text",
  proxy_scheme: "text",
  proxy_host: "text",
  proxy_port: "number",
  proxy_user_name: "text",
  proxy_user_password: "text",
  bastion_host: "text",
  bastion_host_key: "text",
  bastion_port: "number",
  bastion_user: "text",
  bastion_password: "text",
  bastion_private_key: "text",
  bastion_certificate: "text",
  https: "flag",
  insecure: "flag",
  use_ntlm: "flag",
  cacert: "text",
});

/** How to log in to a machine. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  /** A private key in PEM or OpenSSH's form. */
  readonly privateKey?: string;
  /** The machine's public key as it stands in known_hosts: `ssh-ed25519 AAAA…`; any is taken where it is not given. */
  readonly hostKey?: string;
}

export interface Connection extends Login {
  /** Whether keys of an SSH agent are tried. */
  readonly agent: boolean;
  /** How long to try; milliseconds. */
  readonly timeout: number;
  /** Where scripts are put; `%RAND%` is a number. */
  readonly scriptPath: string;
  /** Through which machine the way leads. */
  readonly bastion?: Login;
  /** What stands before the first machine of the way. */
  readonly proxy?: Proxy;
}

/** A proxy: one that knows HTTP's CONNECT, over TLS or not, or SOCKS 5. */
export interface Proxy {
  readonly scheme: ProxyScheme;
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
}

export type ProxyScheme = (typeof proxySchemes)[number];
const proxySchemes = ["http", "https", "socks5"] as const;

/** What a connection block says, or what is wrong with it. */
export function readConnection(object: Value | undefined): Connection | string {
  if (!object) return "a connection block is needed that says how to reach the machine";
  const type = text(object, "type") ?? "ssh";
  if (type !== "ssh") return `connections of type "${type}" are not there; "ssh" is`;
  const host = text(object, "host");
  if (!host) return "its connection needs the argument host, the machine's name or address";
  for (const name of ["certificate", "bastion_certificate"])
    if (text(object, name) !== undefined)
      return `the argument ${name} of a connection is refused: logins with certificates are not there; use a key, a password or an agent`;
  if ((text(object, "target_platform") ?? "unix") !== "unix")
    return "machines of other platforms than unix cannot be worked on";
  const timeout = text(object, "timeout") ?? "5m";
  const parsed = parseDuration(timeout);
  if (!parsed.ok) return `"${timeout}" is not a duration: write one such as 5m`;
  const user = text(object, "user") ?? "root";
  const bastionHost = text(object, "bastion_host");
  const proxy = proxyOf(object);
  if (typeof proxy === "string") return proxy;
  return {
    host,
    port: port(object, "port") ?? 22,
    user,
    ...secretsOf(object, ""),
    agent: flag(object, "agent") ?? true,
    timeout: toMilliseconds(parsed.duration),
    scriptPath: text(object, "script_path") ?? "/tmp/terraform_%RAND%.sh",
    ...(bastionHost === undefined ? {} : { bastion: bastionOf(object, bastionHost, user) }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

function proxyOf(object: Value): Proxy | string | undefined {
  const host = text(object, "proxy_host");
  if (host === undefined) return undefined;
  const given = text(object, "proxy_scheme") ?? "http";
  const scheme = proxySchemes.find((one) => one === given);
  if (scheme === undefined) return `its proxy_scheme is "${given}"; there are ${proxySchemes.join(", ")}`;
  const number = port(object, "proxy_port");
  if (number === undefined) return "its connection names a proxy_host without its proxy_port";
  const [user, password] = [text(object, "proxy_user_name"), text(object, "proxy_user_password")];
  return {
    scheme,
    host,
    port: number,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}

// What is not said of the way there is as for the machine itself.
function bastionOf(object: Value, host: string, user: string): Login {
  const own = secretsOf(object, "bastion_");
  const { hostKey: _, ...usual } = secretsOf(object, "");
  return {
    host,
    port: port(object, "bastion_port") ?? port(object, "port") ?? 22,
    user: text(object, "bastion_user") ?? user,
    ...usual,
    ...own,
  };
}

function secretsOf(object: Value, prefix: string): Pick<Login, "password" | "privateKey" | "hostKey"> {
  const password = text(object, `${prefix}password`);
  const privateKey = text(object, `${prefix}private_key`);
  const hostKey = text(object, `${prefix}host_key`);
  return {
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(hostKey === undefined ? {} : { hostKey }),
  };
}

function port(object: Value, name: string): number | undefined {
  const value = asMap(object).get(name);
  return value && isKnown(value) && !isNull(value) ? asNumber(value).toNumber() : undefined;
}
