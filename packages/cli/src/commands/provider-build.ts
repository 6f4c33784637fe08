import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { bundleProgram } from "millwright/provider-bundle";
import { loadProviderFile } from "millwright/provider-file";
import { sourceOf } from "millwright/provider-source";

export interface BuildOptions {
  readonly file: string;
  /** The folder of the mirror. */
  readonly out: string;
  /** `linux_amd64`; this machine's where none is named. */
  readonly platforms: readonly string[];
}

export interface BuiltProvider {
  /** `registry.terraform.io/hashicorp/notes`. */
  readonly source: string;
  /** The script to start, for each platform. */
  readonly programs: readonly string[];
}

/**
 * Makes a provider's program in the layout of a filesystem mirror, unpacked: a script to start, and its program beside it.
 */
export async function buildProvider(options: BuildOptions): Promise<Diagnosed<BuiltProvider | undefined>> {
  const { file, out } = options;
  const platforms = options.platforms.length > 0 ? options.platforms : [platformHere()];
  const unknown = platforms.filter((platform) => !/^[a-z]+_[a-z0-9]+$/.test(platform));
  if (unknown.length > 0) return failed("No such platform", `${unknown.join(", ")}: write linux_amd64, for example.`);
  const loaded = await loadProviderFile(file);
  if (!loaded.value || hasErrors(loaded.diagnostics)) return { value: undefined, diagnostics: loaded.diagnostics };
  const { name, version } = loaded.value;
  const source = sourceOf(loaded.value);
  if (source.split("/").at(-1) !== name)
    return failed("Provider has two names", `Its source is ${source}, and its name ${name}: make them end alike.`);
  const program = await bundleProgram(file, fileURLToPath(import.meta.resolve("millwright/provider-process")));
  if (program.value === undefined) return { value: undefined, diagnostics: program.diagnostics };
  const programs: string[] = [];
  for (const platform of platforms) {
    const folder = join(out, ...source.split("/"), version, platform);
    mkdirSync(folder, { recursive: true });
    const start = join(folder, `terraform-provider-${name}_v${version}`);
    writeFileSync(join(folder, "provider.mjs"), program.value);
    writeFileSync(start, startScript());
    chmodSync(start, 0o755);
    programs.push(start);
  }
  return { value: { source, programs }, diagnostics: [] };
}

/** The Node that makes it is taken where it is still there, and otherwise one on the PATH. */
function startScript(): string {
  return `#!/bin/sh
here=$(dirname "$0")
NODE_COMPILE_CACHE=\${NODE_COMPILE_CACHE-\${XDG_CACHE_HOME:-\${HOME:-/tmp}/.cache}/millwright/compiled}
export NODE_COMPILE_CACHE
node=${quoted(process.execPath)}
[ -x "$node" ] || node=node
exec "$node" "$here/provider.mjs" "$@"
`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

function platformHere(): string {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  return `${process.platform}_${arch}`;
}

function failed(summary: string, detail: string): Diagnosed<undefined> {
  return { value: undefined, diagnostics: [errorDiagnostic(summary, detail)] };
}
