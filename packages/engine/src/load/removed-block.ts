import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Block } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { RemovedBlock } from "../refactor/blocks.ts";
import type { Endpoint } from "../refactor/endpoint.ts";
import type { Constants } from "./constants.ts";
import { decodeEndpoint } from "./moved-block.ts";
import { decodeProvisioner } from "./provisioner-block.ts";

/** A `removed` block; undefined where it cannot be told what it speaks of. */
export function decodeRemoved(block: Block, constants: Constants): RemovedBlock | undefined {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [{ name: "from", required: true }],
    blocks: [
      { type: "lifecycle", labelNames: [] },
      { type: "provisioner", labelNames: ["type"] },
      { type: "connection", labelNames: [] },
    ],
  });
  constants.diagnostics.push(...diagnostics);
  const from = decodeEndpoint(content.attributes.get("from"), constants);
  const connection = content.blocks.find((inner) => inner.type === "connection")?.body;
  const written = content.blocks.filter((inner) => inner.type === "provisioner");
  const provisioners = written.map((provisioner) => decodeProvisioner(provisioner, connection, constants));
  for (const provisioner of provisioners) {
    if (provisioner.when === "destroy") continue;
    const detail =
      'Only destroy-time provisioners are valid in "removed" blocks. To declare a destroy-time provisioner, use:\n    when = destroy';
    const place = { subject: rangeOf(provisioner.header) };
    constants.diagnostics.push(errorDiagnostic("Invalid provisioner block", detail, place));
  }
  const lifecycle = content.blocks.find((inner) => inner.type === "lifecycle");
  const destroy = lifecycle ? decodeDestroy(lifecycle, constants) : true;
  if (!from || !isWhole(from, constants)) return undefined;
  return { from, destroy, provisioners, range: rangeOf(block.typeNode) };
}

function decodeDestroy(block: Block, constants: Constants): boolean {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [{ name: "destroy", required: false }],
    blocks: [],
  });
  constants.diagnostics.push(...diagnostics);
  return constants.flag(content.attributes.get("destroy")) ?? true;
}

function isWhole({ module, resource, key, range }: Endpoint, constants: Constants): boolean {
  const refuse = (summary: string, detail: string) => {
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: range }));
    return false;
  };
  if (resource && resource.mode !== "managed")
    return refuse(
      "Data source address not allowed",
      "Data sources are never destroyed, so they are not valid targets of removed blocks. To remove the data source from state, remove the data source block from configuration.",
    );
  if (key !== undefined)
    return refuse(
      "Resource instance keys not allowed",
      'Resource address must be a resource (e.g. "test_instance.foo"), not a resource instance (e.g. "test_instance.foo[1]").',
    );
  if (module.steps.some((step) => step.key !== undefined))
    return refuse(
      "Module instance keys not allowed",
      'Module address must be a module (e.g. "module.foo"), not a module instance (e.g. "module.foo[1]").',
    );
  return true;
}
