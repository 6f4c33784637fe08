import { type Chance, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { formatAddress, listen } from "@millwright/daemon/listener";
import { openSecrets, type Secrets } from "@millwright/secrets/secrets";
import { openMemoryStore } from "@millwright/store/memory";

/** A real secrets server over a store in memory, initialized and unsealed, on a free port of this machine. */
export interface VaultServer {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  readonly rootToken: string;
  readonly secrets: Secrets;
  /** Asks the API: `ask("PUT sys/seal")`, with the root token unless another is given; the path is below `/v1/`. */
  ask(line: string, body?: unknown, token?: string): Promise<VaultReply>;
  close(): Promise<void>;
}

export interface VaultReply {
  readonly status: number;
  readonly auth: { readonly client_token: string };
  readonly data: Readonly<Record<string, unknown>>;
}

export async function startVault(chance: Chance = systemChance): Promise<VaultServer> {
  const store = openMemoryStore();
  const secrets = await openSecrets({ store, version: "0.0.0" });
  const { keys, rootToken } = await secrets.init({ shares: 1, threshold: 1 });
  await secrets.unseal(keys[0]!);
  const listener = await listen({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    service: secrets.handle,
    clock: systemClock,
    log: silentLog,
    portFlag: "-vault-port",
    requestId: () => chance.uuid(),
    freePortIfTaken: false,
  });
  const address = `http://${formatAddress(listener.address)}`;
  return {
    address,
    rootToken,
    secrets,
    ask: async (line, body, token = rootToken) => {
      const [method = "", path = ""] = line.split(" ");
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await fetch(`${address}/v1/${path}`, { method, ...sent, headers: { "x-vault-token": token } });
      const text = await answer.text();
      return { ...(text === "" ? {} : JSON.parse(text)), status: answer.status };
    },
    close: async () => {
      await listener.close(0);
      await secrets.close();
      await store.close();
    },
  };
}
