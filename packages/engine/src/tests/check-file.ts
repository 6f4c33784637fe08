import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import { providerSourceText } from "../addresses.ts";
import type { Configuration } from "../configuration.ts";
import { sourceOfLocalName } from "../provider-config.ts";
import { withoutConditions } from "./expected-failures.ts";
import type { TestFile, TestRun } from "./test-file.ts";

/**
 * What is wrong with a test file that was read, as far as that is seen without running it. `configurationOf` gives what a run
 * tests; undefined where that could not be read.
 */
export function checkTestFile(file: TestFile, configurationOf: ConfigurationOf): Diagnostic[] {
  return [...mismatchedProviders(file, configurationOf), ...file.runs.flatMap(withoutConditions)];
}

type ConfigurationOf = (run: TestRun) => Configuration | undefined;

/** Provider blocks of a test file that its runs take for different providers: nothing of the file can be run then. */
export function mismatchedProviders(file: TestFile, configurationOf: ConfigurationOf): Diagnostic[] {
  const known = new Map<string, string>();
  return file.runs.flatMap((run) => {
    const configuration = configurationOf(run);
    return configuration ? mismatches(file, run, configuration, known) : [];
  });
}

/** What a run takes a provider of the file for, where that was another for an earlier run; `known` grows by what is new. */
function mismatches(file: TestFile, run: TestRun, { root }: Configuration, known: Map<string, string>): Diagnostic[] {
  const use = (text: string, localName: string, wanted: string, subject: SourceRange): Diagnostic[] => {
    const now = providerSourceText(sourceOfLocalName(root, wanted));
    const before = known.get(localName) ?? now;
    known.set(localName, before);
    if (before === now) return [];
    const tested = run.module ? `the module ${run.module.source}` : "the root module";
    const detail = `The provider "${text}" in ${file.path} represents provider "${before}", but "${wanted}" in ${tested} represents "${now}". All runs of a file take a provider of its for the same one: give one of them another name, and hand it over by "providers".`;
    return [errorDiagnostic("Provider type mismatch", detail, { subject })];
  };
  if (run.providers.size > 0)
    return [...run.providers].flatMap(([name, { localName, range }]) =>
      use(localName, localName, name.split(".")[0]!, range),
    );
  const named = new Set([
    ...root.requiredProviders.keys(),
    ...[...root.providers.values()].map((own) => own.localName),
  ]);
  return [...file.providers].flatMap(([name, provider]) => {
    const { localName, range } = provider.kind === "real" ? provider.block : provider.mock;
    return named.has(localName) ? use(name, localName, localName, range) : [];
  });
}
