import { OperationalError } from "@millwright/core/errors";
import type { HttpService } from "@millwright/core/http";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { Store } from "@millwright/store/contract";
import type { EngineType } from "./engine.ts";
import { secretsErrors } from "./errors.ts";
import type { Route } from "./http/route.ts";
import type { InitRequest, InitResult, SealStatus } from "./seal/status.ts";

export interface SecretsOptions {
  readonly store: Store;
  readonly version: string;
  /** `vault-cluster-…` by default, fixed at init. */
  readonly clusterName?: string;
  /** Where clients reach this server, as `sys/leader` and `sys/health` tell it. */
  readonly apiAddress?: string;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly log?: Log;
  /** What can be mounted; all that is built in by default. */
  readonly engines?: readonly EngineType[];
  /** Seconds; 768 hours by default. */
  readonly defaultLeaseTtl?: number;
  /** Seconds; 768 hours by default. */
  readonly maxLeaseTtl?: number;
  /** Mounts `secret/` (kv, version 2) at init, as a development server does. */
  readonly devMounts?: boolean;
}

/** The secrets server over one store; several may work over the same one, each sealed and unsealed on its own. */
export interface Secrets {
  readonly handle: HttpService;
  /** What it answers beside the mounts, for documentation and tests. */
  readonly routes: readonly Route[];
  status(): Promise<SealStatus>;
  /** Makes the keys and the root token; they are told this once. The server stays sealed. */
  init(request: InitRequest): Promise<InitResult>;
  /** Takes one unseal key, hex or base64. Rejects with `badRequest` where the keys do not open the seal. */
  unseal(key: string): Promise<SealStatus>;
  seal(): Promise<void>;
  /** Closes and opens the files of the audit devices, after a rotation of logs. */
  reopenAudit(): Promise<void>;
  /** Ends its work in the background. The store stays open. */
  close(): Promise<void>;
}

/** Opens the secrets server, sealed. */
export async function openSecrets(_options: SecretsOptions): Promise<Secrets> {
  throw new OperationalError(secretsErrors.notInitialized, "The secrets server is being built.");
}
