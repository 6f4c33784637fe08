import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { SourceRange } from "@millwright/core/source";
import type { Expression } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import { providerSourceShort, providerSourceText, resourceText } from "../addresses.ts";
import type { Configuration, Module, ModuleCall, ProviderReference, Repetition } from "../configuration.ts";
import { childPath } from "../configuration.ts";
import { isProxy, providerKeyText, sourceOfLocalName } from "../provider-config.ts";

/**
 * What is wrong with the ways that provider configurations take through modules: one that is asked for and not handed in, one
 * handed in where the module has its own, modules with configurations of their own that are repeated, and instances named
 * where there are none.
 */
export function checkProviderReferences(configuration: Configuration): Diagnostic[] {
  return [...configuration.modules.values()].flatMap((module) => [
    ...redundantBlocks(module),
    ...[...module.resources.values()].flatMap((resource) => {
      const { provider, address, repetition } = resource;
      const twin = address.mode === "managed" && provider ? sameKeys(module, provider, repetition, "resource") : [];
      return provider ? [...twin, ...instanceProblems(module, provider, `Resource ${resourceText(address)}`)] : [];
    }),
    ...[...module.calls.values()].flatMap((call) => {
      const child = configuration.modules.get(childPath(module, call.name));
      return child ? callProblems(configuration, module, call, child) : [];
    }),
  ]);
}

/** Empty blocks in a module that is called: what old modules wrote to be handed a configuration. */
function redundantBlocks(module: Module): Diagnostic[] {
  if (module.path === "") return [];
  const byName = Map.groupBy(
    [...module.providers.values()].filter((block) => isProxy(block)),
    ({ localName }) => localName,
  );
  return [...byName].map(([name, blocks]) => {
    const aliases = blocks.flatMap(({ alias }) => (alias === undefined ? [] : [`        ${name}.${alias},\n`]));
    const wanted = aliases.length > 0 ? `      configuration_aliases = [\n${aliases.join("")}      ]\n` : "";
    const source = providerSourceShort(sourceOfLocalName(module, name));
    const detail = `Earlier versions of Terraform used empty provider blocks ("proxy provider configurations") for child modules to declare their need to be passed a provider configuration by their callers. That approach was ambiguous and is now deprecated.\n\nIf you control this module, you can migrate to the new declaration syntax by removing all of the empty provider "${name}" blocks and then adding or updating an entry like the following to the required_providers block of ${module.path}:\n    ${name} = {\n      source = "${source}"\n${wanted}    }`;
    return warningDiagnostic("Redundant empty provider block", detail, { subject: blocks[0]!.range });
  });
}

/** What uses the instances of a provider by the very same keys cannot lose one: its provider would be gone with it. */
function sameKeys(module: Module, reference: ProviderReference, repetition: Repetition, who: string): Diagnostic[] {
  const forEach = module.providers.get(providerKeyText(reference))?.forEach;
  if (!reference.key || !forEach || repetition.kind !== "forEach") return [];
  const text = ({ file, start, end }: Expression) => file.text.slice(start, end).replace(/\s+/g, " ");
  if (text(forEach) !== text(repetition.expression)) return [];
  const detail = `This provider configuration uses the same for_each expression as a ${who}, which means that subsequent removal of elements from this collection would cause a planning error: the provider instance that made an object is needed to destroy it.\n\nGive the ${who} a for_each of its own, from which an element can be taken first.`;
  return [
    warningDiagnostic(`Provider configuration for_each matches ${who}`, detail, {
      subject: rangeOf(repetition.expression),
    }),
  ];
}

function callProblems(configuration: Configuration, caller: Module, call: ModuleCall, child: Module): Diagnostic[] {
  const handed = [...call.providers].flatMap(([name, reference]) => [
    ...instanceProblems(caller, reference, `Module ${call.name}`),
    ...sameKeys(caller, reference, call.repetition, "module"),
    ...guessedProviders(caller, reference),
    ...handedProblems(caller, child, name, reference),
  ]);
  const missing = [...missingAliases(call, child), ...notHandedOn(caller, call, child)];
  return [...legacyProblems(configuration, call, child), ...missing, ...handed];
}

