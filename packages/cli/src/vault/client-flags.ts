import { type VaultConfig, vaultConfigFromEnv } from "@millwright/clients/vault-config";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { tlsFlags } from "../tls-flags.ts";

/** How to reach the server; every command that talks to one takes these. */
export const clientFlags = {
  address: {
    kind: "string",
    value: "ADDRESS",
    help: "Address of the server. Also VAULT_ADDR; http://127.0.0.1:8200 by default.",
  },
  ...tlsFlags("VAULT"),
  namespace: { kind: "string", value: "NAME", help: "The namespace. Also VAULT_NAMESPACE." },
} as const satisfies FlagTable;

/** The configuration by environment and flags; flags win. Throws an operational error where they cannot be used. */
export function configOf(values: FlagValues<typeof clientFlags>, io: CommandIo): VaultConfig {
  const config: { -readonly [K in keyof VaultConfig]: VaultConfig[K] } = vaultConfigFromEnv(io.env);
  for (const [flag, field] of configFields) {
    const value = values[flag];
    if (value !== undefined) config[field] = value;
  }
  if (values["tls-skip-verify"]) config.tlsVerify = false;
  return config;
}

const configFields = [
  ["address", "address"],
  ["ca-cert", "caFile"],
  ["ca-path", "caPath"],
  ["client-cert", "certFile"],
  ["client-key", "keyFile"],
  ["tls-server-name", "tlsServerName"],
  ["namespace", "namespace"],
] as const;
