import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block } from "@millwright/hcl/ast";
import { contentOf, partialContentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { ResourceMode } from "../addresses.ts";
import type { IgnoreChanges, Lifecycle, Repetition, Resource } from "../configuration.ts";
import { type Constants, listElements, quotedText } from "./constants.ts";
import { foreignBody, reservedInResource } from "./reserved.ts";
import { providerReference } from "./provider-reference.ts";
import { decodeRule } from "./variable.ts";

const optional = (name: string) => ({ name, required: false });

/** A `resource` or `data` block: its meta-arguments; the rest is left for the provider's schema. */
export function decodeResource(block: Block, constants: Constants): Resource {
  const { value, diagnostics } = partialContentOf(block.body, {
    attributes: ["count", "for_each", "provider", "depends_on"].map(optional),
    blocks: [
      { type: "lifecycle", labelNames: [] },
      { type: "connection", labelNames: [] },
      { type: "provisioner", labelNames: ["type"] },
    ],
  });
  constants.diagnostics.push(...diagnostics);
  const { content, rest } = value;
  for (const inner of content.blocks) {
    if (inner.type === "lifecycle") continue;
    constants.diagnostics.push(
      errorDiagnostic(
        "Not supported yet",
        `A "${inner.type}" block inside a resource is not supported by this version of Millwright.`,
        { subject: rangeOf(inner.header) },
      ),
    );
  }
  const lifecycles = content.blocks.filter((inner) => inner.type === "lifecycle");
  if (lifecycles.length > 1) {
    constants.diagnostics.push(
      errorDiagnostic(
        "Duplicate lifecycle block",
        "A resource has at most one lifecycle block: put all arguments into one.",
        {
          subject: rangeOf(lifecycles[1]!.header),
        },
      ),
    );
  }
  const managed = block.type === "resource";
  const word = managed ? "resource" : block.type;
  const provider = content.attributes.get("provider");
  const reference = provider && providerReference(provider.expression, constants);
  return {
    address: { mode: modes[block.type] ?? "data", type: block.labels[0]!, name: block.labels[1]! },
    repetition: decodeRepetition(content.attributes, constants, lifecycles[0]),
    dependsOn: constants.traversals(content.attributes.get("depends_on")),
    lifecycle: lifecycles[0] ? decodeLifecycle(lifecycles[0], managed, constants) : noLifecycle,
    body: foreignBody(rest, { ...reservedInResource, where: `${word} block` }, constants),
    range: rangeOf(block.header),
    header: block.header,
    ...(reference ? { provider: reference } : {}),
  };
}

/** `count`, `for_each` or a lifecycle block's `enabled`, one of them. */
export function decodeRepetition(
  attributes: ReadonlyMap<string, Attribute>,
  constants: Constants,
  lifecycle?: Block,
): Repetition {
  const enabled =
    lifecycle &&
    partialContentOf(lifecycle.body, { attributes: [optional("enabled")], blocks: [] }).value.content.attributes.get(
      "enabled",
    );
  const count = attributes.get("count");
  const forEach = attributes.get("for_each");
  if (count && forEach) {
    constants.diagnostics.push(
      errorDiagnostic(
        'Invalid combination of "count" and "for_each"',
        'The "count" and "for_each" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.',
        {
          subject: rangeOf(forEach.nameNode),
        },
      ),
    );
  }
  if (enabled && (count ?? forEach)) {
    const name = count ? "count" : "for_each";
    const detail = `The "enabled" and "${name}" meta-arguments are mutually-exclusive: "${name}" says already how many there are.`;
    const place = { subject: rangeOf(enabled.nameNode) };
    constants.diagnostics.push(errorDiagnostic(`Invalid combination of "enabled" and "${name}"`, detail, place));
  }
  if (enabled) return { kind: "enabled", expression: enabled.expression };
  if (count) return { kind: "count", expression: count.expression };
  return forEach ? { kind: "forEach", expression: forEach.expression } : { kind: "single" };
}

const modes: Readonly<Record<string, ResourceMode>> = { resource: "managed", data: "data", ephemeral: "ephemeral" };

const noLifecycle: Lifecycle = {
  createBeforeDestroy: false,
  destroy: true,
  ignoreChanges: { kind: "none" },
  replaceTriggeredBy: [],
  preconditions: [],
  postconditions: [],
};

function decodeLifecycle(block: Block, managed: boolean, constants: Constants): Lifecycle {
  const names = managed
    ? ["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by", "destroy", "enabled"]
    : ["enabled"];
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: names.map(optional),
    blocks: [
      { type: "precondition", labelNames: [] },
      { type: "postcondition", labelNames: [] },
    ],
  });
  constants.diagnostics.push(...diagnostics);
  const rules = (type: string) =>
    content.blocks.filter((inner) => inner.type === type).map((inner) => decodeRule(inner, constants));
  const prevent = content.attributes.get("prevent_destroy");
  const triggers = content.attributes.get("replace_triggered_by");
  return {
    createBeforeDestroy: constants.flag(content.attributes.get("create_before_destroy")) ?? false,
    ...(prevent ? { preventDestroy: prevent.expression } : {}),
    destroy: constants.flag(content.attributes.get("destroy")) ?? true,
    ignoreChanges: decodeIgnoreChanges(content.attributes.get("ignore_changes"), constants),
    replaceTriggeredBy: triggers ? (listElements(triggers.expression) ?? []) : [],
    preconditions: rules("precondition"),
    postconditions: rules("postcondition"),
  };
}

function decodeIgnoreChanges(attribute: Attribute | undefined, constants: Constants): IgnoreChanges {
  if (!attribute) return { kind: "none" };
  const { expression } = attribute;
  const isAll = expression.kind === "scopeTraversal" && expression.root.name === "all" && expression.steps.length === 0;
  if (isAll || quotedText(expression) === "all") return { kind: "all" };
  const star = listElements(expression)?.find((element) => quotedText(element) === "*");
  if (star) {
    constants.diagnostics.push(
      warningDiagnostic(
        "Deprecated ignore_changes wildcard",
        'The ["*"] form of ignore_changes wildcard is deprecated. Use "ignore_changes = all" to ignore changes to all attributes.',
        {
          subject: rangeOf(star),
        },
      ),
    );
    return { kind: "all" };
  }
  return { kind: "some", paths: constants.traversals(attribute) };
}
