import { clientErrors } from "@millwright/clients/errors";
import type { VaultSecret } from "@millwright/clients/vault";
import { OperationalError } from "@millwright/core/errors";
import type { Log } from "@millwright/core/ports";
import type { TemplateValue } from "@millwright/template/value";
import type { FollowContext, FollowSettings } from "../follow.ts";
import { defaultRetry } from "../retry.ts";
import type { ConsulAnswer, ConsulPort, ConsulReadPosition, ConsulSource, VaultMount, VaultPort } from "../servers.ts";
import type { FakeClock } from "./fake-clock.ts";

export const followSettings: FollowSettings = {
  consulRetry: defaultRetry,
  blockMilliseconds: 60_000,
  maxStaleMilliseconds: 2000,
  vaultRetry: defaultRetry,
  defaultLeaseMilliseconds: 300_000,
  leaseThreshold: 0.9,
};

export const unreachable = new OperationalError(clientErrors.unreachable, "Cannot reach it: refused.");
export const refused = new OperationalError(clientErrors.badRequest, "answered 400: lease not found");

/** Answers that are given one after another; a read that finds none waits for one. */
export class FakeConsul implements ConsulPort {
  readonly address = "http://consul";
  readonly reads: { readonly source: ConsulSource; readonly index: number; readonly mayBeStale: boolean }[] = [];
  readonly #answers: (ConsulAnswer | Error)[] = [];
  #waiting: (() => void) | undefined;

  answer(value: TemplateValue, index: number, lastContact = 0): void {
    this.#answers.push({ value, index, lastContact });
    this.#waiting?.();
  }

  fail(error: Error): void {
    this.#answers.push(error);
    this.#waiting?.();
  }

  async read(source: ConsulSource, { index, mayBeStale, signal }: ConsulReadPosition): Promise<ConsulAnswer> {
    this.reads.push({ source, index, mayBeStale });
    while (this.#answers.length === 0) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting = resolve;
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    }
    const next = this.#answers.shift()!;
    if (next instanceof Error) throw next;
    return next;
  }
}

export function secret(part: Partial<VaultSecret>): VaultSecret {
  const none = { requestId: "", leaseId: "", leaseDuration: 0, renewable: false, data: {}, warnings: [], raw: {} };
  return { ...none, ...part };
}

/** A database role whose credentials are counted; calls are noted as `renew lease-1`. */
export class FakeVault implements VaultPort {
  readonly address = "http://vault";
  readonly calls: string[] = [];
  readonly clock: FakeClock;
  mount: VaultMount | undefined = { path: "db/", type: "database", version: "1" };
  duration = 60;
  /** What a renewal gives; an error refuses it. */
  renewal: () => VaultSecret = () => secret({ leaseDuration: this.duration, renewable: true });
  /** What a read gives. */
  next: () => VaultSecret | undefined = () => {
    this.#made++;
    const data = { username: `user-${this.#made}` };
    return secret({ leaseId: `lease-${this.#made}`, leaseDuration: this.duration, renewable: true, data });
  };
  #made = 0;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  async read(path: string): Promise<VaultSecret | undefined> {
    this.#note(`read ${path}`);
    return this.next();
  }

  async write(path: string, data: unknown): Promise<VaultSecret | undefined> {
    this.#note(`write ${path} ${JSON.stringify(data)}`);
    return this.next();
  }

  async list(path: string): Promise<readonly string[]> {
    this.#note(`list ${path}`);
    return ["b", "a"];
  }

  async mountOf(): Promise<VaultMount | undefined> {
    return this.mount;
  }

  async renewLease(leaseId: string, increment: number): Promise<VaultSecret> {
    this.#note(`renew ${leaseId} by ${increment}`);
    return { ...this.renewal(), leaseId };
  }

  async revokeLease(leaseId: string): Promise<void> {
    this.#note(`revoke ${leaseId}`);
  }

  async lookupSelf(): Promise<VaultSecret> {
    this.#note("lookup");
    return secret({ data: { ttl: this.duration, renewable: this.duration > 0 } });
  }

  async renewSelf(increment: number): Promise<VaultSecret> {
    this.#note(`renew-self by ${increment}`);
    return this.renewal();
  }

  #note(call: string): void {
    this.calls.push(call);
  }
}

export class FakeLog implements Log {
  readonly lines: string[] = [];

  write(level: string, message: string): void {
    this.lines.push(`${level} ${message}`);
  }
}

/** What following needs, and what it told. */
export function following(clock: FakeClock, vault = new FakeVault(clock)) {
  const consul = new FakeConsul();
  const log = new FakeLog();
  const control = new AbortController();
  const values: TemplateValue[] = [];
  const leases = new Map<string, number>();
  const context: FollowContext = {
    servers: { consul, vault },
    settings: followSettings,
    clock,
    chance: { bytes: (length) => new Uint8Array(length), uuid: () => "", fraction: () => 0.5 },
    log,
    signal: control.signal,
    emit: (value) => values.push(value),
    holds: (leaseId, until) => leases.set(leaseId, until),
  };
  return { consul, vault, log, control, values, leases, context };
}
