import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Block } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseFile } from "@millwright/hcl/parse";
import { emptyScope } from "@millwright/hcl/scope";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import { quoteHcl } from "@millwright/text/quote";
import { parseVersion } from "@millwright/text/versions";
import { constraintsText, parseProviderConstraints } from "./provider-constraints.ts";
import {
  parseProviderSource,
  type ProviderSource,
  providerSourceShort,
  providerSourceText,
} from "./provider-source.ts";

/** Where Terraform and OpenTofu note which version of each provider a folder uses. */
export const lockFileName = ".terraform.lock.hcl";

/** What a lock file says of one provider. */
export interface LockedProvider {
  readonly source: ProviderSource;
  readonly version: string;
  /** What was asked for when the version was chosen, as {@link constraintsText} prints it; empty where nothing was. */
  readonly constraints: string;
  /** `h1:…` and `zh:…` of the packages that may be installed, of whichever platforms. */
  readonly hashes: readonly string[];
  /** Where it stands in the file that it was read from. */
  readonly range?: SourceRange;
}

/** The providers of a lock file, by `providerSourceText`. */
export type Locks = ReadonlyMap<string, LockedProvider>;

/** Reads a lock file. An entry that cannot be read is told, and left out. */
export function parseLockFile(bytes: Uint8Array): Diagnosed<Locks> {
  const { value: body, diagnostics } = parseFile(sourceFile(lockFileName, bytes));
  const found: Diagnostic[] = [...diagnostics];
  const locks = new Map<string, LockedProvider>();
  for (const block of body.blocks) {
    const text = block.labels[0] ?? "";
    const source = block.type === "provider" && text.split("/").length === 3 ? parseProviderSource(text) : undefined;
    const subject = rangeOf(block.header);
    if (!source) {
      const detail = `A lock file holds only blocks such as provider "registry.terraform.io/hashicorp/consul" { … }.`;
      found.push(errorDiagnostic("Invalid provider lock file", detail, { subject }));
    } else if (locks.has(providerSourceText(source))) {
      const detail = `There are two entries of ${providerSourceText(source)}. Remove one, or run init with the version that is meant.`;
      found.push(errorDiagnostic("Duplicate provider lock", detail, { subject }));
    } else {
      const lock = readEntry(source, block, found);
      if (lock) locks.set(providerSourceText(source), lock);
    }
  }
  return { value: locks, diagnostics: found };
}

/** A lock file's text: the providers in the order of their addresses, the hashes in that of their letters. */
export function lockFileText(locks: Locks): string {
  const blocks = [...locks]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([text, lock]) => `\nprovider ${quoteHcl(text)} {\n${attributesOf(lock)}}\n`);
  return `# This file is maintained automatically by "terraform init".\n# Manual edits may be lost in future updates.\n${blocks.join("")}`;
}

/** Whether two sets of locks say the same, whatever order it was written in. */
export function sameLocks(a: Locks, b: Locks): boolean {
  return lockFileText(a) === lockFileText(b);
}

function attributesOf({ version, constraints, hashes }: LockedProvider): string {
  const list = [...new Set(hashes)].sort().map((hash) => `    ${quoteHcl(hash)},\n`);
  // Names are aligned as `fmt` aligns them: up to the list, which takes several lines.
  const versionLine =
    constraints === "" ? `  version = ${quoteHcl(version)}\n` : `  version     = ${quoteHcl(version)}\n`;
  const constraintsLine = constraints === "" ? "" : `  constraints = ${quoteHcl(constraints)}\n`;
  return `${versionLine}${constraintsLine}${list.length === 0 ? "" : `  hashes = [\n${list.join("")}  ]\n`}`;
}

function readEntry(source: ProviderSource, block: Block, found: Diagnostic[]): LockedProvider | undefined {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: ["version", "constraints", "hashes"].map((name) => ({ name, required: name === "version" })),
    blocks: [],
  });
  found.push(...diagnostics);
  const read = (name: string) => {
    const attribute = content.attributes.get(name);
    return attribute && { data: evaluate(attribute.expression, emptyScope).value.data, at: attribute };
  };
  const version = read("version");
  if (typeof version?.data !== "string" || !parseVersion(version.data)) {
    const detail = `The entry of ${providerSourceShort(source)} has no version that can be read.`;
    found.push(errorDiagnostic("Invalid provider version number", detail, { subject: rangeOf(block.header) }));
    return undefined;
  }
  const range = rangeOf(version.at.expression);
  const constraints = read("constraints");
  const parsed = typeof constraints?.data === "string" ? parseProviderConstraints(constraints.data) : [];
  if (!parsed) {
    const detail = `The entry of ${providerSourceShort(source)} has version constraints that cannot be read.`;
    const subject = rangeOf(constraints!.at.expression);
    found.push(errorDiagnostic("Invalid provider version constraints", detail, { subject }));
  }
  const hashes = textsOf(read("hashes")?.data);
  return { source, version: version.data, constraints: constraintsText(parsed ?? []), hashes, range };
}

function textsOf(data: unknown): string[] {
  if (!Array.isArray(data)) return [];
  return data.flatMap((element: unknown) => {
    const isValue = typeof element === "object" && element !== null && "data" in element;
    return isValue && typeof element.data === "string" ? [element.data] : [];
  });
}
