import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import { parseFile } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import type { Schema } from "@millwright/provider/schema";
import type { ProviderConfigAddress } from "../addresses.ts";
import { resourceText } from "../addresses.ts";
import type { Configuration, ProviderReference } from "../configuration.ts";
import type { EvaluatorContext } from "../evaluator.ts";
import { Evaluator } from "../evaluator.ts";
import { configureProvider } from "../import.ts";
import { Constants } from "../load/constants.ts";
import { decodeResource } from "../load/resource.ts";
import { identityText } from "../identity.ts";
import { markSensitive } from "../objects.ts";
import { sourcesOf } from "../provider-sources.ts";
import { providerOfResource } from "../provider-config.ts";
import type { ProviderPool } from "../provider-pool.ts";
import { readExisting } from "../read-existing.ts";
import type { ImportBlock } from "../refactor/blocks.ts";
import { ImportTargets, type ImportTargetInstance } from "../refactor/imports.ts";
import type { State } from "../state.ts";
import { resourceConfig } from "./resource-config.ts";

/** The configuration that was written for one object to be imported. */
export interface ImportedConfig {
  /** The instance's whole address. */
  readonly address: string;
  /** What the provider knows the object by: the id in quotes, or the identity as JSON. */
  readonly from: string;
  /** A `resource` block, formatted. */
  readonly text: string;
}

/**
 * Writes configuration for what `import` blocks name and nothing declares: single resources of the root module. The objects
 * are read for it; nothing is changed. What cannot be written is left out, and a plan then says why.
 */
export async function importedConfigs(
  context: EvaluatorContext,
  state: State,
  pool: ProviderPool,
): Promise<Diagnosed<readonly ImportedConfig[]>> {
  const { configuration: given } = context;
  const blocks = given.root.imports.filter((block) => isWritable(given, block));
  const configuration = withPlaceholders(given, blocks);
  const placed: EvaluatorContext = { ...context, configuration };
  const diagnostics: Diagnostic[] = [...(await pool.load(sourcesOf(configuration, state)))];
  const configs: ImportedConfig[] = [];
  const targets = new ImportTargets(configuration, new Evaluator(placed));
  for (const block of hasErrors(diagnostics) ? [] : blocks) {
    const schema = schemaOf(placed, pool, block);
    if (!schema) {
      const detail = `The provider has no resource type "${block.to.resource.type}".`;
      diagnostics.push(errorDiagnostic("Invalid resource type", detail, { subject: block.to.range }));
      continue;
    }
    const { value, diagnostics: found } = targets.evaluate(block, schema);
    diagnostics.push(...found);
    for (const target of value) {
      const one = await configOf(placed, pool, schema, target);
      diagnostics.push(...one.diagnostics);
      if (one.value) configs.push(one.value);
    }
  }
  return { value: configs, diagnostics };
}

function providerFor({ configuration }: EvaluatorContext, { to }: ImportBlock): ProviderConfigAddress {
  const resource = configuration.root.resources.get(to.text);
  invariant(resource, `${to.text} has a place in the configuration`);
  return providerOfResource(configuration, configuration.root, resource).address;
}

function schemaOf(context: EvaluatorContext, pool: ProviderPool, block: ImportBlock): Schema | undefined {
  return pool.resourceSchema(providerFor(context, block).source, block.to.resource);
}

async function configOf(
  context: EvaluatorContext,
  pool: ProviderPool,
  schema: Schema,
  { address, by, block }: ImportTargetInstance,
): Promise<Diagnosed<ImportedConfig | undefined>> {
  const diagnostics: Diagnostic[] = [];
  const provider = providerFor(context, block);
  const ready = pool.isConfigured(provider) || (await configureProvider(context, pool, provider.text, diagnostics));
  if (!ready) return { value: undefined, diagnostics };
  const read = await readExisting(pool.configured(provider), address, schema, by);
  diagnostics.push(...read.diagnostics);
  if (!read.value) return { value: undefined, diagnostics };
  const object = markSensitive(read.value.newState, schema.block);
  const text = resourceConfig(address.resource, object, schema.block, referenceText(block.provider));
  return {
    value: { address: address.text, from: by.identity ? identityText(by.identity) : JSON.stringify(by.id), text },
    diagnostics,
  };
}

// Empty blocks for what is to be written, so that it has a provider like every other resource.
function withPlaceholders(configuration: Configuration, blocks: readonly ImportBlock[]): Configuration {
  const resources = new Map(configuration.root.resources);
  for (const { to, provider, range } of blocks) {
    const { type, name } = to.resource;
    const text = `resource ${JSON.stringify(type)} ${JSON.stringify(name)} {}\n`;
    const { value: body } = parseFile(sourceFile(range.filename, text));
    const resource = decodeResource(body.blocks[0]!, new Constants([]));
    resources.set(to.text, { ...resource, ...(provider ? { provider } : {}) });
  }
  const root = { ...configuration.root, resources };
  return { root, modules: new Map([...configuration.modules, ["", root]]) };
}

function isWritable(configuration: Configuration, { to, forEach }: ImportBlock): boolean {
  if (to.module !== "" || forEach || to.steps.some((step) => step.kind !== "name")) return false;
  return !configuration.root.resources.has(resourceText(to.resource));
}

function referenceText(reference: ProviderReference | undefined): string | undefined {
  if (!reference) return undefined;
  return reference.alias === undefined ? reference.localName : `${reference.localName}.${reference.alias}`;
}
