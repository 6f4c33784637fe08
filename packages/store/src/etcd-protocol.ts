import type { MethodDefinition } from "@grpc/proto-loader";
import { fromJSON } from "@grpc/proto-loader";

// The part of etcd's gRPC interface that the store uses: https://etcd.io/docs/v3.4/dev-guide/api_reference_v3/
// 64-bit integers travel as decimal strings here, since lease ids do not fit a number.

export interface EtcdHeader {
  readonly revision: string;
}

export interface EtcdKeyValue {
  readonly key: Buffer;
  readonly create_revision: string;
  readonly mod_revision: string;
  readonly version: string;
  readonly value: Buffer;
  /** "0" where there is none. */
  readonly lease: string;
}

export interface EtcdRangeRequest {
  readonly key: Buffer;
  readonly range_end?: Buffer;
  readonly limit?: number;
  readonly revision?: number;
  readonly keys_only?: boolean;
  readonly count_only?: boolean;
}

export interface EtcdRangeResponse {
  readonly header: EtcdHeader;
  readonly kvs: readonly EtcdKeyValue[];
  readonly more: boolean;
  readonly count: string;
}

export interface EtcdCompare {
  readonly result: "EQUAL" | "GREATER" | "LESS" | "NOT_EQUAL";
  readonly target: "CREATE" | "MOD" | "VALUE";
  readonly key: Buffer;
  readonly range_end?: Buffer;
  readonly create_revision?: number;
  readonly mod_revision?: number;
  readonly value?: Uint8Array;
}

export interface EtcdOperation {
  readonly request_range?: EtcdRangeRequest;
  readonly request_put?: { readonly key: Buffer; readonly value: Uint8Array; readonly lease?: string };
  readonly request_delete_range?: { readonly key: Buffer; readonly range_end?: Buffer };
  readonly request_txn?: EtcdTxnRequest;
}

export interface EtcdTxnRequest {
  readonly compare: readonly EtcdCompare[];
  readonly success: readonly EtcdOperation[];
  readonly failure: readonly EtcdOperation[];
}

export interface EtcdTxnResponse {
  readonly header: EtcdHeader;
  readonly succeeded: boolean;
  readonly responses: readonly EtcdOperationResponse[];
}

export interface EtcdOperationResponse {
  readonly response_range?: EtcdRangeResponse;
  readonly response_delete_range?: { readonly deleted: string };
  readonly response_txn?: EtcdTxnResponse;
}

export interface EtcdWatchRequest {
  readonly create_request?: {
    readonly key: Buffer;
    readonly range_end: Buffer;
    readonly start_revision: number;
    readonly prev_kv: boolean;
    readonly fragment: boolean;
  };
}

export interface EtcdWatchResponse {
  readonly header: EtcdHeader;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compact_revision: string;
  readonly cancel_reason: string;
  /** More of the same revisions follows in the next response. */
  readonly fragment: boolean;
  readonly events: readonly EtcdEvent[];
}

export interface EtcdEvent {
  readonly type: "PUT" | "DELETE";
  readonly kv: EtcdKeyValue;
  readonly prev_kv: EtcdKeyValue | null;
}

export interface EtcdLeaseRequest {
  readonly ID: string;
}

/** Request and response of each call. */
export interface EtcdCalls {
  readonly range: [EtcdRangeRequest, EtcdRangeResponse];
  readonly txn: [EtcdTxnRequest, EtcdTxnResponse];
  readonly compact: [{ readonly revision: number }, { readonly header: EtcdHeader }];
  readonly watch: [EtcdWatchRequest, EtcdWatchResponse];
  readonly leaseGrant: [{ readonly TTL: number }, { readonly ID: string; readonly TTL: string }];
  readonly leaseRevoke: [EtcdLeaseRequest, object];
  /** A TTL of 0: the lease has ended. */
  readonly leaseKeepAlive: [EtcdLeaseRequest, { readonly TTL: string }];
  /** A TTL of -1: the lease has ended. */
  readonly leaseTimeToLive: [
    EtcdLeaseRequest & { readonly keys: boolean },
    { readonly TTL: string; readonly grantedTTL: string; readonly keys: readonly Buffer[] },
  ];
  readonly authenticate: [{ readonly name: string; readonly password: string }, { readonly token: string }];
}

