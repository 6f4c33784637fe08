import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Body } from "@millwright/hcl/ast";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import type { Configuration, Module, ProviderBlock } from "../configuration.ts";
import { expandForEach } from "../plan/expand.ts";
import { providerOfResource, resolveProvider } from "../provider-config.ts";
import type { MockProvider, TestFile, TestProvider, TestRun } from "./test-file.ts";
import { evaluateInTest, settledBody, type TestScope } from "./values.ts";

/** A configuration as a run has it: with the providers of the file, of which some are mocked. */
export interface ConfigurationUnderTest {
  readonly configuration: Configuration;
  /** By address of the provider's configuration. */
  readonly mocks: ReadonlyMap<string, MockProvider>;
}

/** Puts the providers of a test file, or those of them that the run names, over the ones of the configuration. */
export function configurationUnderTest(
  configuration: Configuration,
  file: TestFile,
  run: TestRun,
  scope: TestScope,
): Diagnosed<ConfigurationUnderTest> {
  const diagnostics: Diagnostic[] = [];
  const given = providersOf(file, run, diagnostics);
  const root = withBlocks(
    configuration.root,
    [...given].map(([name, provider]) => [name, blockOf(provider)]),
    run,
  );
  const replaced = withRoot(configuration, root);
  const mocks = new Map<string, MockProvider>();
  for (const [name, provider] of given) {
    if (provider.kind !== "mock") continue;
    const [localName = "", alias] = name.split(".");
    mocks.set(resolveProvider(replaced, root, localName, alias).address.text, provider.mock);
  }
  // What a provider of the file is configured with may come from earlier runs: it is looked at only where it is used.
  const used = usedProviders(replaced);
  const settled = [...given].flatMap(([name, provider]): [string, ProviderBlock][] => {
    const [localName = "", alias] = name.split(".");
    const isUsed = used.has(resolveProvider(replaced, root, localName, alias).address.text);
    if (provider.kind === "mock") return [[name, withInstances(blockOf(provider), provider.mock, scope, diagnostics)]];
    if (!isUsed) return [[name, blockOf(provider, true)]];
    const body = settledBody(provider.block.body, scope);
    diagnostics.push(...body.diagnostics);
    return [[name, { ...provider.block, ...namesOf(name), body: body.value }]];
  });
  return {
    value: { configuration: withRoot(configuration, withBlocks(configuration.root, settled, run)), mocks },
    diagnostics,
  };
}

// The keys of a mocked provider may come from the file's variables, so they are known only now.
function withInstances(
  block: ProviderBlock,
  { forEach }: MockProvider,
  scope: TestScope,
  diagnostics: Diagnostic[],
): ProviderBlock {
  if (!forEach) return block;
  const { value, diagnostics: found } = evaluateInTest(forEach, scope);
  diagnostics.push(...found);
  if (hasErrors(found)) return block;
  const expansion = expandForEach(value, false);
  if (typeof expansion !== "string")
    return { ...block, forEach, ...(expansion.kind === "forEach" ? { instances: expansion.values } : {}) };
  diagnostics.push(errorDiagnostic("Invalid for_each argument", expansion, { subject: rangeOf(forEach) }));
  return block;
}

function namesOf(name: string): Pick<ProviderBlock, "localName" | "alias"> {
  const [localName = "", alias] = name.split(".");
  return alias === undefined ? { localName } : { localName, alias };
}

function providersOf(file: TestFile, run: TestRun, diagnostics: Diagnostic[]): ReadonlyMap<string, TestProvider> {
  if (run.providers.size === 0) return file.providers;
  const result = new Map<string, TestProvider>();
  for (const [name, { localName, alias, range }] of run.providers) {
    const wanted = alias === undefined ? localName : `${localName}.${alias}`;
    const provider = file.providers.get(wanted);
    if (provider) result.set(name, provider);
    else {
      const detail = `This provider block references a provider definition that does not exist. Write a provider or mock_provider block for ${wanted} into ${file.path}.`;
      diagnostics.push(errorDiagnostic(`Missing provider definition for ${wanted}`, detail, { subject: range }));
    }
  }
  return result;
}

function withBlocks(root: Module, blocks: readonly (readonly [string, ProviderBlock])[], run: TestRun): Module {
  const own = run.providers.size === 0 ? root.providers : new Map<string, ProviderBlock>();
  const named = blocks.map(([name, block]) => [name, { ...block, ...namesOf(name) }] as const);
  return { ...root, providers: new Map([...own, ...named]) };
}

// A mocked provider's block says nothing about how it is configured.
function blockOf(provider: TestProvider, empty = false): ProviderBlock {
  if (provider.kind === "real" && !empty) return provider.block;
  if (provider.kind === "real") return { ...provider.block, body: emptyBody(provider.block.range.filename) };
  const { localName, alias, range } = provider.mock;
  const block = { localName, body: emptyBody(range.filename), range };
  return alias === undefined ? block : { ...block, alias };
}

function emptyBody(name: string): Body {
  const place = { file: sourceFile(name, ""), start: 0, end: 0 };
  return { ...place, attributes: new Map(), blocks: [], missingItem: place };
}

function withRoot(configuration: Configuration, root: Module): Configuration {
  return { ...configuration, root, modules: new Map([...configuration.modules, ["", root]]) };
}

function usedProviders(configuration: Configuration): ReadonlySet<string> {
  const used = new Set<string>();
  for (const module of configuration.modules.values())
    for (const resource of module.resources.values())
      used.add(providerOfResource(configuration, module, resource).address.text);
  return used;
}
