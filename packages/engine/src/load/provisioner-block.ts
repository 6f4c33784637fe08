import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Body } from "@millwright/hcl/ast";
import { partialContentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { ProvisionerBlock } from "../provision/blocks.ts";
import { referencesOfProvisioner } from "../provision/blocks.ts";
import type { Constants } from "./constants.ts";
import { keywordOf } from "./keyword.ts";

/** Reads a `provisioner` block; `connection` is what the resource says of how its machine is reached. */
export function decodeProvisioner(block: Block, connection: Body | undefined, constants: Constants): ProvisionerBlock {
  const { value, diagnostics } = partialContentOf(block.body, {
    attributes: [
      { name: "when", required: false },
      { name: "on_failure", required: false },
    ],
    blocks: [
      { type: "connection", labelNames: [] },
      { type: "lifecycle", labelNames: [] },
    ],
  });
  constants.diagnostics.push(...diagnostics);
  const { content, rest } = value;
  const own = content.blocks.filter(({ type }) => type === "connection");
  if (own[1])
    refuse(constants, own[1], "Duplicate connection block", "A provisioner has at most one connection block.");
  for (const inner of content.blocks) {
    if (inner.type === "lifecycle")
      refuse(
        constants,
        inner,
        "Reserved block type name in provisioner block",
        'The block type name "lifecycle" is reserved for use by Terraform in a future version.',
      );
  }
  const when = oneOf(content.attributes.get("when"), ["create", "destroy"], 'Invalid "when" keyword', constants);
  const onFailure = oneOf(
    content.attributes.get("on_failure"),
    ["fail", "continue"],
    'Invalid "on_failure" keyword',
    constants,
  );
  const decoded: ProvisionerBlock = {
    type: block.labels[0] ?? "",
    when: when ?? "create",
    onFailure: onFailure ?? "fail",
    body: rest,
    connections: [connection, own[0]?.body].filter((body) => body !== undefined),
    range: rangeOf(block.header),
    header: block.header,
  };
  if (decoded.when === "destroy") refuseForeign(decoded, constants);
  return decoded;
}

// What an object's end depends on has to be in its own state: anything else may be gone by then.
function refuseForeign(block: ProvisionerBlock, constants: Constants): void {
  for (const parsed of referencesOfProvisioner(block)) {
    if (!parsed.ok) continue;
    const { subject, range } = parsed.reference;
    const isOwn =
      subject.kind === "self" ||
      (subject.kind === "count" && subject.name === "index") ||
      (subject.kind === "each" && subject.name === "key") ||
      subject.kind === "path" ||
      subject.kind === "terraform";
    if (isOwn) continue;
    const detail =
      "Destroy-time provisioners and their connection configurations may only reference attributes of the related resource, via 'self', 'count.index', or 'each.key'.\n\nReferences to other resources during the destroy phase can cause dependency cycles and interact poorly with create_before_destroy.";
    constants.diagnostics.push(
      errorDiagnostic("Invalid reference from destroy provisioner", detail, { subject: range }),
    );
    return;
  }
}

function oneOf<const W extends string>(
  attribute: Attribute | undefined,
  words: readonly W[],
  summary: string,
  constants: Constants,
): W | undefined {
  if (!attribute) return undefined;
  const given = keywordOf(attribute.expression);
  const found = words.find((word) => word === given);
  if (found === undefined) {
    const list = words.map((word) => `"${word}"`).join(" or ");
    const detail = `The "${attribute.name}" argument requires one of the following keywords: ${list.replaceAll('"', "")}.`;
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(attribute.expression) }));
  }
  return found;
}

function refuse(constants: Constants, block: Block, summary: string, detail: string): void {
  constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(block.header) }));
}