/** A repeated module cannot have configurations of its own: with an instance gone, nothing could end what it made. */
function legacyProblems(configuration: Configuration, call: ModuleCall, child: Module): Diagnostic[] {
  if (call.repetition.kind === "single" && call.dependsOn.length === 0) return [];
  const inside = [...configuration.modules.values()].filter(
    ({ path }) => path === child.path || path.startsWith(`${child.path}.`),
  );
  const legacy = inside.find((module) => [...module.providers.values()].some((block) => !isProxy(block)));
  if (!legacy) return [];
  const subject = call.repetition.kind === "single" ? call.range : rangeOf(call.repetition.expression);
  const detail = `The module at ${legacy.path} is a legacy module which contains its own local provider configurations, and so calls to it may not use the count, for_each, or depends_on arguments.\n\nIf you also control the module "${legacy.folder}", consider updating this module to instead expect provider configurations to be passed by its caller.`;
  return [errorDiagnostic("Module is incompatible with count, for_each, and depends_on", detail, { subject })];
}

function missingAliases(call: ModuleCall, child: Module): Diagnostic[] {
  const wanted = [...child.requiredProviders.values()].flatMap(({ configurationAliases, source }) =>
    configurationAliases.map((reference) => ({ name: providerKeyText(reference), source })),
  );
  return wanted
    .filter(({ name }) => !child.providers.has(name) && !call.providers.has(name))
    .map(({ name, source }) => {
      const detail = `The child module requires an additional configuration for provider ${providerSourceShort(source)}, with the local name "${name}".\n\nRefer to the module's documentation to understand the intended purpose of this additional provider configuration, and then add an entry for ${name} in the "providers" meta-argument in the module block to choose which provider configuration the module should use for that purpose.`;
      return errorDiagnostic("Missing required provider configuration", detail, { subject: call.range });
    });
}

/** A module that hands on by name what it was not handed itself: Terraform finds no configuration then, however far up there is one. */
function notHandedOn(caller: Module, call: ModuleCall, child: Module): Diagnostic[] {
  const passed = [...child.calls.values()].flatMap(({ providers }) => [...providers.values()]);
  const names = passed.filter(({ alias }) => alias === undefined).map(({ localName }) => localName);
  const isMissing = (name: string) =>
    child.requiredProviders.has(name) && !child.providers.has(name) && !call.providers.has(name);
  return [...new Set(names)].filter(isMissing).map((name) => {
    const source = providerSourceShort(sourceOfLocalName(child, name));
    const detail = `The configuration for ${child.path} expects to inherit a configuration for provider ${source} with local name "${name}", but ${placeText(caller)} doesn't pass a configuration under that name. The nearest one above is used all the same; Terraform uses none.\n\nTo satisfy this requirement, add an entry for "${name}" to the "providers" argument in the module "${call.name}" block.`;
    return warningDiagnostic("Missing required provider configuration", detail, { subject: call.range });
  });
}

