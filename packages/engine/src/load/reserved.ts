import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Body } from "@millwright/hcl/ast";
import { partialContentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Constants } from "./constants.ts";

/** Names that the language keeps for itself in one kind of block. */
export interface ReservedNames {
  /** As messages have it, e.g. `provider block`. */
  readonly where: string;
  readonly attributes: readonly string[];
  readonly blocks: readonly string[];
}

export const reservedInResource: ReservedNames = { where: "resource block", attributes: [], blocks: ["locals"] };
export const reservedInModule: ReservedNames = {
  where: "module block",
  attributes: [],
  blocks: ["lifecycle", "locals", "provider"],
};
export const reservedInProvider: ReservedNames = {
  where: "provider block",
  attributes: ["count", "depends_on", "source"],
  blocks: ["lifecycle", "locals"],
};
export const reservedInProvisioner: ReservedNames = {
  where: "provisioner block",
  attributes: [],
  blocks: ["lifecycle"],
};

/**
 * What is left of a body for somebody else's schema: names that the language reserves are refused, and what stands in an
 * escaping block (`_ { … }`) is put beside the rest, whatever its names.
 */
export function foreignBody(rest: Body, reserved: ReservedNames, constants: Constants): Body {
  const blocks = [...reserved.blocks, "_"].map((type) => ({ type, labelNames: [] }));
  const attributes = reserved.attributes.map((name) => ({ name, required: false }));
  const { value } = partialContentOf(rest, { attributes, blocks });
  const tell =
    "is reserved for use by the language in a future version. Choose another name, or put it into an escaping block: _ { … }.";
  for (const { name, nameNode } of value.content.attributes.values()) {
    const detail = `The ${reserved.where.replace(" block", "")} argument name "${name}" ${tell}`;
    const summary = `Reserved argument name in ${reserved.where}`;
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(nameNode) }));
  }
  const escapes = value.content.blocks.filter(({ type }) => type === "_");
  for (const { type, header } of value.content.blocks) {
    if (type === "_") continue;
    const detail = `The block type name "${type}" ${tell}`;
    const summary = `Reserved block type name in ${reserved.where}`;
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(header) }));
  }
  for (const extra of escapes.slice(1)) {
    const detail = `The special block type "_" can be used only once in a ${reserved.where}: put all that is escaped into one.`;
    constants.diagnostics.push(errorDiagnostic("Duplicate escaping block", detail, { subject: rangeOf(extra.header) }));
  }
  return escapes[0] ? together(value.rest, escapes[0].body) : value.rest;
}

function together(body: Body, escaped: Body): Body {
  const attributes = new Map([...body.attributes, ...escaped.attributes]);
  const joined = { ...body, attributes, blocks: [...body.blocks, ...escaped.blocks] };
  if (body.json?.kind !== "jsonObject" || escaped.json?.kind !== "jsonObject") return joined;
  return { ...joined, json: { ...body.json, properties: [...body.json.properties, ...escaped.json.properties] } };
}
