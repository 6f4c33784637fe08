import { formatJson } from "@millwright/clients/json";
import type { TokenAuth } from "../engine.ts";
import type { TokenView } from "../token/tokens.ts";
import { type HashingOptions, hashData, hashText } from "./hashing.ts";

/** What is known of one request at the time it is written; texts that may be secret are hashed by each device. */
export interface AuditEvent {
  readonly kind: "request" | "response";
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly id: string;
  readonly operation: string;
  readonly path: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly remote: string;
  readonly clientToken: string;
  readonly caller?: AuditCaller;
  readonly mount?: AuditMount;
  /** Seconds; 0 where no wrapping is asked for. */
  readonly wrapTtl: number;
  readonly error?: string;
  readonly response?: AuditResponse;
}

export interface AuditCaller {
  readonly view: TokenView;
  readonly isAllowed: boolean;
  /** Names of policies. */
  readonly grantedBy: readonly string[];
}

export interface AuditMount {
  readonly path: string;
  readonly type: string;
  readonly accessor: string;
  readonly class: "secret" | "auth";
  readonly plainRequestKeys: readonly string[];
  readonly plainResponseKeys: readonly string[];
}

export interface AuditResponse {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly leaseId: string;
  readonly auth?: TokenAuth;
  readonly wrapInfo?: AuditWrapInfo;
  readonly warnings: readonly string[];
}

export interface AuditWrapInfo {
  readonly token: string;
  readonly accessor: string;
  readonly ttl: number;
  readonly creationPath: string;
}

/** One line of an audit file, as Vault writes them: JSON, with a line break. */
export function auditLine(event: AuditEvent, hashing: HashingOptions, prefix: string): string {
  const line = {
    time: new Date(event.at).toISOString(),
    type: event.kind,
    ...(event.error === undefined ? {} : { error: event.error }),
    auth: callerFields(event, hashing),
    request: requestFields(event, hashing),
    ...(event.kind === "response" ? { response: responseFields(event, hashing) } : {}),
  };
  return `${prefix}${formatJson(line)}\n`;
}

function requestFields(event: AuditEvent, hashing: HashingOptions) {
  const { address, port } = splitRemote(event.remote);
  const { mount, caller } = event;
  return {
    id: event.id,
    operation: event.operation,
    ...mountFields(mount),
    ...(event.clientToken === "" ? {} : { client_token: secretText(hashing, event.clientToken) }),
    ...(caller ? { client_token_accessor: accessorText(hashing, caller.view.accessor) } : {}),
    namespace: { id: "root" },
    path: event.path,
    ...(Object.keys(event.data).length > 0 ? { data: hashData(hashing, event.data, mount?.plainRequestKeys) } : {}),
    remote_address: address,
    ...(port === undefined ? {} : { remote_port: port }),
    ...(event.wrapTtl > 0 ? { wrap_ttl: event.wrapTtl } : {}),
  };
}

function responseFields({ response, mount }: AuditEvent, hashing: HashingOptions) {
  const { data, auth, wrapInfo } = response ?? {};
  return {
    ...mountFields(mount),
    ...(auth ? { auth: authFields(auth, hashing) } : {}),
    ...(response?.leaseId ? { secret: { lease_id: response.leaseId } } : {}),
    ...(data ? { data: hashData(hashing, data, mount?.plainResponseKeys) } : {}),
    ...(wrapInfo ? { wrap_info: wrapFields(wrapInfo, hashing) } : {}),
    ...(response?.warnings.length ? { warnings: response.warnings } : {}),
  };
}

function callerFields({ caller, clientToken }: AuditEvent, hashing: HashingOptions) {
  if (!caller) return { token_type: "default" };
  const { view, isAllowed, grantedBy } = caller;
  return {
    client_token: secretText(hashing, clientToken),
    accessor: accessorText(hashing, view.accessor),
    display_name: view.displayName,
    policies: view.policies,
    token_policies: view.policies,
    policy_results: { allowed: isAllowed, granting_policies: grantedBy.map((name) => ({ name, type: "acl" })) },
    ...(Object.keys(view.metadata).length > 0 ? { metadata: view.metadata } : {}),
    token_type: "service",
    ...(view.expires === undefined ? {} : { token_ttl: view.creationTtl }),
    token_issue_time: new Date(view.created).toISOString(),
  };
}

function authFields(auth: TokenAuth, hashing: HashingOptions) {
  return {
    client_token: secretText(hashing, auth.clientToken),
    accessor: accessorText(hashing, auth.accessor),
    policies: auth.policies,
    token_policies: auth.policies,
    metadata: auth.metadata,
    num_uses: auth.numUses,
    token_type: "service",
    token_ttl: auth.leaseDuration,
  };
}

function wrapFields(wrapInfo: AuditWrapInfo, hashing: HashingOptions) {
  return {
    ttl: wrapInfo.ttl,
    token: secretText(hashing, wrapInfo.token),
    accessor: accessorText(hashing, wrapInfo.accessor),
    creation_path: wrapInfo.creationPath,
  };
}

function mountFields(mount: AuditMount | undefined) {
  if (!mount) return {};
  return {
    mount_point: mount.path,
    mount_type: mount.type,
    mount_accessor: mount.accessor,
    mount_class: mount.class,
  };
}

function secretText(hashing: HashingOptions, text: string): string {
  return hashing.isRaw ? text : hashText(hashing.salt, text);
}

function accessorText(hashing: HashingOptions, accessor: string): string {
  return hashing.hashesAccessors ? secretText(hashing, accessor) : accessor;
}

// `127.0.0.1:1234`, `[::1]:1234`, or the path of a socket.
function splitRemote(remote: string): { readonly address: string; readonly port?: number } {
  const parts = /^\[?(.*?)\]?:(\d+)$/.exec(remote);
  return parts ? { address: parts[1] ?? "", port: Number(parts[2]) } : { address: remote };
}
