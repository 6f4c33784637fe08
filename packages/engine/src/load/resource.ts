import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Expression } from "@millwright/hcl/ast";
import { contentOf, partialContentOf } from "@millwright/hcl/body-content";
import { parseExpression } from "@millwright/hcl/parse";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import type { ResourceMode } from "../addresses.ts";
import type { IgnoreChanges, Lifecycle, Repetition, Resource } from "../configuration.ts";
import type { ProvisionerBlock } from "../provision/blocks.ts";
import { type Constants, listElements, quotedText } from "./constants.ts";
import { foreignBody, reservedInResource } from "./reserved.ts";
import { providerReference } from "./provider-reference.ts";
import { decodeProvisioner } from "./provisioner-block.ts";
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
  const provisioners = provisionersOf(block, content.blocks, constants);
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
    typeRange: rangeOf(block.labelNodes[0]!),
    ...(reference ? { provider: reference } : {}),
    ...(provisioners.length > 0 ? { provisioners } : {}),
  };
}

function provisionersOf(block: Block, inner: readonly Block[], constants: Constants): readonly ProvisionerBlock[] {
  const connections = inner.filter(({ type }) => type === "connection");
  const blocks = inner.filter(({ type }) => type === "provisioner");
  const refused = block.type === "resource" ? connections[1] : (connections[0] ?? blocks[0]);
  if (refused) {
    const detail =
      block.type === "resource"
        ? "A resource has at most one connection block: put all arguments into one."
        : `A "${refused.type}" block is for managed resources only, which are made and destroyed.`;
    const summary = block.type === "resource" ? "Duplicate connection block" : `Unexpected "${refused.type}" block`;
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(refused.header) }));
  }
  return block.type === "resource"
    ? blocks.map((provisioner) => decodeProvisioner(provisioner, connections[0]?.body, constants))
    : [];
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
    const detail = `The "${name}" and "enabled" meta-arguments are mutually-exclusive: "${name}" says already how many there are.`;
    const place = { subject: rangeOf(enabled.nameNode) };
    constants.diagnostics.push(errorDiagnostic(`Invalid combination of "${name}" and "enabled"`, detail, place));
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

const ofManaged: ReadonlySet<string> = new Set([
  "create_before_destroy",
  "prevent_destroy",
  "ignore_changes",
  "replace_triggered_by",
]);

/** What only managed resources have is said to be just that. */
function withManagedNames(diagnostics: readonly Diagnostic[], block: Block): Diagnostic[] {
  const { value } = partialContentOf(block.body, { attributes: [...ofManaged].map(optional), blocks: [] });
  const given = [...value.content.attributes.values()];
  const subjects = new Set(given.map(({ nameNode }) => rangeOf(nameNode).start.byte));
  return [
    ...diagnostics.filter(({ subject }) => !subject || !subjects.has(subject.start.byte)),
    ...given.map(({ name, nameNode }) => {
      const detail = `The lifecycle argument "${name}" is defined only for managed resources ("resource" blocks), and is not valid for what is only read or opened.`;
      return errorDiagnostic("Invalid data resource lifecycle argument", detail, { subject: rangeOf(nameNode) });
    }),
  ];
}

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
  constants.diagnostics.push(...(managed ? diagnostics : withManagedNames(diagnostics, block)));
  const rules = (type: string) =>
    content.blocks.filter((inner) => inner.type === type).map((inner) => decodeRule(inner, constants));
  const prevent = content.attributes.get("prevent_destroy");
  const triggers = content.attributes.get("replace_triggered_by");
  return {
    createBeforeDestroy: constants.flag(content.attributes.get("create_before_destroy")) ?? false,
    ...(prevent ? { preventDestroy: prevent.expression } : {}),
    destroy: constants.flag(content.attributes.get("destroy")) ?? true,
    ignoreChanges: decodeIgnoreChanges(content.attributes.get("ignore_changes"), constants),
    replaceTriggeredBy: triggers ? (listElements(triggers.expression) ?? []).map((e) => fromJson(e, constants)) : [],
    preconditions: rules("precondition"),
    postconditions: rules("postcondition"),
  };
}

/** In JSON a reference with keys is text, which is read as the expression it stands for. */
function fromJson(expression: Expression, constants: Constants): Expression {
  const text = expression.kind === "json" ? quotedText(expression) : undefined;
  if (text === undefined || text.includes("${")) return expression;
  const { file, start } = expression;
  const parsed = parseExpression(sourceFile(file.name, text, file.position(start + 1)));
  constants.diagnostics.push(...parsed.diagnostics);
  return parsed.value;
}

function decodeIgnoreChanges(attribute: Attribute | undefined, constants: Constants): IgnoreChanges {
  if (!attribute) return { kind: "none" };
  const { expression } = attribute;
  const isAll = expression.kind === "scopeTraversal" && expression.root.name === "all" && expression.steps.length === 0;
  if (isAll || quotedText(expression) === "all") return { kind: "all" };
  const star = listElements(expression)?.find((element) => quotedText(element) === "*");
  if (star) {
    constants.diagnostics.push(
      errorDiagnostic(
        "Invalid ignore_changes wildcard",
        'The ["*"] form of ignore_changes wildcard was deprecated and is now invalid. Use "ignore_changes = all" to ignore changes to all attributes.',
        {
          subject: rangeOf(star),
        },
      ),
    );
    return { kind: "all" };
  }
  return { kind: "some", paths: constants.traversals(attribute) };
}
