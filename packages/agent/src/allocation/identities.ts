import { OperationalError } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import type { Identity } from "@millwright/jobs/service";
import type { Task } from "@millwright/jobs/task";
import { join } from "node:path";
import type { TaskFolders } from "../driver/driver.ts";
import type { TaskIdentity } from "./host.ts";
import { pathInside } from "./inside.ts";
import { patiently } from "./patience.ts";
import { type SecretReaders, writeSecretFile } from "./secret-file.ts";

export interface IdentityPorts {
  readonly task: Task;
  readonly folders: TaskFolders;
  readonly readers: SecretReaders;
  readonly identity: (name: string) => Promise<TaskIdentity>;
  /** Told of an identity that was renewed while the task runs. */
  readonly renewed: (block: Identity) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The signed tokens of a task's `identity` blocks, in its environment and its secrets; renewed before they run out. */
export class Identities {
  readonly #ports: IdentityPorts;
  readonly #blocks: readonly Identity[];
  readonly #held = new Map<string, TaskIdentity>();
  readonly #control = new AbortController();
  #keeping: Promise<void> | undefined;

  constructor(ports: IdentityPorts) {
    this.#ports = ports;
    const { identity, identities } = ports.task;
    this.#blocks = [...(identity ? [identity] : []), ...identities].filter(({ env, file }) => env || file);
  }

  /**
   * Gets those that are wanted, and keeps them from now on. Resolves to what of them belongs into the environment; while the
   * servers cannot be asked it waits, and tells why. Rejects where they refuse, and with the signal's reason.
   */
  async obtain(signal: AbortSignal, waits: (message: string) => void): Promise<Readonly<Record<string, string>>> {
    const { clock } = this.#ports;
    for (const block of this.#blocks) {
      if (this.#lifeOf(block) >= soonMilliseconds) continue;
      await patiently({ clock, signal, waits }, () => this.#renew(block));
    }
    this.keep();
    const inEnvironment = this.#blocks.filter(({ env }) => env);
    return Object.fromEntries(inEnvironment.map((block) => [variableOf(block), this.#held.get(nameOf(block))!.token]));
  }

  /** Keeps them fresh from now on: also those of a task that was found again, which this program has never had. */
  keep(): void {
    const { signal } = this.#control;
    this.#keeping ??= Promise.all(this.#blocks.map((block) => this.#keepOne(block, signal))).then(
      () => undefined,
      (error: unknown) => {
        if (!signal.aborted) throw error;
      },
    );
  }

  async close(): Promise<void> {
    this.#control.abort();
    await this.#keeping;
  }

  /** Milliseconds. */
  #lifeOf(block: Identity): number {
    return (this.#held.get(nameOf(block))?.expires ?? 0) - this.#ports.clock.now();
  }

  async #renew(block: Identity): Promise<void> {
    const { folders, readers } = this.#ports;
    const held = await this.#ports.identity(nameOf(block));
    this.#held.set(nameOf(block), held);
    if (!block.file) return;
    const path =
      block.filepath === "" ? join(folders.secrets, fileOf(block)) : await pathInside(folders, block.filepath);
    await writeSecretFile(path, held.token, readers);
  }

  async #keepOne(block: Identity, signal: AbortSignal): Promise<void> {
    const { clock, log, renewed, task } = this.#ports;
    for (;;) {
      await clock.sleep(Math.max(0, (this.#lifeOf(block) * 2) / 3), signal);
      try {
        await this.#renew(block);
        renewed(block);
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        log.write("warn", `${task.name}: its identity ${nameOf(block)} could not be renewed: ${error.message}`);
      }
      await clock.sleep(soonMilliseconds, signal);
    }
  }
}

function nameOf({ name }: Identity): string {
  return name === "" ? "default" : name;
}

function variableOf(block: Identity): string {
  const name = nameOf(block);
  return name === "default" ? "NOMAD_TOKEN" : `NOMAD_TOKEN_${name.replaceAll(/\W/g, "_")}`;
}

function fileOf(block: Identity): string {
  const name = nameOf(block);
  return name === "default" ? "nomad_token" : `nomad_${name}.jwt`;
}

/** What runs out sooner is had anew, and not more often than this. */
const soonMilliseconds = 10_000;
