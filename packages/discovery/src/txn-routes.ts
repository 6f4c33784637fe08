import type { HttpReply } from "@millwright/core/http";
import { isKind, messageOf } from "@millwright/core/errors";
import { jsonObject, kvFields } from "./kv-json.ts";
import { largestValue } from "./kv-routes.ts";
import { checkPermission, type Grants, type Permission } from "./permissions.ts";
import { contactHeaders, jsonListReply, jsonReply } from "./reply.ts";
import { readBody } from "./request-body.ts";
import type { Call, Route } from "./route.ts";
import type { TxnError, TxnOperation, TxnResult } from "./txn.ts";
import { runTransaction, type TxnContext } from "./txn-run.ts";
import { type ParsedOperation, parseOperations } from "./txn-wire.ts";
import { discoveryErrors } from "./errors.ts";

export interface TxnRoutesContext extends TxnContext {
  readonly pretty: boolean;
}

/** `/v1/txn`, over keys. */
export function txnRoutes(context: TxnRoutesContext): Route[] {
  return [
    {
      method: "PUT",
      pattern: "/v1/txn",
      permission: { kind: "needs", what: "key:read or key:write for each operation", of: () => [] },
      blocking: false,
      handle: (call) => transact(context, call),
    },
  ];
}

async function transact(context: TxnRoutesContext, call: Call): Promise<HttpReply> {
  const pretty = context.pretty || call.query.has("pretty");
  const parsed = parseOperations(await readBody(call.request, largestValue));
  const errors = parsed.flatMap((operation, i) => refusal(operation, i, call.grants));
  if (errors.length > 0) return conflict(errors, pretty);
  const operations = parsed.filter((operation): operation is TxnOperation => operation.verb !== "refused");
  const outcome = await runTransaction(context, operations);
  if (!outcome.done) return conflict(outcome.errors, pretty);
  const write = ({ entry, withValue, lock }: TxnResult, level: number | undefined) =>
    jsonObject(
      [
        [
          "KV",
          jsonObject(kvFields(entry, { base: outcome, withValue, lock }), level === undefined ? level : level + 1),
        ],
      ],
      level,
    );
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
  try {
    checkPermission(grants, permissionOf(operation));
    return [];
  } catch (error) {
    if (!isKind(error, discoveryErrors.denied)) throw error;
    return [{ operation: i, what: messageOf(error) }];
  }
}

function permissionOf({ verb, key }: TxnOperation): Permission {
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
