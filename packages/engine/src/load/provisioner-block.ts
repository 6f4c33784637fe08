import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Body } from "@millwright/hcl/ast";
import { partialContentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { ProvisionerBlock } from "../provision/blocks.ts";
import { referencesOfProvisioner } from "../provision/blocks.ts";
import { type Constants, quotedText } from "./constants.ts";
import { keywordOf } from "./keyword.ts";
import { foreignBody, reservedInProvisioner } from "./reserved.ts";

/** Reads a `provisioner` block; `connection` is what the resource says of how its machine is reached. */
export function decodeProvisioner(block: Block, connection: Body | undefined, constants: Constants): ProvisionerBlock {
  const { value, diagnostics } = partialContentOf(block.body, {
    attributes: [
      { name: "when", required: false },
      { name: "on_failure", required: false },
    ],
    blocks: [{ type: "connection", labelNames: [] }],
  });
  constants.diagnostics.push(...diagnostics);
  const type = block.labels[0] ?? "";
  if (removed.has(type)) {
    const detail = `The "${type}" provisioner was taken out of Terraform in version 0.15. Where it is still needed, have local-exec or remote-exec run what it ran.`;
    const subject = rangeOf(block.labelNodes[0]!);
    constants.diagnostics.push(errorDiagnostic(`The "${type}" provisioner has been removed`, detail, { subject }));
  }
  const { content, rest } = value;
  const [own, second] = content.blocks;
  if (second)
    refuse(constants, second, "Duplicate connection block", "A provisioner has at most one connection block.");
  const when = oneOf(content.attributes.get("when"), ["create", "destroy"], 'Invalid "when" keyword', constants);
  const onFailure = oneOf(
    content.attributes.get("on_failure"),
    ["fail", "continue"],
    'Invalid "on_failure" keyword',
    constants,
  );
  const decoded: ProvisionerBlock = {
    type,
    when: when ?? "create",
    onFailure: onFailure ?? "fail",
    body: foreignBody(rest, reservedInProvisioner, constants),
    connections: [connection, own?.body].filter((body) => body !== undefined),
    range: rangeOf(block.header),
    header: block.header,
  };
  if (decoded.when === "destroy") refuseForeign(decoded, constants);
  return decoded;
}

const removed: ReadonlySet<string> = new Set(["chef", "habitat", "puppet", "salt-masterless"]);

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
  }
}

function oneOf<const W extends string>(
  attribute: Attribute | undefined,
  words: readonly W[],
  summary: string,
  constants: Constants,
): W | undefined {
  if (!attribute) return undefined;
  const { expression } = attribute;
  const given = keywordOf(expression);
  if (expression.kind !== "json" && quotedText(expression) !== undefined) {
    const detail =
      "In this context, keywords are expected literally rather than in quotes. Old configurations have them quoted, which still works; remove the quotes to silence this warning.";
    const subject = rangeOf(expression);
    constants.diagnostics.push(warningDiagnostic("Quoted keywords are deprecated", detail, { subject }));
  }
  const found = words.find((word) => word === given);
  if (found === undefined) {
    const list = words.map((word) => `"${word}"`).join(" or ");
    const detail = `The "${attribute.name}" argument requires one of the following keywords: ${list.replaceAll('"', "")}.`;
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(expression) }));
  }
  return found;
}

function refuse(constants: Constants, block: Block, summary: string, detail: string): void {
  constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(block.header) }));
}
