import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import type { Body } from "@millwright/hcl/ast";
import { parseFile } from "@millwright/hcl/parse";
import { parseJsonFile } from "@millwright/hcl/parse-json";
import type { SourceFile } from "@millwright/hcl/source-file";
import { sourceFile } from "@millwright/hcl/source-file";
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
