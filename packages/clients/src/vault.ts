import { OperationalError } from "@millwright/core/errors";
import { clientErrors } from "./errors.ts";
import {
  VaultApi,
  type VaultAnswer,
  type VaultCallOptions,
  type VaultRequest,
  type VaultSettings,
} from "./vault-api.ts";
import type { VaultConfig } from "./vault-config.ts";

/** What a Vault server answers: data with its lease, a login, or both not. */
export interface VaultSecret {
  readonly requestId: string;
  /** Empty where there is no lease. */
  readonly leaseId: string;
  /** Seconds. */
  readonly leaseDuration: number;
  readonly renewable: boolean;
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly warnings: readonly string[];
  readonly auth?: VaultAuth;
  readonly wrapInfo?: VaultWrapInfo;
  /** The answer as it came, for printing. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface VaultAuth {
  readonly clientToken: string;
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly tokenPolicies: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds; 0 for ever. */
  readonly leaseDuration: number;
  readonly renewable: boolean;
}

export interface VaultWrapInfo {
  readonly token: string;
  readonly accessor: string;
  /** Seconds. */
  readonly ttl: number;
  readonly creationTime: string;
  readonly creationPath: string;
}

/**
 * A typed client of Vault's HTTP API. Opens no connection before its first call. Every call rejects with an operational
 * error of `clientErrors` that names address and path and says what to check; none holds a secret.
 *
 * Paths are as people write them, without `/v1/`: `secret/data/app`.
 */
export class VaultClient {
  readonly #api: VaultApi;

  constructor(config: VaultConfig, settings: VaultSettings = {}) {
    this.#api = new VaultApi(config, settings);
  }

  /** The server's address, for messages. */
  get address(): string {
    return this.#api.address;
  }

  /** Ends its connections; calls under way fail. */
  close(): Promise<void> {
    return this.#api.close();
  }

  /** Any request, for what has no method of its own. */
  request(request: VaultRequest): Promise<VaultAnswer> {
    return this.#api.request(request);
  }

