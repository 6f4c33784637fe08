import { readFile } from "node:fs/promises";
import { ConsulClient } from "@millwright/clients/consul";
import { clientErrors } from "@millwright/clients/errors";
import { VaultClient } from "@millwright/clients/vault";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import { consulPort } from "@millwright/render/consul-port";
import type { Servers } from "@millwright/render/servers";
import { vaultPort } from "@millwright/render/vault-port";
import type { Resolved } from "./resolve.ts";

export interface OpenServers {
  readonly servers: Servers;
  close(): Promise<void>;
}

/** How often a token's file is read again. */
const tokenFileMilliseconds = 2000;

/**
 * Clients of the servers. Opens no connection unless the token is to be unwrapped first. Rejects with operational errors
 * of `clientErrors`.
 */
export async function openServers(
  { consul, vault, tokenFile, unwrapsToken }: Resolved,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<OpenServers> {
  // Whoever follows a source repeats by itself.
  const consulClient = new ConsulClient(consul, { attempts: 1 });
  const vaultClient = new VaultClient(vault, { attempts: 1 });
  const closing = new AbortController();
  let token = vault.token;
  if (tokenFile !== undefined) token = await readToken(tokenFile);
  if (unwrapsToken && token) token = await unwrap(vaultClient, token);
  const watching = tokenFile === undefined ? undefined : watchTokenFile(tokenFile);

  async function watchTokenFile(path: string): Promise<void> {
    while (!closing.signal.aborted) {
      await clock.sleep(tokenFileMilliseconds, closing.signal).catch(() => undefined);
      try {
        token = await readToken(path);
      } catch (error) {
        if (!closing.signal.aborted) log.write("warn", messageOf(error));
      }
    }
  }

  return {
    servers: { consul: consulPort(consulClient), vault: vaultPort(vaultClient, () => token) },
    close: async () => {
      closing.abort();
      await Promise.all([consulClient.close(), vaultClient.close(), watching]);
    },
  };
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    const text = `The token's file ${path} cannot be read: ${messageOf(error)}. Check -vault-agent-token-file.`;
    throw new OperationalError(clientErrors.badConfiguration, text, { cause: error });
  }
}

async function unwrap(client: VaultClient, wrapped: string): Promise<string> {
  const path = "sys/wrapping/unwrap";
  const { body } = await client.request({ method: "PUT", path, options: { token: wrapped }, repeatable: false });
  const token = (body as { readonly auth?: { readonly client_token?: unknown } } | undefined)?.auth?.client_token;
  if (typeof token === "string") return token;
  const text = "What is wrapped in the token is no token. Wrap the answer of a login or of a token's creation.";
  throw new OperationalError(clientErrors.badConfiguration, text);
}
