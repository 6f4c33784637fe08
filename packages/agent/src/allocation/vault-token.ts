import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Vault } from "@millwright/jobs/task";
import { allocationErrors } from "./errors.ts";
import type { TaskIdentity, VaultHost, VaultLogin } from "./host.ts";
import { firstPause, longestPause, orAborted, patiently } from "./patience.ts";
import type { KeptToken, PrivateMemory } from "./private-memory.ts";

export interface VaultTokenPorts {
  readonly vault: VaultHost;
  /** The task's `vault` block, interpolated. */
  readonly block: Vault;
  /** For messages and the log. */
  readonly task: string;
  readonly identity: () => Promise<TaskIdentity>;
  readonly memory: PrivateMemory;
  /** Told of a token that takes the place of one that could not be kept. */
  readonly replaced: (token: string) => Promise<void>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/**
 * A task's token of the secrets server: had by trading the task's identity, renewed as long as the task is there, revoked when it has
 * ended. It outlives the agent.
 */
export class VaultToken {
  readonly #ports: VaultTokenPorts;
  readonly #control = new AbortController();
  #keeping: Promise<void> | undefined;
  /** Settles when no new token is on its way; never rejects. */
  #trading: Promise<unknown> = Promise.resolve();

  constructor(ports: VaultTokenPorts) {
    this.#ports = ports;
  }

  /** The token that the task has now; empty before it has one. */
  get current(): string {
    return this.#ports.memory.facts.tokens.at(-1)?.token ?? "";
  }