export type EtcdCallName = keyof EtcdCalls;

/** How each call is written on the wire. */
export function etcdMethod(name: EtcdCallName): MethodDefinition<object, object> {
  return methods[name];
}

type Fields = Readonly<Record<string, readonly [type: string, id: number, rule?: "repeated"]>>;

function message(fields: Fields, oneof: readonly string[] = []) {
  const entries = Object.entries(fields).map(([name, [type, id, rule]]): [string, FieldDescriptor] => {
    return [name, rule ? { type, id, rule } : { type, id }];
  });
  const descriptor = { fields: Object.fromEntries(entries) };
  return oneof.length > 0 ? { ...descriptor, oneofs: { union: { oneof: [...oneof] } } } : descriptor;
}

interface FieldDescriptor {
  readonly type: string;
  readonly id: number;
  readonly rule?: string;
}

const keyValue = message({
  key: ["bytes", 1],
  create_revision: ["int64", 2],
  mod_revision: ["int64", 3],
  version: ["int64", 4],
  value: ["bytes", 5],
  lease: ["int64", 6],
});

const messages = {
  ResponseHeader: message({ revision: ["int64", 3] }),
  KeyValue: keyValue,
  RangeRequest: message({
    key: ["bytes", 1],
    range_end: ["bytes", 2],
    limit: ["int64", 3],
    revision: ["int64", 4],
    keys_only: ["bool", 8],
    count_only: ["bool", 9],
  }),
  RangeResponse: message({
    header: ["ResponseHeader", 1],
    kvs: ["KeyValue", 2, "repeated"],
    more: ["bool", 3],
    count: ["int64", 4],
  }),
  PutRequest: message({ key: ["bytes", 1], value: ["bytes", 2], lease: ["int64", 3] }),
  PutResponse: message({ header: ["ResponseHeader", 1] }),
  DeleteRangeRequest: message({ key: ["bytes", 1], range_end: ["bytes", 2] }),
  DeleteRangeResponse: message({ header: ["ResponseHeader", 1], deleted: ["int64", 2] }),
  RequestOp: message(
    {
      request_range: ["RangeRequest", 1],
      request_put: ["PutRequest", 2],
      request_delete_range: ["DeleteRangeRequest", 3],
      request_txn: ["TxnRequest", 4],
    },
    ["request_range", "request_put", "request_delete_range", "request_txn"],
  ),
  ResponseOp: message(
    {
      response_range: ["RangeResponse", 1],
      response_put: ["PutResponse", 2],
      response_delete_range: ["DeleteRangeResponse", 3],
      response_txn: ["TxnResponse", 4],
    },
    ["response_range", "response_put", "response_delete_range", "response_txn"],
  ),
  CompareResult: { values: { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 } },
  CompareTarget: { values: { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 } },
  Compare: message(
    {
      result: ["CompareResult", 1],
      target: ["CompareTarget", 2],
      key: ["bytes", 3],
      create_revision: ["int64", 5],
      mod_revision: ["int64", 6],
      value: ["bytes", 7],
      range_end: ["bytes", 64],
    },
    ["create_revision", "mod_revision", "value"],
  ),
  TxnRequest: message({
    compare: ["Compare", 1, "repeated"],
    success: ["RequestOp", 2, "repeated"],
    failure: ["RequestOp", 3, "repeated"],
  }),
  TxnResponse: message({
    header: ["ResponseHeader", 1],
    succeeded: ["bool", 2],
    responses: ["ResponseOp", 3, "repeated"],
  }),
  CompactionRequest: message({ revision: ["int64", 1] }),
  CompactionResponse: message({ header: ["ResponseHeader", 1] }),
  WatchRequest: message({ create_request: ["WatchCreateRequest", 1] }, ["create_request"]),
  WatchCreateRequest: message({
    key: ["bytes", 1],
    range_end: ["bytes", 2],
    start_revision: ["int64", 3],
    prev_kv: ["bool", 6],
    fragment: ["bool", 8],
  }),
  WatchResponse: message({
    header: ["ResponseHeader", 1],
    created: ["bool", 3],
    canceled: ["bool", 4],
    compact_revision: ["int64", 5],
    cancel_reason: ["string", 6],
    fragment: ["bool", 7],
    events: ["Event", 11, "repeated"],
  }),
  EventType: { values: { PUT: 0, DELETE: 1 } },
  Event: message({ type: ["EventType", 1], kv: ["KeyValue", 2], prev_kv: ["KeyValue", 3] }),
  LeaseGrantRequest: message({ TTL: ["int64", 1] }),
  LeaseGrantResponse: message({ ID: ["int64", 2], TTL: ["int64", 3] }),
  LeaseRequest: message({ ID: ["int64", 1] }),
  LeaseRevokeResponse: message({ header: ["ResponseHeader", 1] }),
  LeaseKeepAliveResponse: message({ TTL: ["int64", 3] }),
  LeaseTimeToLiveRequest: message({ ID: ["int64", 1], keys: ["bool", 2] }),
  LeaseTimeToLiveResponse: message({ TTL: ["int64", 3], grantedTTL: ["int64", 4], keys: ["bytes", 5, "repeated"] }),
  AuthenticateRequest: message({ name: ["string", 1], password: ["string", 2] }),
  AuthenticateResponse: message({ token: ["string", 2] }),
};

