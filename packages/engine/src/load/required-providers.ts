import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { Block, Expression } from "@millwright/hcl/ast";
import { justAttributes } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";
import { impliedProviderSource, parseProviderSource, providerSourceShort, providerSourceText } from "../addresses.ts";
import type { ProviderReference, ProviderRequirement } from "../configuration.ts";
import { badProviderName } from "./provider-name.ts";
import { type Constants, listElements, quotedText } from "./constants.ts";

/** A `required_providers` block: `name = { source, version, configuration_aliases }`, or the old `name = "version"`. */
export function decodeRequiredProviders(
  block: Block,
  constants: Constants,
  into: Map<string, ProviderRequirement>,
): void {
  const { value: attributes, diagnostics } = justAttributes(block.body);
  constants.diagnostics.push(...diagnostics);
  for (const { name, expression, nameNode } of attributes.values()) {
    const range = rangeOf(nameNode);
    const bad = badProviderName(name, range);
    if (bad) {
      constants.diagnostics.push(bad);
      continue;
    }
    const version = quotedText(expression);
    if (version !== undefined) {
      into.set(name, {
        localName: name,
        source: impliedProviderSource(name),
        versions: [version],
        versionRange: rangeOf(expression),
        configurationAliases: [],
        range,
      });
      continue;
    }
    const parts = partsOf(expression);
    if (!parts) {
      constants.diagnostics.push(
        errorDiagnostic(
          "Invalid required_providers object",
          'A provider requirement is an object with "source" and "version", such as { source = "hashicorp/consul", version = "~> 2.20" }.',
          {
            subject: rangeOf(expression),
          },
        ),
      );
      continue;
    }
    const requirement = { localName: name, range, ...readParts(name, parts, constants) };
    const first = [...into.values()].find(
      ({ source }) => providerSourceText(source) === providerSourceText(requirement.source),
    );
    if (first) constants.diagnostics.push(requiredTwice(first, requirement));
    into.set(name, requirement);
  }
}

function readParts(name: string, parts: ReadonlyMap<string, Expression>, constants: Constants) {
  let source = impliedProviderSource(name);
  let versions: Pick<ProviderRequirement, "versions" | "versionRange"> = { versions: [] };
  const configurationAliases: ProviderReference[] = [];
  for (const [key, expression] of parts) {
    const text = quotedText(expression);
    if (key === "source" && text !== undefined) {
      const parsed = parseProviderSource(text);
      const redundant = parsed && redundantPrefix(parsed.type);
      if (redundant !== undefined) {
        const detail = `Provider source "${text}" has a type with the prefix "${redundant}", which isn't allowed because it would be redundant: it is a provider of Terraform anyway. Did you mean "${text.replace(redundant, "")}"?`;
        constants.diagnostics.push(errorDiagnostic("Invalid provider type", detail, { subject: rangeOf(expression) }));
      } else if (parsed) source = parsed;
      else {
        constants.diagnostics.push(
          errorDiagnostic(
            "Invalid provider source string",
            `The "source" of a provider has the form "[HOSTNAME/]NAMESPACE/TYPE", which "${text}" does not have.`,
            {
              subject: rangeOf(expression),
            },
          ),
        );
      }
    } else if (key === "version" && text !== undefined)
      versions = { versions: [text], versionRange: rangeOf(expression) };
    else if (key === "configuration_aliases") {
      for (const element of listElements(expression) ?? []) {
        const traversal = constants.traversal(element);
        const step = traversal?.steps[0];
        if (traversal && step?.kind === "attribute") {
          configurationAliases.push({ localName: traversal.root.name, alias: step.name, range: rangeOf(element) });
        }
      }
    } else {
      constants.diagnostics.push(
        errorDiagnostic(
          "Invalid required_providers object",
          `A provider requirement has "source", "version" and "configuration_aliases", each written out; "${key}" is none of them or is not written out.`,
          {
            subject: rangeOf(expression),
          },
        ),
      );
    }
  }
  return { source, ...versions, configurationAliases };
}

function requiredTwice(first: ProviderRequirement, { localName, source, range }: ProviderRequirement): Diagnostic {
  const detail = `Provider ${providerSourceShort(source)} with the local name "${localName}" was previously required as "${first.localName}". A provider can only be required once within required_providers: keep one of the two names.`;
  return warningDiagnostic("Duplicate required provider", detail, { subject: range });
}

function redundantPrefix(type: string): string | undefined {
  return ["terraform-provider-", "terraform-"].find((prefix) => type.startsWith(prefix));
}

function partsOf(expression: Expression): ReadonlyMap<string, Expression> | undefined {
  if (expression.kind === "object") {
    return new Map(
      expression.items.map((item) => [item.key.name ?? quotedText(item.key.expression) ?? "?", item.value]),
    );
  }
  if (expression.kind !== "json" || expression.value.kind !== "jsonObject") return undefined;
  return new Map(
    expression.value.properties.map(({ name, value }) => [
      name,
      { kind: "json", value, file: value.file, start: value.start, end: value.end },
    ]),
  );
}