  /**
   * The task's token, and keeps it from now on. Where the server cannot be asked it waits, and tells why; rejects where it refuses,
   * and with the signal's reason.
   */
  async obtain(signal: AbortSignal, waits: (message: string) => void): Promise<string> {
    if (this.current === "" || this.#isOver(this.#newest())) {
      const either = AbortSignal.any([signal, this.#control.signal]);
      await orAborted(this.#trade(either, waits), either);
    }
    this.#keeping ??= this.#keep().catch((error: unknown) => this.#unlessClosed(error));
    return this.current;
  }

  /** Stops keeping it; it stays good as long as its lease says. */
  async close(): Promise<void> {
    this.#control.abort();
    await this.#keeping;
    // A token that the server is just making has to be known, to be revoked.
    const patience = new AbortController();
    const late = this.#ports.clock.sleep(lastAnswerMilliseconds, patience.signal).catch(() => undefined);
    await Promise.race([this.#trading, late]);
    patience.abort();
  }

  /** Ends every token that the task had, and tries until that is done or they have run out. */
  async revoke(signal: AbortSignal): Promise<void> {
    await this.close();
    const { vault, memory, clock, log, task } = this.#ports;
    for (let pause = firstPause; memory.facts.tokens.length > 0; pause = Math.min(pause * 2, longestPause)) {
      const [first] = memory.facts.tokens;
      if (!first) return;
      try {
        if (!this.#isOver(first)) await vault.revoke(first.token, signal);
        await memory.change((facts) => ({ ...facts, tokens: facts.tokens.filter((one) => one !== first) }));
        pause = firstPause / 2;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof OperationalError)) throw error;
        log.write("warn", `${task}: its token could not be revoked: ${error.message} (trying again)`);
        await clock.sleep(pause, signal);
      }
    }
  }

  #newest(): KeptToken | undefined {
    return this.#ports.memory.facts.tokens.at(-1);
  }

  #isOver(token: KeptToken | undefined): boolean {
    return token === undefined || (token.expires !== 0 && token.expires <= this.#ports.clock.now());
  }

  #trade(signal: AbortSignal, waits: (message: string) => void): Promise<void> {
    const trade = this.#tradeUntilDone(signal, waits);
    this.#trading = trade.catch(() => undefined);
    return trade;
  }

  async #tradeUntilDone(signal: AbortSignal, waits: (message: string) => void): Promise<void> {
    const { clock, memory } = this.#ports;
    const login = await patiently({ clock, signal, waits }, () => this.#login());
    const expires = login.leaseDuration === 0 ? 0 : clock.now() + login.leaseDuration * 1000;
    const kept = { token: login.token, expires, renewable: login.renewable };
    await memory.change((facts) => ({ ...facts, tokens: [...facts.tokens.filter((one) => !this.#isOver(one)), kept] }));
  }

  async #login(): Promise<VaultLogin> {
    const { vault, block, identity } = this.#ports;
    const role = roleOf(block, vault.defaultRole);
    const { token } = await identity();
    // Not to be cut off: the server would have made a token that nobody revokes.
    const login = await vault.login(role, token, new AbortController().signal);
    const missing = block.policies.filter((policy) => !login.policies.includes(policy));
    if (missing.length === 0) return login;
    // It is good for nothing here.
    await vault.revoke(login.token, this.#control.signal);
    const at = `auth/${vault.mount}/role/${role}`;
    const text = `The job asks for the policies ${missing.join(", ")}, which the secrets server's role ${at} does not give. Add them to the role's token_policies, or take them out of the task's vault block.`;
    throw new OperationalError(allocationErrors.credential, text);
  }

  async #keep(): Promise<void> {
    const { signal } = this.#control;
    const { clock, replaced, log, task } = this.#ports;
    for (;;) {
      const token = this.#newest();
      if (!token || token.expires === 0) return;
      const left = token.expires - clock.now();
      await clock.sleep(Math.max(0, (left * 2) / 3), signal);
      if (await this.#renew(token, signal)) continue;
      await this.#trade(signal, (message) => log.write("warn", `${task}: no new token yet: ${message}`));
      await replaced(this.current);
    }
  }

  /** Whether the token lives on. Where the server cannot be asked, it is asked until the token is over. */
  async #renew(token: KeptToken, signal: AbortSignal): Promise<boolean> {
    const { vault, memory, clock, log, task } = this.#ports;
    if (!token.renewable) return false;
    for (let pause = firstPause; !this.#isOver(token); pause = Math.min(pause * 2, longestPause)) {
      try {
        const secret = await vault.as(() => token.token).renewSelf(0, signal);
        const seconds = secret.auth?.leaseDuration ?? 0;
        const expires = clock.now() + seconds * 1000;
        // One that comes to its longest life is given less each time: its successor is had while it is still good.
        const isAtEnd = expires - token.expires < leastGain;
        const kept = { ...token, expires, renewable: !isAtEnd };
        await memory.change((facts) => ({ ...facts, tokens: facts.tokens.map((one) => (one === token ? kept : one)) }));
        return true;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof OperationalError)) throw error;
        log.write("warn", `${task}: its token could not be renewed: ${error.message}`);
        if (!error.kind.retryable) return false;
        await clock.sleep(Math.min(pause, Math.max(1, token.expires - clock.now())), signal);
      }
    }
    return false;
  }

  #unlessClosed(error: unknown): void {
    if (this.#control.signal.aborted) return;
    const { log, task } = this.#ports;
    // Refused for good: the task runs on with what it has, and a start anew tells why.
    if (!(error instanceof OperationalError)) throw error;
    log.write("error", `${task}: its token of the secrets server is not kept: ${messageOf(error)}`);
  }
}

/**
 * The role at the secrets server that a task's `vault` block asks for: the named one; else for the `policies` of 2016 the one that has
 * their names in alphabetical order, joined with `-`; else the node's default.
 */
export function roleOf({ role, policies }: Pick<Vault, "role" | "policies">, defaultRole: string): string {
  if (role !== "") return role;
  return policies.length > 0 ? [...new Set(policies)].sort().join("-") : defaultRole;
}

const lastAnswerMilliseconds = 3_000;
/** Of a renewal that is worth another one, in milliseconds. */
const leastGain = 1_000;
