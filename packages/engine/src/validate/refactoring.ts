import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { resourceText } from "../addresses.ts";
import type { Configuration, Module } from "../configuration.ts";
import type { ImportBlock, RemovedBlock } from "../refactor/blocks.ts";
import { providerOfResource } from "../provider-config.ts";
import type { ProviderPool } from "../provider-pool.ts";
import { noIdentity } from "../refactor/given-identity.ts";
import { duplicate, keyOf } from "../refactor/imports.ts";
import { removedText } from "../refactor/removals.ts";

/** What is wrong with `removed` and `import` blocks and can be told before anything is evaluated. */
export function checkRefactoring(configuration: Configuration): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const module of configuration.modules.values()) {
    for (const block of module.removed) diagnostics.push(...stillThere(configuration, module, block));
    for (const block of module.path === "" ? [] : module.imports) diagnostics.push(notInRoot(block));
  }
  const seen = new Map<string, ImportBlock>();
  for (const block of configuration.root.imports) {
    const { steps, text } = block.to;
    if (steps.some((step) => step.kind === "expression")) continue;
    const key = JSON.stringify([text, steps.map((step) => (step.kind === "key" ? keyOf(step.key) : ""))]);
    const first = seen.get(key);
    if (first) diagnostics.push(duplicate({ block }, first));
    else seen.set(key, block);
  }
  return diagnostics;
}

/** Import blocks that give an identity for a type that has none; what the identity is made of, the plan looks at. */
export function checkImportIdentities(configuration: Configuration, pool: ProviderPool): Diagnostic[] {
  return configuration.root.imports.flatMap((block) => {
    const module = configuration.modules.get(block.to.module);
    const resource = module?.resources.get(resourceText(block.to.resource));
    if (block.by.kind !== "identity" || !module || !resource) return [];
    const { source } = providerOfResource(configuration, module, resource).address;
    const schema = pool.resourceSchema(source, resource.address);
    return schema && !schema.identity ? [noIdentity(block)] : [];
  });
}

function stillThere(configuration: Configuration, module: Module, { from, range }: RemovedBlock): Diagnostic[] {
  const text = removedText(module, from);
  const names = [...module.names, ...from.module.steps.map((step) => step.name)];
  const path = names.map((name) => `module.${name}`);
  if (from.resource) {
    const resource = configuration.modules.get(path.join("."))?.resources.get(resourceText(from.resource));
    if (!resource) return [];
    const detail = `This statement declares that ${text} was removed, but it is still declared in configuration. Remove the resource block, or the "removed" block at ${range.filename}:${range.start.line}.`;
    return [errorDiagnostic("Removed resource still exists", detail, { subject: resource.range })];
  }
  const call = configuration.modules.get(path.slice(0, -1).join("."))?.calls.get(names.at(-1)!);
  if (!call) return [];
  const detail = `This statement declares that ${text} was removed, but it is still declared in configuration. Remove the module block, or the "removed" block at ${range.filename}:${range.start.line}.`;
  return [errorDiagnostic("Removed module still exists", detail, { subject: call.range })];
}

function notInRoot({ range }: ImportBlock): Diagnostic {
  const detail = `An import block was detected in a module that is called. Import blocks are only allowed in the root module: move it there, with the module's address in front of its own.`;
  return errorDiagnostic("Invalid import configuration", detail, { subject: range });
}
