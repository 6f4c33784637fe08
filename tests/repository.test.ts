import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./support/commands.ts";
import { readManifest, workspacePackages } from "./support/packages.ts";

/* What holds for the files of this repository, whatever is in them. */

const notOurs = new Set([".git", "node_modules", ".cache", ".millwright", ".terraform", "dist", "coverage"]);
const files = filesBelow(".");
const packages = workspacePackages();

function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = normalize(join(folder, entry.name));
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : filesBelow(path);
    return entry.isFile() && !entry.name.endsWith(".tgz") ? [path] : [];
  });
}

const textOf = (path: string) => readFileSync(join(root, path), "utf8");

/** The lines in which a pattern occurs, such as `docs/a.md:3: text`. */
function linesWith(pattern: RegExp, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split("\n")
      .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

describe("package-lock.json", () => {
  interface Locked {
    readonly version?: string;
    readonly resolved?: string;
    readonly integrity?: string;
    readonly link?: boolean;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const locked = (JSON.parse(textOf("package-lock.json")) as { readonly packages: Readonly<Record<string, Locked>> })
    .packages;
  const fetched = Object.entries(locked).filter(([path, { link }]) => path.includes("node_modules/") && !link);

  test("it names no download address, and the content of everything", () => {
    expect(fetched.length).toBeGreaterThan(50);
    expect(fetched.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(fetched.filter(([, { integrity }]) => !integrity?.startsWith("sha512-")).map(([path]) => path)).toEqual([]);
  });

  // npm ci refuses a lock without a package that one of its packages names, be it for another platform.
  test("it has every package that one of its packages may need", () => {
    const missing = Object.entries(locked).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !found(path, name))
        .map((name) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  function found(from: string, name: string): boolean {
    for (let folder = from; ; folder = folder.replace(/(^|\/)[^/]*$/, "")) {
      if (Object.hasOwn(locked, normalize(join(folder, "node_modules", name)))) return true;
      if (folder === "") return false;
    }
  }

  test("it knows the packages of this repository as they are", () => {
    for (const { folder, manifest } of packages)
      expect({ folder, ...locked[folder] }).toMatchObject({
        folder,
        version: manifest.version,
        ...(manifest.dependencies && { dependencies: manifest.dependencies }),
      });
  });
});

describe("every file", () => {
  test("names no package registry and no folder of the machine that it was written on", () => {
    // In pieces, so that this file does not name them.
    const hosts = [
      ["registry", "npmjs"],
      ["deb", "debian"],
      ["proxy", "golang"],
      ["files", "pythonhosted"],
    ].map((parts) => parts.join("\\."));
    const folders = [
      ["wo", "rk"],
      ["fa", "rm"],
    ].map((parts) => parts.join(""));
    const installed = ["/opt/tf-", "plugins", "|/usr/local/bin/", "terraform"].join("");
    const pattern = new RegExp(`${hosts.join("|")}|(^|[^A-Za-z0-9_.])/(${folders.join("|")})/[a-z.]+|${installed}`);
    expect(linesWith(pattern, files)).toEqual([]);
  });

  test("leaves nothing for later, and no test aside", () => {
    const words = ["TO", "DO|FIX", "ME|XX", "X"].join("");
    const ignore = ["@ts-", "(ignore|nocheck)|biome-", "ignore"].join("");
    const aside = ["\\b(test|describe|it)", "\\.(only|skip|todo|fails)\\b"].join("");
    const code = files.filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes("/testdata/"));
    expect(linesWith(new RegExp(`\\b(${words})\\b|${ignore}|${aside}`), code)).toEqual([]);
  });

  test("has at most 700 lines, where it is code", () => {
    const long = files
      .filter((path) => /\.(ts|mjs)$/.test(path))
      .map((path) => ({ path, lines: textOf(path).split("\n").length - 1 }));
    expect(long.filter(({ lines }) => lines > 700)).toEqual([]);
  });
});

describe("packages", () => {
  test.each(packages)("$folder says what it is", ({ folder, manifest }) => {
    expect(manifest).toMatchObject({
      name: expect.stringMatching(/^(@millwright\/[a-z0-9]+|millwright)$/),
      version: readManifest(".").version,
      license: "Apache-2.0",
      layer: expect.any(Number),
      description: expect.stringMatching(/\.$/),
    });
    expect(manifest.name.replace("@millwright/", "")).toBe(folder.slice("packages/".length));
    expect(manifest.files).toContain("src");
  });

  test("the version that the program says is the one of its package", () => {
    const version = /const version = "(.*)";/.exec(textOf("packages/cli/src/main.mjs"))?.[1];
    expect(version).toBe(readManifest("packages/cli").version);
  });

  test("the pinned Node is the same for the repository and for who installs the program", () => {
    const pinned = Object.entries(readManifest(".").optionalDependencies ?? {}).filter(([name]) =>
      name.startsWith("node-"),
    );
    expect(readManifest("packages/cli").optionalDependencies).toEqual(Object.fromEntries(pinned));
  });
});

describe("documents", () => {
  const pages = files.filter((path) => path.endsWith(".md") && !path.includes("/testdata/"));

  test.each([
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "GLOSSARY.md",
    "CHANGELOG.md",
    "docs/security.md",
    "bench/README.md",
  ])("%s is there", (path) => {
    expect(textOf(path)).toMatch(/^# /);
  });

  test("the license is Apache-2.0, whole", () => {
    expect(textOf("LICENSE")).toMatch(/Apache License\s+Version 2\.0[^]*END OF TERMS AND CONDITIONS/);
  });

  test("every link leads to a file, and to a heading in it", () => {
    const broken = pages.flatMap((page) =>
      linksOf(page)
        .filter((target) => !leadsSomewhere(page, target))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test("every page is reached from the README", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached)
      for (const target of linksOf(page)) {
        const path = normalize(join(dirname(page), target.replace(/#.*/, "")));
        if (path.endsWith(".md") && existsSync(join(root, path))) reached.add(path);
      }
    expect(pages.filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
  });

  test("every npm script that a page names is there", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
    const named = pages.flatMap((page) => [...textOf(page).matchAll(/npm run ([a-z-]+)/g)].map(([, name]) => name!));
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  /** Targets of the links within the repository, code left out. */
  function linksOf(page: string): readonly string[] {
    const prose = textOf(page)
      .replace(/^```[^]*?^```/gm, "")
      .replace(/`[^`\n]*`/g, "code");
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^[a-z]+:/.test(target));
  }

  function leadsSomewhere(page: string, target: string): boolean {
    const [file = "", heading] = target.split("#");
    const path = file === "" ? page : normalize(join(dirname(page), file));
    if (!existsSync(join(root, path))) return false;
    if (heading === undefined) return true;
    return statSync(join(root, path)).isFile() && anchorsOf(textOf(path)).has(heading);
  }

  /** Anchors as Git hosts make them of headings: lower case, hyphens for spaces, no punctuation. */
  function anchorsOf(text: string): ReadonlySet<string> {
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!);
    return new Set(
      headings.map((heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N}_ -]/gu, "")
          .replace(/ /g, "-"),
      ),
    );
  }
});
