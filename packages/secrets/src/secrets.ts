import { messageOf, OperationalError } from "@millwright/core/errors";
import type { HttpService } from "@millwright/core/http";
import { type Chance, type Clock, type Log, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import type { Store } from "@millwright/store/contract";
import { keepLeading } from "@millwright/store/leadership";
import { jwtEngine } from "./auth/jwt-engine.ts";
import { layout } from "./barrier/layout.ts";
import type { Core } from "./core/core.ts";
import { databaseEngine } from "./database/database-engine.ts";
import { postgresqlEngine } from "./database/postgresql-engine.ts";
import type { EngineType } from "./engine.ts";
import { secretsErrors } from "./errors.ts";
import type { Route } from "./http/route.ts";
import { secretsService } from "./http/service.ts";
import { genericEngine, kvEngine } from "./kv/kv-engine.ts";
import { initialize } from "./seal/initialize.ts";
import { openUnsealed } from "./seal/open-unsealed.ts";
import type { SealControl } from "./seal/seal-control.ts";
import { openSeal, readSealRecord } from "./seal/seal-record.ts";
import type { InitRequest, InitResult, SealStatus } from "./seal/status.ts";
import { noProgress, type UnsealProgress, withKey } from "./seal/unseal-progress.ts";
import { auditRoutes } from "./sys/audit-routes.ts";
import { capabilityRoutes } from "./sys/capability-routes.ts";
import { keyRoutes } from "./sys/key-routes.ts";
import { leaseRoutes } from "./sys/lease-routes.ts";
import { mountRoutes } from "./sys/mount-routes.ts";
import { policyRoutes } from "./sys/policy-routes.ts";
import { sealRoutes } from "./sys/seal-routes.ts";
import { toolRoutes } from "./sys/tool-routes.ts";
import { uiRoutes } from "./sys/ui-routes.ts";
import { wrappingRoutes } from "./sys/wrapping-routes.ts";

export interface SecretsOptions {
  readonly store: Store;
  readonly version: string;
  /** `vault-cluster-…` by default; fixed at init. */
  readonly clusterName?: string;
  /** Where clients reach this server, as `sys/leader` tells it. */
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

/** What can be mounted, as it comes. */
export function builtInEngines(): readonly EngineType[] {
  return [kvEngine(), genericEngine(), databaseEngine(), postgresqlEngine(), jwtEngine()];
}

/** Opens the secrets server, sealed. */
export async function openSecrets(options: SecretsOptions): Promise<Secrets> {
  const server = new SecretsServer(options);
  // A store that cannot be read is said at the start, and not at the first request.
  await server.status();
  return server;
}

const longestLease = 768 * 60 * 60;

type State =
  | { readonly kind: "sealed"; readonly progress: UnsealProgress }
  | { readonly kind: "unsealed"; readonly core: Core }
  | { readonly kind: "closed" };

class SecretsServer implements Secrets, SealControl {
  readonly routes: readonly Route[];
  readonly handle: HttpService;
  readonly version: string;
  readonly apiAddress: string;
  readonly #options: SecretsOptions;
  readonly #ports: { readonly clock: Clock; readonly chance: Chance; readonly log: Log };
  #state: State = { kind: "sealed", progress: noProgress };
  /** Changes of the state come one after another. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SecretsOptions) {
    const { clock = systemClock, chance = systemChance, log = silentLog } = options;
    this.#options = options;
    this.#ports = { clock, chance, log };
    this.version = options.version;
    this.apiAddress = options.apiAddress ?? "";
    this.routes = [
      ...sealRoutes(this, clock),
      ...keyRoutes(),
      ...mountRoutes(),
      ...policyRoutes(),
      ...capabilityRoutes(),
      ...leaseRoutes(),
      ...auditRoutes(),
      ...wrappingRoutes(),
      ...uiRoutes(),
      ...toolRoutes(),
    ];
    this.handle = secretsService(this.routes, () => this.#core);
  }

  async status(): Promise<SealStatus> {
    const found = await readSealRecord(this.#options.store);
    const { version } = this;
    const state = this.#state;
    const { keys, nonce } = state.kind === "sealed" ? state.progress : noProgress;
    const progress = { progress: keys.length, nonce, version, sealed: state.kind !== "unsealed" };
    if (!found) return { initialized: false, threshold: 0, shares: 0, ...progress };
    const { threshold, shares, clusterName, clusterId } = found.record;
    return { initialized: true, threshold, shares, clusterName, clusterId, ...progress };
  }

  init(request: InitRequest): Promise<InitResult> {
    const { store, clusterName, devMounts = false } = this.#options;
    return this.#inTurn(() =>
      initialize(request, {
        store,
        devMounts,
        ...(clusterName === undefined ? {} : { clusterName }),
        core: this.#coreSettings(),
        ...this.#ports,
      }),
    );
  }

  unseal(key: string): Promise<SealStatus> {
    return this.#inTurn(async () => {
      const found = await readSealRecord(this.#options.store);
      if (!found) throw refusal("Vault is not initialized: there is nothing to unseal. Initialize it first.");
      if (this.#state.kind !== "sealed") return this.status();
      const { record } = found;
      const nonce = () => this.#ports.chance.uuid();
      const progress = withKey(this.#state.progress, key, { shares: record.shares, nonce });
      this.#state = { kind: "sealed", progress };
      if (progress.keys.length < record.threshold) return this.status();
      // Whatever comes of it, these keys are not kept.
      this.#state = { kind: "sealed", progress: noProgress };
      const rootKey = await openSeal(record, progress.keys);
      const { store } = this.#options;
      const core = await openUnsealed({ store, rootKey, record, core: this.#coreSettings(), ...this.#ports });
      this.#state = { kind: "unsealed", core };
      this.#ports.log.write("info", "secrets: unsealed");
      return this.status();
    });
  }

  resetUnseal(): Promise<SealStatus> {
    return this.#inTurn(async () => {
      if (this.#state.kind === "sealed") this.#state = { kind: "sealed", progress: noProgress };
      return this.status();
    });
  }

  seal(): Promise<void> {
    return this.#inTurn(() => this.#become({ kind: "sealed", progress: noProgress }));
  }

  async reopenAudit(): Promise<void> {
    await this.#core?.audit.reopen();
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#become({ kind: "closed" }));
  }

  get #core(): Core | undefined {
    return this.#state.kind === "unsealed" ? this.#state.core : undefined;
  }

  async #become(next: State): Promise<void> {
    const core = this.#core;
    this.#state = next;
    await core?.close();
    if (core) this.#ports.log.write("info", "secrets: sealed");
  }

  #coreSettings() {
    const {
      store,
      engines = builtInEngines(),
      defaultLeaseTtl = longestLease,
      maxLeaseTtl = longestLease,
    } = this.#options;
    const name = this.apiAddress || `process ${process.pid}`;
    return {
      engines,
      ttl: { defaultTtl: Math.min(defaultLeaseTtl, maxLeaseTtl), maxTtl: maxLeaseTtl },
      keepLeading: (work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) =>
        keepLeading({ store, key: layout.leader, name, signal, ...this.#ports }, (term) => work(term.signal)),
    };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work);
    this.#turn = next.catch((error) => {
      this.#ports.log.write("warn", "secrets: refused", { error: messageOf(error) });
    });
    return next;
  }
}

function refusal(text: string): OperationalError {
  return new OperationalError(secretsErrors.notInitialized, text);
}
