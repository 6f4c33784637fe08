import { Bug } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { SecretStorage } from "../storage.ts";
import type { Tokens } from "../token/tokens.ts";
import type { KeepLeading, Leases, Mounts, SystemTtl } from "./leases.ts";

export interface LifetimeOptions {
  /** Of the server's own: `token/` and `expire/` below it are used, and written in one commit where they belong together. */
  readonly storage: SecretStorage;
  readonly mounts: Mounts;
  readonly ttl: SystemTtl;
  readonly keepLeading: KeepLeading;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** What ends by itself: tokens and leases, which need each other. */
export interface Lifetimes {
  readonly tokens: Tokens;
  readonly leases: Leases;
  /** Resolves once nothing of it runs any more; called at seal, before the engines are closed. */
  close(): Promise<void>;
}

/** Opens both over what is stored; deadlines are watched from now on, where this server leads. */
export function openLifetimes(_options: LifetimeOptions): Lifetimes {
  throw new Bug("lifetimes are being built");
}
