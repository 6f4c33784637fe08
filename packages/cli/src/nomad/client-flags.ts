import { type NomadConfig, nomadConfigFromEnv } from "@millwright/clients/nomad-config";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { tlsFlags } from "../tls-flags.ts";

/** How to reach the server, and in which colours; every command takes these. */
export const clientFlags = {
  address: {
    kind: "string",
    value: "ADDRESS",
    help: "Address of the server. Also NOMAD_ADDR; http://127.0.0.1:4646 by default.",
  },
  region: {
    kind: "string",
    value: "NAME",
    help: "The region to ask; that of the server by default. Also NOMAD_REGION.",
  },
  namespace: { kind: "string", value: "NAME", help: "The namespace; default by default. Also NOMAD_NAMESPACE." },
  token: { kind: "string", value: "TOKEN", help: "The token to show. Also NOMAD_TOKEN." },
  "no-color": { kind: "bool", help: "Write without colours. Also NO_COLOR." },
  "force-color": { kind: "bool", help: "Write in colours, also where the output is no terminal." },
  ...tlsFlags("NOMAD"),
} as const satisfies FlagTable;

export type ClientFlagValues = FlagValues<typeof clientFlags>;

/** The configuration by environment and flags; flags win. Throws an operational error where they cannot be used. */
export function configOf(values: ClientFlagValues, io: CommandIo): NomadConfig {
  const config: { -readonly [K in keyof NomadConfig]: NomadConfig[K] } = nomadConfigFromEnv(io.env);
  for (const [flag, field] of configFields) {
    const value = values[flag];
    if (value !== undefined) config[field] = value;
  }
  if (values["tls-skip-verify"]) config.tlsVerify = false;
  return config;
}

const configFields = [
  ["address", "address"],
  ["region", "region"],
  ["namespace", "namespace"],
  ["token", "token"],
  ["ca-cert", "caFile"],
  ["ca-path", "caPath"],
  ["client-cert", "certFile"],
  ["client-key", "keyFile"],
  ["tls-server-name", "tlsServerName"],
] as const;
