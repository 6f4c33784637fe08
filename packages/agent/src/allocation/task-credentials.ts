import type { TaskEvent } from "@millwright/clients/nomad-node-protocol";
import { OperationalError } from "@millwright/core/errors";
import type { Identity } from "@millwright/jobs/service";
import type { Task, Vault } from "@millwright/jobs/task";
import type { VaultPort } from "@millwright/render/servers";
import { join } from "node:path";
import type { TaskFolders } from "../driver/driver.ts";
import type { TaskSecrets } from "./environment.ts";
import { allocationErrors } from "./errors.ts";
import type { AllocationHost } from "./host.ts";
import { Identities } from "./identities.ts";
import type { PrivateMemory } from "./private-memory.ts";
import { rememberedVault } from "./remembered-vault.ts";
import { type SecretReaders, writeSecretFile } from "./secret-file.ts";
import { taskEvents } from "./task-events.ts";
import { VaultToken } from "./vault-token.ts";

export interface CredentialPorts {
  readonly host: AllocationHost;
  readonly allocation: string;
  /** Its `vault` block interpolated. */
  readonly task: Task;
  readonly folders: TaskFolders;
  readonly readers: SecretReaders;
  readonly memory: PrivateMemory;
  readonly noted: (event: TaskEvent) => void;
  /** What a `change_mode` asks for, because of what. */
  readonly change: (mode: string, signal: string, why: string) => void;
}

/** What a task is trusted with: its token of the secrets server, and the tokens that say who it is. */
export class TaskCredentials {
  readonly #ports: CredentialPorts;
  readonly #identities: Identities;
  /** Undefined where the task has none, nor had. */
  readonly #token: VaultToken | undefined;
  /** Undefined where the task reads no secrets. */
  readonly vault: VaultPort | undefined;

  constructor(ports: CredentialPorts) {
    this.#ports = ports;
    const { host, task, memory, allocation } = ports;
    const { clock, log, chance, vault } = host;
    this.#identities = new Identities({
      ...ports,
      ...{ clock, log },
      identity: (name) => host.identity(allocation, task.name, name),
      renewed: (block) =>
        ports.change(block.changeMode, block.changeSignal, `the identity ${nameOf(block)} was renewed`),
    });
    const block = task.vault;
    const holds = block !== null || memory.facts.tokens.length > 0;
    this.#token =
      vault && holds
        ? new VaultToken({
            ...{ vault, clock, chance, log, memory },
            block: block ?? noBlock,
            task: task.name,
            identity: () => host.identity(allocation, task.name, "vault_default"),
            replaced: (token) => this.#replaced(token),
          })
        : undefined;
    const token = this.#token;
    this.vault =
      block && vault && token
        ? rememberedVault(
            vault.as(() => token.current),
            memory,
            clock,
          )
        : undefined;
  }

  /** Has all of them ready. Resolves to the identities that belong into the environment. Rejects with an operational error. */
  async obtain(signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { task, host, noted } = this.#ports;
    const waits = (what: string) => (message: string) =>
      noted(taskEvents.setup(host.clock.now(), `Waiting for ${what}: ${message}`));
    if (task.vault) {
      if (!this.#token) throw new OperationalError(allocationErrors.credential, noServer(task.name));
      const token = await this.#token.obtain(signal, waits("a token of the secrets server"));
      await this.#writeToken(task.vault, token);
    }
    return this.#identities.obtain(signal, waits("an identity"));
  }

  /** Goes on keeping those of a task that was found again. */
  async keep(signal: AbortSignal): Promise<void> {
    const { task, host } = this.#ports;
    this.#identities.keep();
    if (!task.vault || !this.#token) return;
    const before = this.#token.current;
    const label = `${task.name}: waiting for a token of the secrets server`;
    const token = await this.#token.obtain(signal, (message) => host.log.write("warn", `${label}: ${message}`));
    if (token !== before) await this.#replaced(token);
  }

  /** What of the token belongs into the environment. */
  get variables(): TaskSecrets["vault"] {
    const { task, host } = this.#ports;
    if (!task.vault?.env || !host.vault || !this.#token) return undefined;
    return { address: host.vault.address, token: this.#token.current, namespace: task.vault.namespace };
  }

  async close(): Promise<void> {
    await Promise.all([this.#identities.close(), this.#token?.close()]);
  }

  /** Ends every token of the secrets server that the task had; resolves when they are of no use any more. */
  async revoke(signal: AbortSignal): Promise<void> {
    await this.#token?.revoke(signal);
  }

  async #writeToken(block: Vault, token: string): Promise<void> {
    const { folders, readers } = this.#ports;
    if (!block.disableFile) await writeSecretFile(join(folders.secrets, "vault_token"), token, readers);
  }

  async #replaced(token: string): Promise<void> {
    const { task, change } = this.#ports;
    if (!task.vault) return;
    await this.#writeToken(task.vault, token);
    change(task.vault.changeMode, task.vault.changeSignal, "Vault: new Vault token acquired");
  }
}

/** For a task whose job gave it one before, and does not any more. */
const noBlock: Vault = {
  ...{ policies: [], role: "", namespace: "", cluster: "default", env: false, disableFile: true },
  ...{ changeMode: "noop", changeSignal: "", allowTokenExpiration: false },
};

function nameOf({ name }: Identity): string {
  return name === "" ? "default" : name;
}

function noServer(task: string): string {
  return `The task ${JSON.stringify(task)} asks for a token of the secrets server (vault block), and this node knows none. Give the agent its address, or take the block out.`;
}
