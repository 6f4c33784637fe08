import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import type { BuildOptions, Plugin } from "esbuild";
import { build } from "esbuild";
import { compileDiagnostic, isCompileFailure } from "./compile-diagnostic.ts";

/** The options that make one module of a provider's program, whatever it is to run in. */
const common = {
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  target: "node24",
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
} as const satisfies BuildOptions;

/**
 * The module of a provider that is written in TypeScript, to be run by this program: what it imports of Millwright is what runs
 * here already, and the rest (its own files, its node_modules) is inside. Mistakes name the user's file and line.
 */
export function bundleForHere(file: string): Promise<Diagnosed<string | undefined>> {
  return bundle({
    entryPoints: [realpathSync(file)],
    sourcemap: "inline",
    // Libraries of the older module system ask for their parts while they run.
    banner: { js: requireFrom(file) },
    plugins: [millwrightOfHere],
  });
}

/**
 * A provider's program in one piece, with all of Millwright that it needs: it runs wherever a Node 24 is. `main` is the module of
 * Millwright whose function `runProgram` is given what loads the user's file.
 */
export function bundleProgram(file: string, main: string): Promise<Diagnosed<string | undefined>> {
  const path = realpathSync(file);
  const contents = `import { runProgram } from ${JSON.stringify(main)};\nawait runProgram(() => import(${JSON.stringify(path)}));\n`;
  return bundle({
    stdin: { contents, resolveDir: dirname(path), sourcefile: "program" },
    banner: { js: requireFrom() },
    plugins: [millwrightInside],
  });
}

async function bundle(options: BuildOptions): Promise<Diagnosed<string | undefined>> {
  try {
    const { outputFiles } = await build({ ...common, ...options, write: false });
    const code = outputFiles[0]?.text;
    invariant(code !== undefined, "esbuild gives a program");
    return { value: code, diagnostics: [] };
  } catch (error) {
    if (!isCompileFailure(error)) throw error;
    const said = error.errors.map((message) => compileDiagnostic("Provider does not compile", message));
    return { value: undefined, diagnostics: said };
  }
}

function requireFrom(file?: string): string {
  const place = file === undefined ? "import.meta.url" : JSON.stringify(realpathSync(file));
  return `import { createRequire as $mw$require } from "node:module"; const require = $mw$require(${place});`;
}

/**
 * What a provider's file imports of Millwright is handed to it as it is here: were it loaded by its address, there might be two of it,
 * and neither would know the values of the other.
 */
const millwrightOfHere: Plugin = {
  name: "millwright-of-here",
  setup(context) {
    context.onResolve({ filter: own }, ({ path }) => ({ path, namespace: "millwright-of-here" }));
    context.onLoad({ filter: /.*/, namespace: "millwright-of-here" }, async ({ path }) => {
      const here = (await import(path)) as Readonly<Record<string, unknown>>;
      handed.set(path, here);
      const from = `globalThis[Symbol.for(${JSON.stringify(handedBy)})].get(${JSON.stringify(path)})`;
      return { contents: `export const { ${Object.keys(here).join(", ")} } = ${from};`, loader: "js" };
    });
  },
};

const handedBy = "millwright.modules";
const handed = handedModules();

function handedModules(): Map<string, object> {
  const place = globalThis as { [key: symbol]: unknown };
  const modules = new Map<string, object>();
  place[Symbol.for(handedBy)] = modules;
  return modules;
}

// A user's folder has no packages of this program; they are found from here.
const millwrightInside: Plugin = {
  name: "millwright-inside",
  setup(context) {
    context.onResolve({ filter: own }, ({ path, pluginData, kind }) =>
      pluginData === millwrightInside
        ? undefined
        : context.resolve(path, { resolveDir: import.meta.dirname, kind, pluginData: millwrightInside }),
    );
  },
};

const own = /^(millwright\/provider|@millwright\/.+)$/;
