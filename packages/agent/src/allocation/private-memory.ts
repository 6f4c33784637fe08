import { join } from "node:path";
import { KeptJson, readKeptJson } from "./kept-json.ts";

/**
 * What the agent has to know of a task's credentials to go on after it was started anew: in memory (tmpfs), for the agent's user
 * alone, until the task has ended. All of it is secret.
 */
export interface PrivateFacts {
  /** Tokens of the secrets server that are to be revoked when the task has ended; the last is the one it has. */
  readonly tokens: readonly KeptToken[];
  /** Secrets that templates have read and that were made for them, by path and query. */
  readonly leased: Readonly<Record<string, KeptSecret>>;
}

export interface KeptToken {
  readonly token: string;
  /** Milliseconds since 1970; 0 for never. */
  readonly expires: number;
  readonly renewable: boolean;
}

export interface KeptSecret {
  /** The answer, packed. */
  readonly secret: string;
  /** Seconds that its lease was given for, when it was read. */
  readonly leaseDuration: number;
  /** Milliseconds since 1970; 0 for never. */
  readonly expires: number;
}

const nothing: PrivateFacts = { tokens: [], leased: {} };

export class PrivateMemory {
  readonly #file: KeptJson;
  #facts: PrivateFacts;

  private constructor(path: string, facts: PrivateFacts) {
    this.#facts = facts;
    this.#file = new KeptJson(path, () => this.#facts);
  }

  /** Opens what is remembered of a task in an allocation's private folder. */
  static async open(folder: string, task: string): Promise<PrivateMemory> {
    const path = join(folder, `${encodeURIComponent(task)}.json`);
    // Nobody but this class writes there.
    return new PrivateMemory(path, ((await readKeptJson(path)) as PrivateFacts | undefined) ?? nothing);
  }

  get facts(): PrivateFacts {
    return this.#facts;
  }

  /** Resolves when it is remembered. */
  change(change: (facts: PrivateFacts) => PrivateFacts): Promise<void> {
    this.#facts = change(this.#facts);
    return this.#file.write();
  }
}