function handedProblems(caller: Module, child: Module, name: string, reference: ProviderReference): Diagnostic[] {
  const subject = reference.range;
  const own = child.providers.get(name);
  if (own && !isProxy(own)) {
    const detail = `The configuration of ${child.path} has its own local configuration for ${name}, and so it cannot accept an overridden configuration provided by ${placeText(caller)}.`;
    return [errorDiagnostic("Cannot override provider configuration", detail, { subject })];
  }
  const [localName = "", alias] = name.split(".");
  const inside = sourceOfLocalName(child, localName);
  const outside = sourceOfLocalName(caller, reference.localName);
  if (providerSourceText(inside) !== providerSourceText(outside)) {
    const detail = `The local name "${reference.localName}" in ${placeText(caller)} represents provider "${providerSourceShort(outside)}", but "${name}" in ${child.path} represents "${providerSourceShort(inside)}". Pass a configuration of the provider that the module means, or correct the source in required_providers.`;
    return [errorDiagnostic("Provider type mismatch", detail, { subject })];
  }
  const requirement = child.requiredProviders.get(localName);
  const known =
    own || (alias === undefined ? requirement : requirement?.configurationAliases.some((a) => a.alias === alias));
  if (known) return [];
  if (alias === undefined) {
    const source = providerSourceShort(inside);
    const detail = `There is no explicit declaration for local provider name "${name}" in ${child.path}, so Terraform is assuming you mean to pass a configuration for "${source}".\n\nIf you also control the child module, add a required_providers entry named "${name}" with the source address "${source}".`;
    return [warningDiagnostic("Reference to undefined provider", detail, { subject })];
  }
  const detail = `The child module does not declare any provider requirement with the local name "${name}".\n\nIf you also control the child module, you can add "${name}" to the configuration_aliases of its required_providers entry "${localName}" to accept this provider configuration.`;
  return [errorDiagnostic("Reference to undefined provider", detail, { subject })];
}

/** A name that nothing in the module declares stands for a provider of that name: that is said, as it may be a slip. */
function guessedProviders(module: Module, { localName, alias, range }: ProviderReference): Diagnostic[] {
  if (alias !== undefined || module.providers.has(localName) || module.requiredProviders.has(localName)) return [];
  const place = placeText(module);
  const source = providerSourceShort(sourceOfLocalName(module, localName));
  const near = similar(localName, [...module.requiredProviders.keys()]);
  const hint = near ? ` Did you mean "${near}"?` : "";
  const detail = `There is no explicit declaration for local provider name "${localName}" in ${place}, so Terraform is assuming you mean to pass a configuration for provider "${source}".${hint}\n\nTo clarify your intent and silence this warning, add to ${place} a required_providers entry named "${localName}" with source = "${source}", or a different source address if appropriate.`;
  return [warningDiagnostic("Reference to undefined provider", detail, { subject: range })];
}

/** Whether a key is given just where a configuration has instances. */
function instanceProblems(module: Module, reference: ProviderReference, who: string): Diagnostic[] {
  const name = providerKeyText(reference);
  const block = module.providers.get(name);
  if (block?.forEach && !reference.key) {
    const keys = [...(block.instances?.keys() ?? [])].map((key) => JSON.stringify(key)).join(", ");
    const detail = `${who} needs one instance of ${name}, which has for_each: name it by its key, such as ${name}[each.key].${keys === "" ? "" : ` The keys are ${keys}.`}`;
    return [problem("Invalid resource provider configuration", detail, reference.range)];
  }
  if (reference.key && !block?.forEach) {
    const detail = `${who} names an instance of ${name}, which ${block ? "has no for_each" : `is not a provider configuration of ${placeText(module)} with for_each`}: leave the key out.`;
    return [problem("Unexpected provider instance key", detail, reference.range)];
  }
  const { alias, localName } = reference;
  const aliases = module.requiredProviders.get(localName)?.configurationAliases ?? [];
  if (alias === undefined || block || aliases.some((known) => known.alias === alias)) return [];
  const near = similar(name, module.providers.keys());
  const hint = near ? ` Did you mean ${near}?` : ` Add a block: provider "${localName}" { alias = "${alias}" }.`;
  const detail = `${who} uses the provider configuration ${name}, which is not declared in ${placeText(module)}.${hint} If objects made by it are still in the state, it is needed to destroy them.`;
  return [problem("Provider configuration not present", detail, reference.range)];
}

function problem(summary: string, detail: string, subject: SourceRange): Diagnostic {
  return errorDiagnostic(summary, detail, { subject });
}

function placeText(module: Module): string {
  return module.path === "" ? "the root module" : module.path;
}
