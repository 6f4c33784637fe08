import { OperationalError } from "@millwright/core/errors";
import { WireFields } from "@millwright/text/wire-fields";
import { checkFields, nodeFields, parseCheck, parseNode, parseService, serviceFields } from "./catalog-wire.ts";
import type { Records } from "./tables.ts";
import type { CatalogIds, CatalogOperation, CatalogTable, OperationOn } from "./txn-catalog.ts";

/** A node's, a service's or a check's operation as it was sent, or why this one cannot be carried out. */
export type ParsedCatalogOperation = CatalogOperation | { readonly verb: "refused"; readonly what: string };

/** Reads what stands under `Node`, `Service` or `Check`. Throws `WireMistake` for another shape. */
export function parseCatalogOperation(on: CatalogTable, wire: unknown): ParsedCatalogOperation {
  const fields = new WireFields(wire, `the operation over a ${on}`);
  const verb = fields.text("Verb");
  try {
    switch (on) {
      case "node": {
        const node = nodeFields(fields.raw("Node"));
        const name = node.text("Node");
        if (name === "") return refused("Must provide node");
        return withVerb("node", verb, { fields: node, id: { name }, record: () => parseNode(node, "Meta") });
      }
      case "service": {
        const node = fields.text("Node");
        const service = serviceFields(fields.raw("Service"));
        const id = { node, id: service.text("ID") || service.text("Service") };
        if (node === "") return refused("Must provide node");
        return withVerb("service", verb, {
          fields: service,
          id,
          record: () => parseService(fields.raw("Service"), node),
        });
      }
      case "check": {
        const check = checkFields(fields.raw("Check"));
        const id = { node: check.text("Node"), checkId: check.text("CheckID") || check.text("Name") };
        if (id.node === "") return refused("Must provide node");
        return withVerb("check", verb, { fields: check, id, record: () => parseCheck(fields.raw("Check"), id.node) });
      }
    }
  } catch (error) {
    // A record that cannot be is its operation's error; a body of another shape is the request's.
    if (!(error instanceof OperationalError)) throw error;
    return refused(error.message);
  }
}

function withVerb<N extends CatalogTable>(
  on: N,
  verb: string,
  given: { readonly fields: WireFields; readonly id: CatalogIds[N]; record(): Records[N] },
): OperationOn<N> | { readonly verb: "refused"; readonly what: string } {
  const { id } = given;
  // One above 2^53 is above every index there is, and may lose its last digits.
  const index = Number(given.fields.uint64("ModifyIndex"));
  switch (verb) {
    case "set":
      return { on, verb, record: given.record() };
    case "cas":
      return { on, verb, record: given.record(), index };
    case "get":
    case "delete":
      return { on, verb, id };
    case "delete-cas":
      return { on, verb, id, index };
    default:
      return refused(`unknown ${on[0]?.toUpperCase()}${on.slice(1)} verb ${JSON.stringify(verb)}`);
  }
}

function refused(what: string): { readonly verb: "refused"; readonly what: string } {
  return { verb: "refused", what };
}
