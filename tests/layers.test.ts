import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./support/commands.ts";
import { type Import, type SourceModule, sourceModules } from "./support/modules.ts";
import { type Manifest, readManifest, type WorkspacePackage, workspacePackages } from "./support/packages.ts";

/* What ARCHITECTURE.md says of packages and layers. Every rule holds for every module; there is no list of exemptions. */

const packages = workspacePackages();
const byName = new Map(packages.map((one) => [one.manifest.name, one]));
const rootManifest = readManifest(".");
const modules = sourceModules();

/** The package that a module belongs to; none for the repository's own tests, scripts and benches. */
function packageOf(path: string): WorkspacePackage | undefined {
  return packages.find(({ folder }) => path.startsWith(`${folder}/`));
}

/** Whether a module is there for tests alone: it may use what only the repository needs. */
function isForTests(path: string): boolean {
  return !/^packages\/[^/]+\/src\//.test(path) || /\.test\.ts$/.test(path);
}

function modulesOf({ folder }: WorkspacePackage): readonly SourceModule[] {
  return modules.filter(({ path }) => path.startsWith(`${folder}/`));
}

/** `@a/b/c/d` is the entry point `./c/d` of the package `@a/b`. */
function splitSpecifier(specifier: string): { readonly name: string; readonly entry: string } {
  const parts = specifier.split("/");
  const length = specifier.startsWith("@") ? 2 : 1;
  return {
    name: parts.slice(0, length).join("/"),
    entry: [".", ...parts.slice(length)].join("/"),
  };
}

/** Says what is wrong, by the place of each import that is. */
function faults(rule: (one: Import, module: SourceModule) => string | undefined): readonly string[] {
  return modules.flatMap((module) =>
    module.imports.flatMap((one) => {
      const fault = rule(one, module);
      return fault ? [`${one.place}: "${one.specifier}" ${fault}`] : [];
    }),
  );
}

const isRelative = ({ specifier }: Import) => specifier.startsWith(".");
const isOfNode = ({ specifier }: Import) => isBuiltin(specifier);

test("the compiler has read every package", () => {
  expect(packages.length).toBeGreaterThan(10);
  for (const one of packages)
    expect(
      modulesOf(one).filter(({ path }) => !isForTests(path)),
      one.folder,
    ).not.toEqual([]);
});

describe("imports", () => {
  test("a package imports only from strictly lower layers", () => {
    const wrong = faults((one, { path }) => {
      const [from, to] = [packageOf(path), byName.get(splitSpecifier(one.specifier).name)];
      if (!from || !to) return undefined;
      if (from === to) return "is the package itself: import the file";
      const [own, other] = [from.manifest.layer ?? Number.NaN, to.manifest.layer ?? Number.NaN];
      return other < own ? undefined : `is of layer ${other}, and ${from.manifest.name} of layer ${own}`;
    });
    expect(wrong).toEqual([]);
  });

  test("a package imports only what it declares", () => {
    const wrong = faults((one, { path }) => {
      if (isRelative(one) || isOfNode(one)) return undefined;
      const { name } = splitSpecifier(one.specifier);
      const from = packageOf(path);
      if (!from) return byName.has(name) || declares(rootManifest, name) ? undefined : "is not declared by the root";
      if (from.manifest.dependencies?.[name] !== undefined) return undefined;
      if (!isForTests(path)) return `is no dependency of ${from.manifest.name}`;
      const known = declares(from.manifest, name) || rootManifest.devDependencies?.[name] !== undefined;
      return known ? undefined : `is no dependency of ${from.manifest.name}, nor one for tests`;
    });
    expect(wrong).toEqual([]);
  });

  test("another package is imported by an entry point that it lists", () => {
    const wrong = faults(({ specifier }) => {
      const { name, entry } = splitSpecifier(specifier);
      const to = byName.get(name);
      return !to || to.manifest.exports?.[entry] ? undefined : `is no entry point of ${name}`;
    });
    expect(wrong).toEqual([]);
  });

  test("a relative import names a file that is there, with its ending, in the same package", () => {
    const wrong = faults((one, { path }) => {
      if (!isRelative(one)) return undefined;
      const target = normalize(join(dirname(path), one.specifier));
      if (!/\.(ts|mjs|json)$/.test(target)) return "has no ending .ts, .mjs or .json";
      if (!existsSync(join(root, target))) return "is not there";
      return packageOf(path) === packageOf(target) ? undefined : "is in another package";
    });
    expect(wrong).toEqual([]);
  });

  test("sources of a package import neither its tests nor what helps them", () => {
    const wrong = faults((one, { path }) => {
      if (!isRelative(one) || isForTests(path)) return undefined;
      return isForTests(normalize(join(dirname(path), one.specifier))) ? "is for tests" : undefined;
    });
    expect(wrong).toEqual([]);
  });
});

