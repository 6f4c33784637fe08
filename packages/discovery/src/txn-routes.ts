import { isKind, messageOf } from "@millwright/core/errors";
import type { HttpReply } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { jsonReply } from "@millwright/core/http-reply";
import { discoveryErrors } from "./errors.ts";
import type { NodeIdentity } from "./identity.ts";
import { jsonObject, kvFields } from "./kv-json.ts";
import { largestValue } from "./kv-routes.ts";
import { checkPermission, type Grants, type Permission } from "./permissions.ts";
import { contactHeaders, jsonItem, jsonListReply } from "./reply.ts";
import type { Call, Route } from "./route.ts";
import { catalogResultJson } from "./txn-catalog.ts";
import { runTransaction, type TxnContext } from "./txn-run.ts";
import { type ParsedOperation, parseOperations } from "./txn-wire.ts";
import type { KvOperation, TxnError, TxnOperation, TxnResult } from "./txn.ts";

export interface TxnRoutesContext extends TxnContext {
  readonly pretty: boolean;
  readonly identity: NodeIdentity;
}

/** `/v1/txn`, over keys and the catalog. */
export function txnRoutes(context: TxnRoutesContext): Route[] {
  return [
    {
      method: "PUT",
      pattern: "/v1/txn",
      permission: { kind: "needs", what: "read or write on what each operation is about", of: () => [] },
      blocking: false,
      handle: (call) => transact(context, call),
    },
  ];
}

async function transact(context: TxnRoutesContext, call: Call): Promise<HttpReply> {
  const pretty = context.pretty || call.query.has("pretty");
  const parsed = parseOperations(await readBody(call.request, largestValue, discoveryErrors.tooLarge));
  const errors = parsed.flatMap((operation, i) => refusal(operation, i, call.grants));
  if (errors.length > 0) return conflict(errors, pretty);
  const operations = parsed.filter((operation): operation is TxnOperation => operation.verb !== "refused");
  const outcome = await runTransaction(context, operations, call.grants);
  if (!outcome.done) return conflict(outcome.errors, pretty);
  const { datacenter } = context.identity;
  const shown = { datacenter, indexOf: (revision: number) => outcome.indexOf(revision) };
  const write = (result: TxnResult, level: number | undefined) => {
    if (result.on !== "kv") return jsonItem(catalogResultJson(result, shown), level);
    const fields = kvFields(result.entry, { base: outcome, withValue: result.withValue, lock: result.lock });
    return jsonObject([["KV", jsonObject(fields, level === undefined ? level : level + 1)]], level);
  };
  const within = pretty
    ? { open: '{\n    "Results": ', close: ',\n    "Errors": null\n}' }
    : { open: '{"Results":', close: ',"Errors":null}' };
  const contact = { knownLeader: context.projection.knowsLeader, lastContact: 0 };
  return jsonListReply({ items: outcome.results, write, pretty, within }, contactHeaders(contact));
}

function conflict(errors: readonly TxnError[], pretty: boolean): HttpReply {
  const Errors = errors.map(({ operation, what }) => ({ OpIndex: operation, What: what }));
  return jsonReply({ Results: null, Errors }, pretty, 409);
}

function refusal(operation: ParsedOperation, i: number, grants: Grants): TxnError[] {
  if (operation.verb === "refused") return [{ operation: i, what: operation.what }];
  // What a catalog operation needs depends on what is there, and is asked when it is worked out.
  if ("on" in operation) return [];
  try {
    checkPermission(grants, permissionOf(operation));
    return [];
  } catch (error) {
    if (!isKind(error, discoveryErrors.denied)) throw error;
    return [{ operation: i, what: messageOf(error) }];
  }
}

function permissionOf({ verb, key }: KvOperation): Permission {
  switch (verb) {
    case "get":
    case "get-or-empty":
    case "get-tree":
    case "check-index":
    case "check-not-exists":
    case "check-session":
      return { resource: "key", access: "read", name: key };
    case "delete-tree":
      return { resource: "key-prefix", access: "write", name: key };
    case "set":
    case "cas":
    case "delete":
    case "delete-cas":
    case "lock":
    case "unlock":
      return { resource: "key", access: "write", name: key };
  }
}