const unary = (requestType: string, responseType: string) => ({ requestType, responseType, comment: "" });
const stream = (requestType: string, responseType: string) => ({
  ...unary(requestType, responseType),
  requestStream: true,
  responseStream: true,
});

const services = {
  KV: {
    methods: {
      Range: unary("RangeRequest", "RangeResponse"),
      Txn: unary("TxnRequest", "TxnResponse"),
      Compact: unary("CompactionRequest", "CompactionResponse"),
    },
  },
  Watch: { methods: { Watch: stream("WatchRequest", "WatchResponse") } },
  Lease: {
    methods: {
      LeaseGrant: unary("LeaseGrantRequest", "LeaseGrantResponse"),
      LeaseRevoke: unary("LeaseRequest", "LeaseRevokeResponse"),
      LeaseKeepAlive: stream("LeaseRequest", "LeaseKeepAliveResponse"),
      LeaseTimeToLive: unary("LeaseTimeToLiveRequest", "LeaseTimeToLiveResponse"),
    },
  },
  Auth: { methods: { Authenticate: unary("AuthenticateRequest", "AuthenticateResponse") } },
};

const definition = fromJSON(
  { nested: { etcdserverpb: { nested: { ...messages, ...services } } } },
  { keepCase: true, longs: String, enums: String, defaults: true, arrays: true },
);

const methods: Readonly<Record<EtcdCallName, MethodDefinition<object, object>>> = {
  range: method("KV", "Range"),
  txn: method("KV", "Txn"),
  compact: method("KV", "Compact"),
  watch: method("Watch", "Watch"),
  leaseGrant: method("Lease", "LeaseGrant"),
  leaseRevoke: method("Lease", "LeaseRevoke"),
  leaseKeepAlive: method("Lease", "LeaseKeepAlive"),
  leaseTimeToLive: method("Lease", "LeaseTimeToLive"),
  authenticate: method("Auth", "Authenticate"),
};

function method(service: string, name: string): MethodDefinition<object, object> {
  const found = (definition[`etcdserverpb.${service}`] as Readonly<Record<string, MethodDefinition<object, object>>>)[
    name
  ];
  if (!found) throw new Error(`no method ${service}.${name}`);
  return found;
}
