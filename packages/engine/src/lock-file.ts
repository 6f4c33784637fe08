import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import { contentOf } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseFile } from "@millwright/hcl/parse";
import { emptyScope } from "@millwright/hcl/scope";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { parseProviderSource, type ProviderSource, providerSourceShort, providerSourceText } from "./addresses.ts";
import type { Files, ProviderRegistry } from "./ports.ts";

/** Where Terraform and OpenTofu note which version of each provider a folder uses. */
export const lockFileName = ".terraform.lock.hcl";

export interface LockedProvider {
  readonly source: ProviderSource;
  readonly version: string;
  readonly range: SourceRange;
}

/** The provider versions that a folder's lock file pins; none where it has no such file. */
export function readLockFile(files: Files): Diagnosed<readonly LockedProvider[]> {
  const bytes = files.read(lockFileName);
  if (!bytes) return { value: [], diagnostics: [] };
  const { value: body, diagnostics } = parseFile(sourceFile(lockFileName, bytes));
  const found: Diagnostic[] = [...diagnostics];
  const providers: LockedProvider[] = [];
  for (const block of body.blocks) {
    const source = block.type === "provider" ? parseProviderSource(block.labels[0] ?? "") : undefined;
    if (!source) {
      const detail = `A lock file holds only blocks such as provider "registry.terraform.io/hashicorp/consul" { … }.`;
      found.push(errorDiagnostic("Invalid provider lock file", detail, { subject: rangeOf(block.header) }));
      continue;
    }
    const { value: content } = contentOf(block.body, {
      attributes: ["version", "constraints", "hashes"].map((name) => ({ name, required: name === "version" })),
      blocks: [],
    });
    const version = content.attributes.get("version");
    const text = version && evaluate(version.expression, emptyScope).value.data;
    if (version && typeof text === "string") {
      providers.push({ source, version: text, range: rangeOf(version.expression) });
    } else {
      const detail = `The entry of ${providerSourceShort(source)} has no version that can be read.`;
      found.push(errorDiagnostic("Invalid provider lock file", detail, { subject: rangeOf(block.header) }));
    }
  }
  return { value: providers, diagnostics: found };
}

/**
 * Locked versions that nothing here serves. A locked version wins over the built-in one: to serve another would be to use
 * what the folder's owner has not chosen.
 */
export function unservedLocks(locked: readonly LockedProvider[], registry: ProviderRegistry): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const { source, version, range } of locked) {
    const offer = registry.find(source);
    if (!offer || offer.version === version) continue;
    const detail = `The lock file pins ${providerSourceText(source)} to version ${version}, and the one that is built in serves version ${offer.version}. A locked version holds over the built-in one, and other versions cannot be run by this version of Millwright. To use the built-in one, set the version in ${lockFileName} to ${offer.version}, or remove the block.`;
    diagnostics.push(errorDiagnostic("Locked provider version is not available", detail, { subject: range }));
  }
  return diagnostics;
}

/** The versions of a provider that are installed as binaries in a folder, as Terraform's init puts them there. */
export function installedVersions(files: Files, source: ProviderSource): readonly string[] {
  return files.list(`.terraform/providers/${providerSourceText(source)}`) ?? [];
}

/**
 * Providers of which a binary is installed in the folder, and none of the version that is served here. An installed one holds
 * over the built-in one as a locked version does; of the same version, the built-in one stands for it.
 */
export function unservedInstalls(files: Files, registry: ProviderRegistry): Diagnostic[] {
  return registry.known().flatMap((source) => {
    const offer = registry.find(source);
    const installed = installedVersions(files, source);
    if (!offer || installed.length === 0 || installed.includes(offer.version)) return [];
    const folder = `.terraform/providers/${providerSourceText(source)}`;
    const detail = `The folder ${folder} has version ${installed.join(", ")}, and the one that is built in serves version ${offer.version}. An installed provider holds over the built-in one, and binaries cannot be run by this version of Millwright. To use the built-in one, remove that folder.`;
    return [errorDiagnostic("Installed provider cannot be run", detail)];
  });
}
