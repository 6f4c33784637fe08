import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { MovedBlock } from "../refactor/blocks.ts";
import { type Endpoint, endpointOf } from "../refactor/endpoint.ts";
import type { Constants } from "./constants.ts";

/** A `moved` block; undefined where one of its ends cannot be told. */
export function decodeMoved(block: Block, constants: Constants): MovedBlock | undefined {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [
      { name: "from", required: true },
      { name: "to", required: true },
    ],
    blocks: [],
  });
  constants.diagnostics.push(...diagnostics);
  const from = decodeEndpoint(content.attributes.get("from"), constants);
  const to = decodeEndpoint(content.attributes.get("to"), constants);
  if (!from || !to) return undefined;
  const subject = rangeOf(block.typeNode);
  if ((from.resource === undefined) !== (to.resource === undefined)) {
    const detail = 'The "from" and "to" addresses must either both refer to resources or both refer to modules.';
    constants.diagnostics.push(errorDiagnostic('Invalid "moved" addresses', detail, { subject }));
    return undefined;
  }
  // What is only read or opened has no object that could be moved: its new name is enough, and the block does nothing.
  if (from.resource && from.resource.mode !== "managed") return undefined;
  if (to.resource && to.resource.mode !== "managed") {
    const detail = `${from.text} has an object, and ${to.text} is only read or opened: there is nowhere to move it to.`;
    constants.diagnostics.push(errorDiagnostic('Invalid "moved" addresses', detail, { subject: to.range }));
    return undefined;
  }
  return { from, to, range: subject };
}

/** A static reference of an argument as an address. */
export function decodeEndpoint(attribute: Attribute | undefined, constants: Constants): Endpoint | undefined {
  const traversal = attribute && constants.traversal(attribute.expression);
  if (!traversal) return undefined;
  const { value, diagnostics } = endpointOf(traversal);
  constants.diagnostics.push(...diagnostics);
  return value;
}