  /** What is at a path; undefined where there is nothing. A deleted version (kv v2) is an answer with its metadata. */
  async read(
    path: string,
    options: VaultCallOptions & { readonly query?: VaultRequest["query"] } = {},
  ): Promise<VaultSecret | undefined> {
    const { query, ...rest } = options;
    // Reading makes a credential where a role is read: only where no connection came about is it sent again.
    const call = { method: "GET", path: trimmed(path), options: rest, repeatable: false, accept: [404] } as const;
    return found(await this.#api.request(query ? { ...call, query } : call), path);
  }

  /** The names under a path, folders with a slash behind; undefined where there is nothing. */
  async list(path: string, options: VaultCallOptions = {}): Promise<readonly string[] | undefined> {
    // As a GET: proxies between, and HTTP parsers, need not know the method LIST.
    const query = { list: "true" };
    const call = { method: "GET", path: trimmed(path), query, options, repeatable: true, accept: [404] } as const;
    const secret = found(await this.#api.request(call), path);
    const keys = secret?.data?.keys;
    return Array.isArray(keys) ? keys.map(String) : undefined;
  }

  /** Writes; undefined where the server has nothing to say about it. */
  async write(path: string, data: unknown, options: VaultCallOptions = {}): Promise<VaultSecret | undefined> {
    const call = { method: "PUT", path: trimmed(path), body: data ?? {}, options, repeatable: false } as const;
    return secretOf((await this.#api.request(call)).body, path);
  }

  /** Changes the named fields and leaves the others (kv v2). */
  async patch(path: string, data: unknown, options: VaultCallOptions = {}): Promise<VaultSecret | undefined> {
    const contentType = "application/merge-patch+json";
    const call = { method: "PATCH", path: trimmed(path), body: data, contentType, options, repeatable: false } as const;
    return secretOf((await this.#api.request(call)).body, path);
  }

  async delete(
    path: string,
    options: VaultCallOptions & { readonly query?: VaultRequest["query"] } = {},
  ): Promise<VaultSecret | undefined> {
    const { query, ...rest } = options;
    const call = { method: "DELETE", path: trimmed(path), options: rest, repeatable: true } as const;
    return secretOf((await this.#api.request(query ? { ...call, query } : call)).body, path);
  }

  /** Asks for `increment` more seconds from now; the answer tells what was given. */
  async renewLease(leaseId: string, increment?: number, options: VaultCallOptions = {}): Promise<VaultSecret> {
    const body = { lease_id: leaseId, ...(increment === undefined ? {} : { increment }) };
    const call = { method: "PUT", path: "sys/leases/renew", body, options, repeatable: true } as const;
    return expected(secretOf((await this.#api.request(call)).body, "sys/leases/renew"), "renewing a lease");
  }

  /** Ends a lease now; what it stands for is gone when this resolves. */
  async revokeLease(leaseId: string, options: VaultCallOptions = {}): Promise<void> {
    const body = { lease_id: leaseId, sync: true };
    await this.#api.request({ method: "PUT", path: "sys/leases/revoke", body, options, repeatable: true });
  }

  async lookupSelf(options: VaultCallOptions = {}): Promise<VaultSecret> {
    return expected(await this.read("auth/token/lookup-self", options), "looking up the token");
  }

  async renewSelf(increment?: number, options: VaultCallOptions = {}): Promise<VaultSecret> {
    const body = increment === undefined ? {} : { increment: `${increment}s` };
    const call = { method: "PUT", path: "auth/token/renew-self", body, options, repeatable: true } as const;
    return expected(secretOf((await this.#api.request(call)).body, "auth/token/renew-self"), "renewing the token");
  }

  /** Sealed or not, and how far an unsealing is; needs no token. */
  async sealStatus(options: VaultCallOptions = {}): Promise<VaultSealStatus> {
    const call = { method: "GET", path: "sys/seal-status", options, repeatable: true } as const;
    return sealStatusOf((await this.#api.request(call)).body);
  }

  /** Gives one key share, or starts over. */
  async unseal(
    key: { readonly key: string } | { readonly reset: true },
    options: VaultCallOptions = {},
  ): Promise<VaultSealStatus> {
    const call = { method: "PUT", path: "sys/unseal", body: key, options, repeatable: false } as const;
    return sealStatusOf((await this.#api.request(call)).body);
  }
}

export interface VaultSealStatus {
  readonly type: string;
  readonly initialized: boolean;
  readonly sealed: boolean;
  /** Shares needed, shares made, shares given so far. */
  readonly threshold: number;
  readonly shares: number;
  readonly progress: number;
  readonly version: string;
  readonly clusterName: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

function sealStatusOf(body: unknown): VaultSealStatus {
  const raw = objectOf(body);
  if (!raw) throw unexpected("asking for the seal's status");
  return {
    type: String(raw.type ?? ""),
    initialized: raw.initialized === true,
    sealed: raw.sealed === true,
    threshold: Number(raw.t ?? 0),
    shares: Number(raw.n ?? 0),
    progress: Number(raw.progress ?? 0),
    version: String(raw.version ?? ""),
    clusterName: String(raw.cluster_name ?? ""),
    raw,
  };
}

function found(answer: VaultAnswer, path: string): VaultSecret | undefined {
  if (answer.status !== 404) return secretOf(answer.body, path);
  const raw = objectOf(answer.body);
  // A 404 that carries data or warnings tells of something that is there in part.
  return raw && objectOf(raw.data) ? secretOf(raw, path) : undefined;
}

/** An answer's body as a secret; undefined for an empty one. Rejects by throwing `badAnswer`. */
function secretOf(body: unknown, what: string): VaultSecret | undefined {
  if (body === undefined) return undefined;
  const raw = objectOf(body);
  if (!raw) throw unexpected(what);
  const auth = objectOf(raw.auth);
  const wrap = objectOf(raw.wrap_info);
  return {
    requestId: String(raw.request_id ?? ""),
    leaseId: String(raw.lease_id ?? ""),
    leaseDuration: Number(raw.lease_duration ?? 0),
    renewable: raw.renewable === true,
    data: objectOf(raw.data),
    warnings: textsOf(raw.warnings),
    ...(auth ? { auth: authOf(auth) } : {}),
    ...(wrap ? { wrapInfo: wrapInfoOf(wrap) } : {}),
    raw,
  };
}

function authOf(auth: Readonly<Record<string, unknown>>): VaultAuth {
  return {
    clientToken: String(auth.client_token ?? ""),
    accessor: String(auth.accessor ?? ""),
    policies: textsOf(auth.policies),
    tokenPolicies: textsOf(auth.token_policies),
    metadata: Object.fromEntries(
      Object.entries(objectOf(auth.metadata) ?? {}).map(([name, value]) => [name, String(value)]),
    ),
    leaseDuration: Number(auth.lease_duration ?? 0),
    renewable: auth.renewable === true,
  };
}

function wrapInfoOf(wrap: Readonly<Record<string, unknown>>): VaultWrapInfo {
  return {
    token: String(wrap.token ?? ""),
    accessor: String(wrap.accessor ?? ""),
    ttl: Number(wrap.ttl ?? 0),
    creationTime: String(wrap.creation_time ?? ""),
    creationPath: String(wrap.creation_path ?? ""),
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function expected(secret: VaultSecret | undefined, what: string): VaultSecret {
  if (!secret) throw unexpected(what);
  return secret;
}

function unexpected(what: string): OperationalError {
  const text = `${what}: the answer is not what Vault's API gives. Check that the address is that of a Vault HTTP API.`;
  return new OperationalError(clientErrors.badAnswer, text);
}

function trimmed(path: string): string {
  return path.replace(/^\/+/, "");
}
