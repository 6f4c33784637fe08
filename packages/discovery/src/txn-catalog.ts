import { OperationalError } from "@millwright/core/errors";
import { pendingRevision } from "@millwright/records/draft";
import { checkJson, nodeJson, serviceJson, type Shown } from "./catalog-json.ts";
import { checkNodeWrite, checkServiceWrite, checkWrite, nodeWrite, serviceWrite } from "./catalog-permissions.ts";
import {
  type CheckRecord,
  checkKey,
  type NodeRecord,
  nodeKey,
  type ServiceRecord,
  serviceKey,
} from "./catalog-records.ts";
import { nodeRead, serviceRead } from "./catalog-routes.ts";
import { deleteCheck, deleteNode, deleteService, putCheck, putNode, putService } from "./catalog-write.ts";
import { checkPermission, type Grants } from "./permissions.ts";
import type { DiscoveryDraft } from "./state.ts";
import type { Records, Row } from "./tables.ts";

/** What the operations are about, by the tables' names. */
export type CatalogTable = "node" | "service" | "check";

/** The fields by which a record of a table is found. */
export interface CatalogIds {
  readonly node: Pick<NodeRecord, "name">;
  readonly service: Pick<ServiceRecord, "node" | "id">;
  readonly check: Pick<CheckRecord, "node" | "checkId">;
}

/** One operation of `/v1/txn` over the catalog; indexes are public ones. */
export type CatalogOperation = { readonly [N in CatalogTable]: OperationOn<N> }[CatalogTable];

export type OperationOn<N extends CatalogTable> = { readonly on: N } & (
  | { readonly verb: "set"; readonly record: Records[N] }
  | { readonly verb: "cas"; readonly record: Records[N]; readonly index: number }
  | { readonly verb: "get" | "delete"; readonly id: CatalogIds[N] }
  | { readonly verb: "delete-cas"; readonly id: CatalogIds[N]; readonly index: number }
);

/** A record to show. */
export type CatalogResult = { readonly [N in CatalogTable]: { readonly on: N; readonly row: Row<N> } }[CatalogTable];

/** Carries an operation out on a draft: gives its results, or why it cannot be. */
export function runCatalogOperation(
  draft: DiscoveryDraft,
  grants: Grants,
  operation: CatalogOperation,
): readonly CatalogResult[] | string {
  try {
    switch (operation.on) {
      case "node":
        return run(draft, operation, nodes(draft, grants)).map((row) => ({ on: "node", row }));
      case "service":
        return run(draft, operation, services(draft, grants)).map((row) => ({ on: "service", row }));
      case "check":
        return run(draft, operation, checks(draft, grants)).map((row) => ({ on: "check", row }));
    }
  } catch (error) {
    // What the record's own rules or the token's permissions refuse is told beside the other operations' errors.
    if (error instanceof Refusal || error instanceof OperationalError) return error.message;
    throw error;
  }
}

/** A result in the public form, under the name of its kind. */
export function catalogResultJson(result: CatalogResult, shown: Shown): object {
  switch (result.on) {
    case "node":
      return { Node: nodeJson(result.row, shown) };
    case "service":
      return { Service: { ...serviceJson(result.row, shown), Tags: listOrNull(result.row.tags) } };
    case "check":
      return { Check: { ...checkJson(result.row, shown), ServiceTags: listOrNull(result.row.serviceTags) } };
  }
}

// As Consul has it in transactions alone: everywhere else a list that is empty is an empty list.
function listOrNull(items: readonly string[]): readonly string[] | null {
  return items.length > 0 ? items : null;
}

/** Why an operation cannot be carried out; never leaves this module. */
class Refusal extends Error {
  override readonly name = "Refusal";
}

/** How one kind of record is found, written and guarded. */
interface Kind<N extends CatalogTable> {
  get(id: CatalogIds[N]): Row<N> | undefined;
  put(record: Records[N]): void;
  delete(id: CatalogIds[N]): void;
  describe(id: CatalogIds[N]): string;
  mayRead(row: Row<N>): void;
  mayPut(record: Records[N]): void;
  mayDelete(row: Row<N>): void;
}

function run<N extends CatalogTable>(
  draft: DiscoveryDraft,
  operation: OperationOn<N>,
  kind: Kind<N>,
): readonly Row<N>[] {
  const isAt = (row: Row<N> | undefined, index: number) => {
    // What this transaction has written itself is at no index yet.
    if (row) return index !== 0 && row.modified !== pendingRevision && draft.state.indexOf(row.modified) === index;
    return index === 0;
  };
  switch (operation.verb) {
    case "get": {
      const row = kind.get(operation.id);
      if (!row) throw new Refusal(`${kind.describe(operation.id)} doesn't exist`);
      kind.mayRead(row);
      return [row];
    }
    case "set":
      return put(operation.record, kind);
    case "cas":
      if (!isAt(kind.get(operation.record), operation.index))
        throw new Refusal(`failed to set ${kind.describe(operation.record)}, index is stale`);
      return put(operation.record, kind);
    case "delete":
      return remove(operation.id, kind);
    case "delete-cas": {
      const row = kind.get(operation.id);
      if (!row || !isAt(row, operation.index))
        throw new Refusal(`failed to delete ${kind.describe(operation.id)}, index is stale`);
      return remove(operation.id, kind);
    }
  }
}

function put<N extends CatalogTable>(record: Records[N], kind: Kind<N>): readonly Row<N>[] {
  kind.mayPut(record);
  kind.put(record);
  const row = kind.get(record);
  return row ? [row] : [];
}

function remove<N extends CatalogTable>(id: CatalogIds[N], kind: Kind<N>): readonly [] {
  const row = kind.get(id);
  if (row) {
    kind.mayDelete(row);
    kind.delete(id);
  }
  return [];
}

function nodes(draft: DiscoveryDraft, grants: Grants): Kind<"node"> {
  return {
    get: ({ name }) => draft.row("node", nodeKey(name)),
    put: (node) => putNode(draft, node),
    delete: ({ name }) => deleteNode(draft, name),
    describe: ({ name }) => `node ${JSON.stringify(name)}`,
    mayRead: (node) => checkPermission(grants, nodeRead(node)),
    mayPut: (node) => checkNodeWrite(grants, draft, node),
    mayDelete: ({ name }) => checkPermission(grants, nodeWrite(name)),
  };
}

function services(draft: DiscoveryDraft, grants: Grants): Kind<"service"> {
  return {
    get: ({ node, id }) => draft.row("service", serviceKey(node, id)),
    put: (service) => putService(draft, service),
    delete: ({ node, id }) => deleteService(draft, node, id),
    describe: ({ node, id }) => `service ${JSON.stringify(id)} on node ${JSON.stringify(node)}`,
    mayRead: (service) => checkPermission(grants, serviceRead(service)),
    mayPut: (service) => checkServiceWrite(grants, draft, service),
    mayDelete: (service) => checkPermission(grants, serviceWrite(service)),
  };
}

function checks(draft: DiscoveryDraft, grants: Grants): Kind<"check"> {
  return {
    get: ({ node, checkId }) => draft.row("check", checkKey(node, checkId)),
    put: (check) => putCheck(draft, check),
    delete: ({ node, checkId }) => deleteCheck(draft, node, checkId),
    describe: ({ node, checkId }) => `check ${JSON.stringify(checkId)} on node ${JSON.stringify(node)}`,
    mayRead: (check) => checkPermission(grants, nodeRead({ name: check.node })),
    mayPut: (check) => checkPermission(grants, checkWrite(draft, check)),
    mayDelete: (check) => checkPermission(grants, checkWrite(draft, check)),
  };
}
