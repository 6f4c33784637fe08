import { type InstalledAnswer, installedFor } from "@millwright/sources/installed-for";
import { type ModuleManifest, parseManifest } from "@millwright/sources/module-manifest";
import type { Files } from "../ports.ts";
import { type ModuleResolver, notInstalled, type ResolvedModule } from "./module-resolver.ts";

/** Where init notes what it has installed, relative to the root folder. */
export const moduleManifestName = ".terraform/modules/modules.json";

/** Finds modules where init has put them. A folder without such modules needs no init. */
export function installedModules(files: Files): ModuleResolver {
  const bytes = files.read(moduleManifestName);
  const manifest: ModuleManifest = bytes ? parseManifest(moduleManifestName, bytes) : new Map();
  return ({ source, version }, names) => {
    const call = { key: names.join("."), source, ...(version === undefined ? {} : { version }) };
    return resolved(installedFor(call, manifest));
  };
}

function resolved(answer: InstalledAnswer): ResolvedModule {
  const advice = 'Run "init" to install all modules required by this configuration.';
  switch (answer.kind) {
    case "installed":
      return { kind: "folder", folder: answer.module.folder };
    case "missing":
      return notInstalled;
    case "other-source": {
      const detail = `The source address was changed since this module was installed. ${advice}`;
      return { kind: "refused", summary: "Module source has changed", detail };
    }
    case "other-version": {
      const detail = `The version requirements have changed since this module was installed, and the installed version (${answer.version}) is no longer acceptable. ${advice}`;
      return { kind: "refused", summary: "Module version requirements have changed", detail };
    }
  }
}
