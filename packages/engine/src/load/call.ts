import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Expression } from "@millwright/hcl/ast";
import { contentOf, justAttributes, partialContentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import type { ModuleCall, ProviderReference } from "../configuration.ts";
import type { Constants } from "./constants.ts";
import { providerReference } from "./provider-reference.ts";
import { foreignBody, reservedInModule } from "./reserved.ts";
import { decodeRepetition } from "./resource.ts";

const optional = (name: string) => ({ name, required: false });

/** A `module` block. */
export function decodeCall(block: Block, constants: Constants): ModuleCall {
  const { value, diagnostics } = partialContentOf(block.body, {
    attributes: [
      { name: "source", required: true },
      ...["version", "count", "for_each", "depends_on", "providers"].map(optional),
    ],
    blocks: [{ type: "lifecycle", labelNames: [] }],
  });
  constants.diagnostics.push(...diagnostics);
  const { content, rest } = value;
  const lifecycle = content.blocks[0];
  if (lifecycle) {
    const inside = contentOf(lifecycle.body, { attributes: [optional("enabled")], blocks: [] });
    constants.diagnostics.push(...inside.diagnostics);
  }
  const inputs = justAttributes(foreignBody(rest, reservedInModule, constants));
  constants.diagnostics.push(...inputs.diagnostics);
  const source = content.attributes.get("source");
  const version = content.attributes.get("version");
  return {
    name: block.labels[0]!,
    source: "",
    ...(source ? { sourceExpression: source.expression } : {}),
    ...(version ? { versionExpression: version.expression } : {}),
    sourceRange: rangeOf(source?.expression ?? block.header),
    repetition: decodeRepetition(content.attributes, constants, lifecycle),
    dependsOn: constants.traversals(content.attributes.get("depends_on")),
    providers: decodeProviders(content.attributes.get("providers"), constants),
    inputs: new Map([...inputs.value].map(([name, attribute]) => [name, attribute.expression])),
    range: rangeOf(block.header),
    body: block.body,
  };
}

/** `providers = { aws = aws.west, aws.second = aws.east }`. */
export function decodeProviders(
  attribute: Attribute | undefined,
  constants: Constants,
): ReadonlyMap<string, ProviderReference> {
  const result = new Map<string, ProviderReference>();
  if (!attribute) return result;
  for (const [key, value] of entriesOf(attribute.expression) ?? []) {
    const reference = providerReference(value, constants);
    if (key !== undefined && reference) result.set(key, reference);
  }
  if (!entriesOf(attribute.expression)) {
    constants.diagnostics.push(
      errorDiagnostic(
        "Invalid expression",
        'The "providers" argument is a map from provider names inside the module to those outside, such as { aws = aws.west }.',
        {
          subject: rangeOf(attribute.expression),
        },
      ),
    );
  }
  return result;
}

function entriesOf(expression: Expression): (readonly [string | undefined, Expression])[] | undefined {
  if (expression.kind === "object") {
    return expression.items.map(
      (item) => [item.key.name ?? sourceText(item.key.expression).replaceAll('"', ""), item.value] as const,
    );
  }
  if (expression.kind !== "json" || expression.value.kind !== "jsonObject") return undefined;
  return expression.value.properties.map(({ name, value }) => {
    return [name, { kind: "json", value, file: value.file, start: value.start, end: value.end }] as const;
  });
}

function sourceText({ file, start, end }: Expression): string {
  return file.text.slice(start, end);
}
