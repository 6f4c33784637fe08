import { messageOf, OperationalError } from "@millwright/core/errors";
import { VaultClient } from "@millwright/clients/vault";
import { type VaultConfig, vaultConfigFromEnv } from "@millwright/clients/vault-config";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { BackendPorts } from "../backend-type.ts";
import { keyUnavailable, type KeyProvider } from "./key-provider.ts";
import type { PartSettings } from "./part-settings.ts";

/**
 * `key_provider "openbao"`: a new key for each run from a transit engine (`POST TRANSIT/datakey/plaintext/KEY`), which alone can
 * decrypt what is kept of it (`POST TRANSIT/decrypt/KEY`). OpenBao and Vault have such an engine; our own server has not.
 */
export const openbaoProvider: KeyProvider = {
  arguments: ["address", "token", "key_name", "key_length", "transit_engine_path", "associated_data"],
  fresh: async (settings, ports) => {
    const length = settings.number("key_length") ?? 32;
    if (![16, 32, 64].includes(length)) throw settings.wrong("key_length is 16, 32 or 64");
    const { engine, name, associated } = transitOf(settings);
    return asking(settings, ports, async (client) => {
      const made = await client.write(`${engine}/datakey/plaintext/${name}`, { bits: length * 8, ...associated });
      const { plaintext, ciphertext } = made?.data ?? {};
      if (typeof plaintext !== "string" || typeof ciphertext !== "string")
        throw keyUnavailable(settings, "the answer of the transit engine has no key");
      return {
        key: Buffer.from(plaintext, "base64"),
        metadata: { ciphertext: Buffer.from(ciphertext).toString("base64") },
      };
    });
  },
  again: async (settings, given, ports) => {
    const { ciphertext } = (given ?? {}) as { readonly ciphertext?: string };
    if (!ciphertext) return undefined;
    const { engine, name, associated } = transitOf(settings);
    return asking(settings, ports, async (client) => {
      const text = Buffer.from(ciphertext, "base64").toString("utf8");
      const opened = await client.write(`${engine}/decrypt/${name}`, { ciphertext: text, ...associated });
      return Buffer.from(String(opened?.data?.plaintext ?? ""), "base64");
    });
  },
};

function transitOf(settings: PartSettings) {
  const name = settings.text("key_name");
  if (!name) throw settings.wrong("key_name is missing");
  const engine = (settings.text("transit_engine_path") ?? "transit").replace(/^\/|\/$/g, "");
  const data = settings.text("associated_data");
  return { engine, name: encodeURIComponent(name), associated: data ? { associated_data: data } : {} };
}

/**
 * `key_provider "vault_kv"`, which OpenTofu does not have: a passphrase kept in a kv engine of a secrets server, ours or another
 * (`GET MOUNT/data/PATH`, version 2). Its key is for the `chain` of a pbkdf2 provider.
 */
export const vaultKvProvider: KeyProvider = {
  arguments: ["address", "token", "mount", "path", "field"],
  fresh: async (settings, ports) => ({ key: await passphraseOf(settings, ports), metadata: {} }),
  again: (settings, _metadata, ports) => passphraseOf(settings, ports),
};

function passphraseOf(settings: PartSettings, ports: BackendPorts): Promise<Uint8Array> {
  const [path, field] = [settings.text("path"), settings.text("field") ?? "passphrase"];
  if (!path) throw settings.wrong("path is missing");
  const mount = (settings.text("mount") ?? "secret").replace(/^\/|\/$/g, "");
  return asking(settings, ports, async (client) => {
    const secret = await client.read(`${mount}/data/${path}`);
    const { data } = (secret?.data ?? {}) as { readonly data?: Readonly<Record<string, unknown>> };
    const text = data?.[field];
    if (typeof text !== "string" || text === "")
      throw keyUnavailable(settings, `${mount}/${path} has no field ${JSON.stringify(field)}.`);
    return Buffer.from(text);
  });
}

async function asking<T>(
  settings: PartSettings,
  { env }: BackendPorts,
  work: (client: VaultClient) => Promise<T>,
): Promise<T> {
  const [address, token] = [settings.text("address"), settings.text("token")];
  const bao = {
    ...(env.BAO_ADDR ? { VAULT_ADDR: env.BAO_ADDR } : {}),
    ...(env.BAO_TOKEN ? { VAULT_TOKEN: env.BAO_TOKEN } : {}),
  };
  const config: VaultConfig = {
    ...vaultConfigFromEnv({ ...env, ...bao }),
    ...(address === undefined ? {} : { address }),
    ...(token === undefined ? {} : { token }),
  };
  const client = new VaultClient(config);
  try {
    return await work(client);
  } catch (error) {
    if (!(error instanceof OperationalError) || error.code === backendErrors.keyUnavailable.code) throw error;
    throw keyUnavailable(settings, messageOf(error), error);
  } finally {
    await client.close();
  }
}
