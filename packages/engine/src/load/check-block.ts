import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Block } from "@millwright/hcl/ast";
import { partialContentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { CheckBlock, Resource } from "../configuration.ts";
import type { Constants } from "./constants.ts";
import { decodeResource } from "./resource.ts";
import { decodeRule } from "./variable.ts";

/** A `check` block, and the data source that is nested in it, if there is one. */
export function decodeCheck(
  block: Block,
  constants: Constants,
): { readonly check: CheckBlock; readonly data?: Resource } {
  const name = block.labels[0]!;
  const { value, diagnostics } = partialContentOf(block.body, {
    attributes: [],
    blocks: [
      { type: "data", labelNames: ["type", "name"] },
      { type: "assert", labelNames: [] },
    ],
  });
  constants.diagnostics.push(...diagnostics);
  const { content, rest } = value;
  const refuse = (summary: string, detail: string, subject: ReturnType<typeof rangeOf>) =>
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject }));
  for (const attribute of rest.attributes.values())
    refuse(
      "Unsupported argument",
      `An argument named "${attribute.name}" is not expected here.`,
      rangeOf(attribute.nameNode),
    );
  for (const other of rest.blocks)
    refuse("Unsupported block type", `Blocks of type "${other.type}" are not expected here.`, rangeOf(other.typeNode));
  const sources = content.blocks.filter((inner) => inner.type === "data");
  if (sources.length > 1)
    refuse(
      "Multiple data resource blocks",
      `This check block already has a data resource defined at ${placeText(sources[0]!)}.`,
      rangeOf(sources[1]!.header),
    );
  const asserts = content.blocks.filter((inner) => inner.type === "assert").map((rule) => decodeRule(rule, constants));
  if (asserts.length === 0)
    refuse("Zero assert blocks", "Check blocks must have at least one assert block.", rangeOf(block.header));
  const check = { name, asserts, range: rangeOf(block.header) };
  const data = sources[0] && nested(sources[0], name, constants);
  return data ? { check: { ...check, data: data.address }, data } : { check };
}

function nested(block: Block, check: string, constants: Constants): Resource {
  const resource = decodeResource(block, constants);
  for (const name of ["count", "for_each", "lifecycle"] as const) {
    const inner = name === "lifecycle" ? block.body.blocks.find(({ type }) => type === name) : undefined;
    const found = inner?.header ?? block.body.attributes.get(name);
    if (!found) continue;
    const detail = `"${name}" is not allowed for the data source of a check block: it is there once, and the block's assertions speak of it.`;
    constants.diagnostics.push(
      errorDiagnostic(`Invalid ${name === "lifecycle" ? "lifecycle block" : `"${name}" argument`}`, detail, {
        subject: rangeOf(found),
      }),
    );
  }
  return { ...resource, check };
}

function placeText({ header }: Block): string {
  const { filename, start } = rangeOf(header);
  return `${filename}:${start.line},${start.column}`;
}
