import { messageOf, OperationalError } from "@millwright/core/errors";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { clientErrors } from "./errors.ts";
import type { HttpTarget, TlsSettings } from "./http.ts";

/** Where a server is and how it is trusted; texts as a user writes them in variables, flags and blocks. */
export interface TargetSettings {
  /** `host:port`, `http://host:port/prefix`, `https://…` or `unix:///path`. */
  readonly address: string;
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
}

/** The target of settings; reads certificate files. Throws `badConfiguration`; `from` says where the address is written. */
export function targetOf(settings: TargetSettings, from: string): HttpTarget {
  const { address } = settings;
  if (address.startsWith("unix://")) {
    return { scheme: "http", at: { socketPath: address.slice("unix://".length) }, pathPrefix: "" };
  }
  const text = address.includes("://") ? address : `${settings.tls ? "https" : "http"}://${address}`;
  const url = parseUrl(address, text, from);
  const scheme = settings.tls || url.protocol === "https:" ? "https" : "http";
  // URL leaves a port out where it is the scheme's own; only then does the scheme decide.
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  // A port that is written is meant, also where it is the scheme's own.
  const portIsDefault = !/^[a-z]+:\/\/[^/]*:\d+(?:[/?#]|$)/i.test(text);
  const at = portIsDefault ? { host, port, portIsDefault } : { host, port };
  const target = { scheme, at, pathPrefix: url.pathname.replace(/\/$/, "") } as const;
  return scheme === "https" ? { ...target, tls: tlsSettings(settings) } : target;
}

function parseUrl(given: string, text: string, from: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "") return url;
  const detail = `Write host:port, http://host:port, https://host:port or unix:///path (${from}).`;
  throw new OperationalError(
    clientErrors.badConfiguration,
    `${JSON.stringify(given)} is no address of a server. ${detail}`,
  );
}

function tlsSettings(settings: TargetSettings): TlsSettings {
  const { caPem, certPem, keyPem, caFile, caPath, certFile, keyFile } = settings;
  const files = caPem ? [] : [...(caFile ? [caFile] : []), ...(caPath ? listFolder(caPath) : [])];
  const ca = [...(caPem ? [caPem] : []), ...files.map((file) => readText("the CA certificate", file))];
  const cert = certPem ?? (certFile && readText("the client certificate", certFile));
  const key = keyPem ?? (keyFile && readText("the client key", keyFile));
  return {
    verify: settings.tlsVerify ?? true,
    ...(ca.length > 0 ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(settings.tlsServerName ? { serverName: settings.tlsServerName } : {}),
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

/** A file's text. Throws `badConfiguration`, which names `what` and the path. */
export function readText(what: string, path: string): string {
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

/** A truth value of an environment variable; nothing for an unset or empty one. Throws `badConfiguration`. */
export function readBool(name: string, text: string | undefined): boolean | undefined {
  if (!text) return undefined;
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new OperationalError(clientErrors.badConfiguration, `${name} is ${JSON.stringify(text)}; write true or false.`);
}
