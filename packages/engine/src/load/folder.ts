import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Body } from "@millwright/hcl/ast";
import { parseFile } from "@millwright/hcl/parse";
import { parseJsonFile } from "@millwright/hcl/parse-json";
import type { SourceFile } from "@millwright/hcl/source-file";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import type { Files } from "../ports.ts";

/** One configuration file of a folder, read as a tree. */
export interface ConfigFile {
  readonly file: SourceFile;
  readonly body: Body;
}

export interface FolderFiles {
  readonly primary: readonly ConfigFile[];
  /** `override.tf`, `*_override.tf` and their JSON forms, in the order in which they are laid over the others. */
  readonly overrides: readonly ConfigFile[];
}

/** Which files a folder's configuration is: Terraform's, and OpenTofu's own endings where wanted. */
export interface FolderOptions {
  readonly tofuFiles: boolean;
}

/** Reads all configuration files of a folder; undefined where there is no such folder. */
export function readFolder(files: Files, folder: string, options: FolderOptions): Diagnosed<FolderFiles> | undefined {
  const names = files.list(folder === "" ? "." : folder);
  if (!names) return undefined;
  const diagnostics: Diagnostic[] = [];
  const primary: ConfigFile[] = [];
  const overrides: ConfigFile[] = [];
  for (const name of configNames(names, options)) {
    const path = folder === "" || folder === "." ? name : `${folder}/${name}`;
    const bytes = files.read(path);
    if (!bytes) continue;
    const file = sourceFile(path, bytes);
    const parsed = name.endsWith(".json") ? parseJsonFile(file) : parseFile(file);
    diagnostics.push(...parsed.diagnostics);
    const base = name.replace(/\.(tf|tofu)(\.json)?$/, "");
    (base === "override" || base.endsWith("_override") ? overrides : primary).push({ file, body: parsed.value });
  }
  return { value: { primary, overrides }, diagnostics };
}

/** The configuration files among a folder's names; an editor's leavings are not. A `.tofu` file hides its `.tf` twin. */
export function configNames(names: readonly string[], { tofuFiles }: FolderOptions): string[] {
  const ending = tofuFiles ? /\.(tf|tofu)(\.json)?$/ : /\.tf(\.json)?$/;
  const ours = names.filter(
    (name) => ending.test(name) && !name.startsWith(".") && !name.endsWith("~") && !/^#.*#$/.test(name),
  );
  const all = new Set(ours);
  return ours.filter((name) => !/\.tf(\.json)?$/.test(name) || !all.has(name.replace(/\.tf(\.json)?$/, ".tofu$1")));
}

/**
 * Lays override files over the others, block by block: an argument replaces the one of that name, nested blocks replace all
 * of their type. What has nothing to be laid over is an error, except in `locals` and `terraform`.
 */
export function applyOverrides(primary: readonly Block[], overrides: readonly Block[]): Diagnosed<readonly Block[]> {
  const diagnostics: Diagnostic[] = [];
  const merged = [...primary];
  for (const block of overrides) {
    const at = merged.findIndex((other) => overrides !== merged && matches(other, block));
    if (at >= 0) merged[at] = lay(merged[at]!, block);
    else if (block.type === "locals" || block.type === "terraform") merged.push(block);
    else {
      diagnostics.push(
        errorDiagnostic(
          `Missing base ${block.type} to override`,
          `There is no ${describe(block)} block to override with this one. An override file can only change what another file declares.`,
          { subject: rangeOf(block.header) },
        ),
      );
    }
  }
  return { value: merged, diagnostics };
}

function matches(base: Block, override: Block): boolean {
  if (base.type !== override.type || base.labels.join("\0") !== override.labels.join("\0")) return false;
  if (base.type === "locals")
    return [...override.body.attributes.keys()].some((name) => base.body.attributes.has(name));
  if (base.type !== "provider") return true;
  const alias = (block: Block) => aliasText(block.body.attributes.get("alias"));
  return alias(base) === alias(override);
}

function aliasText(attribute: Attribute | undefined): string {
  return attribute ? attribute.expression.file.text.slice(attribute.expression.start, attribute.expression.end) : "";
}

function lay(base: Block, override: Block): Block {
  return { ...base, body: layBody(base.body, override.body, base.type) };
}

function layBody(base: Body, override: Body, type: string): Body {
  const attributes = new Map(base.attributes);
  for (const [name, attribute] of override.attributes) attributes.set(name, attribute);
  const replaced = new Set(override.blocks.map((block) => (block.type === "dynamic" ? block.labels[0]! : block.type)));
  const inner =
    type === "terraform" || type === "resource" || type === "data" ? mergeSpecial(base, override, replaced) : undefined;
  const kept = base.blocks.filter((block) => !replaced.has(block.type === "dynamic" ? block.labels[0]! : block.type));
  return { ...base, attributes, blocks: inner ?? [...kept, ...override.blocks] };
}

// `lifecycle` and `required_providers` are laid over argument by argument, other nested blocks as a whole.
function mergeSpecial(base: Body, override: Body, replaced: ReadonlySet<string>): readonly Block[] {
  const special = new Set(["lifecycle", "required_providers"]);
  const merged = base.blocks
    .filter((block) => special.has(block.type) || !replaced.has(block.type))
    .map((block) => {
      const over = special.has(block.type) && override.blocks.find((other) => other.type === block.type);
      return over ? lay(block, over) : block;
    });
  const known = new Set(merged.map((block) => block.type));
  return [...merged, ...override.blocks.filter((block) => !special.has(block.type) || !known.has(block.type))];
}

function describe(block: Block): string {
  return [block.type, ...block.labels.map((label) => JSON.stringify(label))].join(" ");
}
