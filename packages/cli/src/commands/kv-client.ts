import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ConsulClient } from "@millwright/clients/consul";
import { RefusedAnswer } from "@millwright/clients/consul-api";
import { type ConsulConfig, consulConfigFromEnv } from "@millwright/clients/consul-config";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";

/** How to reach the server; every command that talks to one takes these. */
export const clientFlags = {
  "http-addr": {
    kind: "string",
    value: "ADDRESS",
    help: "Address of the server: host:port, http://host:port, https://host:port or unix:///path. Also CONSUL_HTTP_ADDR; 127.0.0.1:8500 by default.",
  },
  token: { kind: "string", value: "TOKEN", help: "The token to use. Also CONSUL_HTTP_TOKEN." },
  "token-file": { kind: "string", value: "FILE", help: "A file with the token to use. Also CONSUL_HTTP_TOKEN_FILE." },
  "ca-file": { kind: "string", value: "FILE", help: "A CA certificate to trust. Also CONSUL_CACERT." },
  "ca-path": { kind: "string", value: "FOLDER", help: "A folder of CA certificates to trust. Also CONSUL_CAPATH." },
  "client-cert": {
    kind: "string",
    value: "FILE",
    help: "The certificate to show to the server. Also CONSUL_CLIENT_CERT.",
  },
  "client-key": { kind: "string", value: "FILE", help: "The key of that certificate. Also CONSUL_CLIENT_KEY." },
  "tls-server-name": {
    kind: "string",
    value: "NAME",
    help: "The name the server's certificate is for. Also CONSUL_TLS_SERVER_NAME.",
  },
  datacenter: { kind: "string", value: "NAME", help: "The datacenter to ask; that of the server by default." },
  stale: { kind: "bool", help: "Let the server answer from what it has, which may be behind." },
  namespace: { kind: "string", value: "NAME", help: "The namespace. Also CONSUL_NAMESPACE." },
  partition: { kind: "string", value: "NAME", help: "The partition. Also CONSUL_PARTITION." },
} as const satisfies FlagTable;

export type ClientFlagValues = FlagValues<typeof clientFlags>;

/** A client by environment and flags; flags win. Throws an operational error where they cannot be used. */
export function openClient(values: ClientFlagValues, io: CommandIo): ConsulClient {
  const config: { -readonly [K in keyof ConsulConfig]: ConsulConfig[K] } = consulConfigFromEnv(io.env);
  for (const [flag, field] of configFields) {
    const value = values[flag];
    if (value !== undefined) config[field] = value;
  }
  // A token on the line is meant, whatever file the environment names.
  if (values.token !== undefined && values["token-file"] === undefined) delete config.tokenFile;
  return new ConsulClient(config);
}

const configFields = [
  ["http-addr", "address"],
  ["token", "token"],
  ["token-file", "tokenFile"],
  ["ca-file", "caFile"],
  ["ca-path", "caPath"],
  ["client-cert", "certFile"],
  ["client-key", "keyFile"],
  ["tls-server-name", "tlsServerName"],
  ["datacenter", "datacenter"],
  ["namespace", "namespace"],
  ["partition", "partition"],
] as const;

/** Why a call failed: a server's refusal in the words of Consul's client, else our own. Throws what is no such failure. */
export function failureText(error: unknown): string {
  if (!(error instanceof OperationalError)) throw error;
  const { cause } = error;
  return cause instanceof RefusedAnswer
    ? `Unexpected response code: ${cause.status} (${cause.message})`
    : error.message;
}

/** Data as it is given on the line: itself, `@FILE` or `-` for standard input. Throws an Error that says what failed. */
export async function loadData(argument: string, io: CommandIo): Promise<Uint8Array> {
  if (argument === "-") return readAll(io);
  if (!argument.startsWith("@")) return Buffer.from(argument);
  const path = argument.slice(1);
  try {
    return await readFile(resolve(io.cwd, path));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new Error(`Failed to read file: open ${path}: ${fileErrors[code] ?? messageOf(error)}`, { cause: error });
  }
}

const fileErrors: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
};

async function readAll(io: CommandIo): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of io.stdin) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces);
}
