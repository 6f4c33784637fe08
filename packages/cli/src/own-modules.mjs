// Where the program's own modules are. Of each import Node asks the file system anew: whether the file is there, what it is a
// link to, which package.json rules it. Of our own modules all of that is known, and a command loads hundreds of them.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

/** Makes Node find the modules of our packages of this version without asking; all others are found as ever. */
export function findOwnModules(version) {
  const packages = new URL("../../", import.meta.url).href;
  const find = ownModules(packages, version);
  registerHooks({
    resolve(specifier, context, next) {
      const found = find(specifier, context.parentURL);
      return found ? { ...found, shortCircuit: true } : next(specifier, context);
    },
  });
}

/**
 * Finds modules of the packages that lie side by side in a folder: `packages/` of a checkout, whose modules are TypeScript, or
 * `@millwright/` where npm installed them compiled. Gives a module's URL and format; undefined for what is not ours, or cannot
 * be told without asking.
 */
export function ownModules(packages, version) {
  const [ending, format] = packages.endsWith("/packages/") ? [".ts", "module-typescript"] : [".js", "module"];
  const exportsOf = new Map();
  const isOwn = (url) => url?.startsWith(packages) && !url.includes("/node_modules/", packages.length);
  return (specifier, parent) => {
    if (!isOwn(parent)) return undefined;
    const url = /^\.\.?\//.test(specifier) ? new URL(specifier, parent).href : entryPoint(specifier);
    return url?.endsWith(ending) ? { url, format } : undefined;
  };

  function entryPoint(specifier) {
    const [, name, entry] = /^@millwright\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
    if (name === undefined) return undefined;
    if (!exportsOf.has(name)) exportsOf.set(name, entryPointsOf(name));
    const target = exportsOf.get(name)[`./${entry}`];
    return target && new URL(`${name}/${target.default ?? target}`, packages).href;
  }

  // A package of another version that lies here is somebody else's; ours is then where Node finds it.
  function entryPointsOf(name) {
    const path = new URL(`${name}/package.json`, packages);
    try {
      const manifest = JSON.parse(readFileSync(path, "utf8"));
      return manifest.version === version ? manifest.exports : {};
    } catch (error) {
      if (error.code === "ENOENT") return {};
      throw error;
    }
  }
}