describe("exports", () => {
  test("no module passes on all of another, has a default export, or only passes on", () => {
    const own = modules.filter(({ path }) => path.includes("/"));
    const named = (rule: (module: SourceModule) => boolean) => own.filter(rule).map(({ path }) => path);
    expect({
      exportsAll: named((module) => module.exportsAll),
      exportsDefault: named((module) => module.exportsDefault),
      onlyPassesOn: named((module) => module.onlyPassesOn),
    }).toEqual({ exportsAll: [], exportsDefault: [], onlyPassesOn: [] });
  });

  test("every entry point and every command is a file", () => {
    const missing = packages.flatMap(({ folder, manifest }) =>
      Object.values({ ...manifest.exports, ...manifest.bin })
        .map((target) => normalize(join(folder, target)))
        .filter((path) => !existsSync(join(root, path))),
    );
    expect(missing).toEqual([]);
  });
});

describe("dependencies", () => {
  const used = (one: WorkspacePackage, forTests: boolean) =>
    new Set(
      modulesOf(one)
        .filter(({ path }) => isForTests(path) === forTests)
        .flatMap(({ imports }) => imports.map(({ specifier }) => splitSpecifier(specifier).name)),
    );

  test("each that a package declares is used", () => {
    const unused = packages.flatMap((one) => {
      const [bySources, byTests] = [used(one, false), used(one, true)];
      return [
        ...Object.keys(one.manifest.dependencies ?? {}).filter((name) => !bySources.has(name)),
        ...Object.keys(one.manifest.devDependencies ?? {}).filter((name) => !byTests.has(typed(name))),
      ].map((name) => `${one.folder}: ${name}`);
    });
    expect(unused).toEqual([]);
  });

  test("each that the root declares is imported, or run by a script", () => {
    const imported = new Set(modules.flatMap(({ imports }) => imports.map(({ specifier }) => specifier)));
    const scripts = ["scripts/check.mjs", "tsconfig.json"].map((path) => readFileSync(join(root, path), "utf8")).join();
    const unused = Object.keys(rootManifest.devDependencies ?? {}).filter((name) => {
      const called = scripts.includes(`"${name.replace(/^@types\//, "").split("/")[0]}"`);
      return !called && ![...imported].some((specifier) => splitSpecifier(specifier).name === typed(name));
    });
    expect(unused).toEqual([]);
  });

  /** A package of types is used where what it describes is. */
  function typed(name: string): string {
    return name.replace(/^@types\//, "");
  }

  test("one version of each is named in all packages, and exactly", () => {
    const wanted = new Map<string, Set<string>>();
    for (const manifest of [rootManifest, ...packages.map((one) => one.manifest)])
      for (const versions of [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies])
        for (const [name, version] of Object.entries(versions ?? {}))
          wanted.set(name, (wanted.get(name) ?? new Set()).add(version));
    const wrong = [...wanted].filter(([, versions]) =>
      [...versions].some((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    );
    expect(wrong).toEqual([]);
    expect([...wanted].filter(([, versions]) => versions.size > 1)).toEqual([]);
  });
});

test("ARCHITECTURE.md lists every package with its layer, and no other", () => {
  const rows = readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(/^\|\s*(\d+)\s*\|([^|]*)\|/gm);
  const listed = [...rows].flatMap(([, layer, names]) =>
    [...names!.matchAll(/`([^`]+)`/g)].map(([, name]) => `${name} ${layer}`),
  );
  const there = packages.map(({ folder, manifest }) => `${folder.slice("packages/".length)} ${manifest.layer}`);
  expect(listed.sort(), 'rows like "| 0 | `core` | …" in "The house"').toEqual(there.sort());
});

function declares(manifest: Manifest, name: string): boolean {
  return [manifest.dependencies, manifest.devDependencies].some((versions) => versions?.[name] !== undefined);
}
