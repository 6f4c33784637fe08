import { errorDiagnostic } from "@millwright/core/diagnostics";
import { sourceError } from "@millwright/sources/errors";
import { fetchModulePackage } from "@millwright/sources/fetch-module";
import { ModuleRegistry } from "@millwright/sources/module-registry";
import {
  moduleSourceText,
  type ModuleSource,
  parseModuleSource,
  type RemoteSource,
  shownSource,
} from "@millwright/sources/module-source";
import { unfinishedFor } from "@millwright/sources/unfinished";
import { existsSync, readdirSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Session } from "../terraform/session.ts";
import type { InitOutput } from "./init-output.ts";
import { sourceSettings } from "./source-settings.ts";

/** Copies a module into the session's folder, which must be empty, as `-from-module` asks. False where it cannot be. */
export async function copyModule(session: Session, text: string, output: InitOutput): Promise<boolean> {
  const fail = async (summary: string, detail: string) => session.report([errorDiagnostic(summary, detail)]);
  if (readdirSync(session.folder).some((name) => name !== ".terraform"))
    return fail(
      "The working directory already contains files",
      "The flag -from-module copies a module into an empty folder. To initialize the configuration that is here already, leave the flag out.",
    );
  const source = parseModuleSource(text);
  if (source.kind === "bad")
    return fail("Invalid module source address", `"${shownSource(text)}" cannot be fetched: ${source.reason}.`);
  const shown = shownSource(moduleSourceText(source));
  await output.line(`Copying configuration from "${shown}"...`);
  const { data, http } = sourceSettings(session);
  let temporary: string | undefined;
  try {
    temporary = await unfinishedFor(join(data, "modules", "from-module"));
    const from = await locationOf(session, source);
    const meant = typeof from === "string" ? from : await fetchModulePackage(from, join(temporary, "package"), http);
    if (!existsSync(meant)) return fail("Failed to download module", `There is no folder ${shown}.`);
    const isHistory = (path: string) => path === join(meant, ".git") || path === join(meant, ".hg");
    await cp(meant, session.folder, { recursive: true, verbatimSymlinks: true, filter: (path) => !isHistory(path) });
    return true;
  } catch (error) {
    return fail("Failed to download module", `Could not download ${shown}: ${sourceError(error).message}`);
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

// A folder on this machine, or what is to be fetched.
async function locationOf(session: Session, source: ModuleSource): Promise<string | RemoteSource> {
  switch (source.kind) {
    case "local":
      return session.path(source.path);
    case "remote":
      return source;
    case "registry": {
      const registry = new ModuleRegistry(sourceSettings(session).discovery);
      const location = await registry.location(source, await registry.newest(source, []));
      const subfolder = [location.subfolder, source.subfolder].filter((part) => part !== "").join("/");
      return { ...location, subfolder };
    }
  }
}
