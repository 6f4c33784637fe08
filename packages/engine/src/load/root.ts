import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import type { Body } from "@millwright/hcl/ast";
import type { Module } from "../configuration.ts";
import type { Files } from "../ports.ts";
import { configNames, type FolderOptions, readFolder } from "./folder.ts";
import { decodeModule, topLevelBlocks } from "./module.ts";
import { applyOverrides } from "./overrides.ts";

/**
 * The root module by itself, where it says something of its state (`backend`, `cloud`, `encryption`); undefined where it
 * does not. Commands that look at nothing but a state do not read the modules below, nor do they mind what is wrong elsewhere:
 * the diagnostics are those of what was read, and only matter where what is wanted cannot be told.
 */
export function readRootSettings(
  files: Files,
  options: FolderOptions & { readonly folder?: string; readonly always?: boolean },
): Diagnosed<Module> | undefined {
  const { folder = "." } = options;
  const names = configNames(files.list(folder) ?? [], options);
  const isAsked =
    options.always ||
    names.some((name) => {
      const bytes = files.read(folder === "." ? name : `${folder}/${name}`);
      return bytes && mark.test(Buffer.from(bytes).toString("latin1"));
    });
  const read = isAsked ? readFolder(files, folder, options) : undefined;
  if (!read) return undefined;
  const diagnostics: Diagnostic[] = [...read.diagnostics];
  const blocksOf = (body: Body) => {
    const { value, diagnostics: found } = topLevelBlocks(body);
    diagnostics.push(...found);
    return value;
  };
  const primary = read.value.primary.flatMap((file) => blocksOf(file.body));
  const overrides = read.value.overrides.flatMap((file) => blocksOf(file.body));
  const merged = applyOverrides(primary, overrides);
  const decoded = decodeModule(merged.value, folder);
  diagnostics.push(...merged.diagnostics, ...decoded.diagnostics);
  return { value: { path: "", names: [], folder, ...decoded.value }, diagnostics };
}

const mark = /\b(backend|cloud|encryption)\b/;
