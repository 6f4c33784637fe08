import { formatJson } from "@millwright/clients/json";
import type { HttpReply } from "@millwright/core/http";
import type { TokenAuth } from "../engine.ts";

/** What comes of one request, before it has the form of an answer. */
export interface Outcome {
  readonly status: number;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly leaseId: string;
  readonly renewable: boolean;
  /** Seconds. */
  readonly leaseDuration: number;
  readonly warnings: readonly string[];
  readonly auth?: TokenAuth;
  readonly wrapInfo?: WrapInfo;
  /** What was refused, and why: the answer has nothing else then. */
  readonly errors?: readonly string[];
  /** An answer that was made before, as JSON. */
  readonly stored?: string;
}

/** Tells where an answer was put instead of being given. */
export interface WrapInfo {
  readonly token: string;
  readonly accessor: string;
  /** Seconds. */
  readonly ttl: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly creationPath: string;
  /** Of the token that the answer holds, where it holds one. */
  readonly wrappedAccessor?: string;
}

const plain = { leaseId: "", renewable: false, leaseDuration: 0, warnings: [] };

export function dataOutcome(data: Readonly<Record<string, unknown>>, warnings: readonly string[] = []): Outcome {
  return { ...plain, status: 200, data, warnings };
}

export function doneOutcome(warnings: readonly string[] = []): Outcome {
  return { ...plain, status: warnings.length > 0 ? 200 : 204, warnings };
}

export function refusedOutcome(status: number, errors: readonly string[]): Outcome {
  return { ...plain, status, errors };
}

/** The body of an answer, as Vault gives it: all keys, always. */
export function envelope(outcome: Outcome, requestId: string, mountType: string, isOnTop: boolean): string {
  const { data, auth, wrapInfo, warnings } = outcome;
  const fields = {
    request_id: requestId,
    lease_id: outcome.leaseId,
    renewable: outcome.renewable,
    lease_duration: outcome.leaseDuration,
    data: data ?? null,
    wrap_info: wrapInfo ? wrapFields(wrapInfo) : null,
    warnings: warnings.length > 0 ? warnings : null,
    auth: auth ? authFields(auth) : null,
    mount_type: mountType,
  };
  return `${formatJson(isOnTop ? { ...data, ...fields } : fields)}\n`;
}

/** The answer to a request. */
export function outcomeReply(outcome: Outcome, requestId: string, mountType: string, isOnTop: boolean): HttpReply {
  if (outcome.errors) return errorReply(outcome.status, outcome.errors);
  if (outcome.status === 204) return { status: 204, headers: noStore };
  const body = outcome.stored ?? envelope(outcome, requestId, mountType, isOnTop);
  return jsonTextReply(outcome.status, body);
}

/** `{"errors":[…]}` */
export function errorReply(status: number, errors: readonly string[]): HttpReply {
  return jsonReply(status, { errors });
}

export function jsonReply(status: number, value: unknown): HttpReply {
  return jsonTextReply(status, `${JSON.stringify(value)}\n`);
}

function jsonTextReply(status: number, body: string): HttpReply {
  return { status, headers: { ...noStore, "content-type": "application/json" }, body };
}

const noStore = { "cache-control": "no-store" };

function authFields(auth: TokenAuth) {
  return {
    client_token: auth.clientToken,
    accessor: auth.accessor,
    policies: auth.policies,
    token_policies: auth.policies,
    metadata: auth.metadata,
    lease_duration: auth.leaseDuration,
    renewable: auth.renewable,
    entity_id: "",
    token_type: "service",
    orphan: auth.orphan,
    mfa_requirement: null,
    num_uses: auth.numUses,
  };
}

function wrapFields(wrapInfo: WrapInfo) {
  return {
    token: wrapInfo.token,
    accessor: wrapInfo.accessor,
    ttl: wrapInfo.ttl,
    creation_time: new Date(wrapInfo.created).toISOString(),
    creation_path: wrapInfo.creationPath,
    ...(wrapInfo.wrappedAccessor === undefined ? {} : { wrapped_accessor: wrapInfo.wrappedAccessor }),
  };
}
