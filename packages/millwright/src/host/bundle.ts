import { realpathSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import type { Plugin } from "esbuild";
import { build } from "esbuild";
import { compileDiagnostic, isCompileFailure } from "./compile-diagnostic.ts";

/** A stack's program in one piece: JavaScript, and the source map that leads from it to the user's files. */
export interface Bundle {
  readonly code: string;
  readonly map: string;
}

/**
 * Bundles the stacks of a folder, with all that they import from it and from its node_modules. "millwright" is the running
 * program; what belongs to Node is refused. Mistakes name the user's file and line.
 */
export async function bundleStacks(folder: string, names: readonly string[]): Promise<Diagnosed<Bundle | undefined>> {
  const root = realpathSync(folder);
  try {
    const result = await build({
      stdin: {
        contents: names.map((name) => `import ${JSON.stringify(`./${name}`)};`).join("\n"),
        resolveDir: root,
        sourcefile: "stacks",
      },
      absWorkingDir: root,
      outfile: join(root, "stack.js"),
      write: false,
      bundle: true,
      format: "iife",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["module", "import", "default"],
      target: "es2024",
      charset: "utf8",
      sourcemap: "external",
      legalComments: "none",
      banner: strict,
      // What libraries ask when they are loaded, always answered alike.
      define: { "process.env.NODE_ENV": '"production"' },
      logLevel: "silent",
      plugins: [ownModules],
    });
    const warnings = result.warnings.map((warning) => compileDiagnostic(summary, warning));
    const text = (ending: string) => result.outputFiles.find(({ path }) => path.endsWith(ending))?.text;
    const code = text(".js");
    const map = text(".map");
    invariant(code !== undefined && map !== undefined, "esbuild gives a program and its map");
    return { value: { code, map }, diagnostics: warnings };
  } catch (error) {
    if (!isCompileFailure(error)) throw error;
    return { value: undefined, diagnostics: error.errors.map((message) => compileDiagnostic(summary, message)) };
  }
}

const summary = "Stack does not compile";

// Modules are strict, which a script in one piece has to say.
const strict = { js: '"use strict";' };

/** What a stack may import by "millwright". */
export const apiNames = [
  "blocks",
  "call",
  "data",
  "derive",
  "instance",
  "json",
  "local",
  "module",
  "output",
  "provider",
  "ref",
  "resource",
  "terraform",
  "variable",
  "when",
] as const;

const ownModules: Plugin = {
  name: "millwright",
  setup(context) {
    context.onResolve({ filter: /^millwright$/ }, () => ({ path: "millwright", namespace: "millwright" }));
    context.onLoad({ filter: /.*/, namespace: "millwright" }, () => ({
      contents: apiNames
        .map((name) => `const ${name}_ = globalThis.$mw$.api.${name}; export { ${name}_ as ${name} };`)
        .join("\n"),
      loader: "js",
    }));
    context.onResolve({ filter: /^millwright\// }, ({ path }) => {
      return {
        errors: [{ text: `A stack imports from "millwright" alone: ${JSON.stringify(path)} is not for stacks.` }],
      };
    });
    context.onResolve({ filter: /^(node:|https?:)/ }, ({ path }) => refused(path));
    context.onResolve({ filter: builtinName }, ({ path, resolveDir, pluginData }) => {
      if (pluginData === ownModules) return undefined;
      return context
        .resolve(path, { resolveDir, kind: "import-statement", pluginData: ownModules })
        .then((found) => (found.errors.length === 0 ? found : refused(path)));
    });
  },
};

const builtinName = new RegExp(`^(${builtinModules.filter((name) => /^[a-z_/0-9]+$/.test(name)).join("|")})$`);

function refused(path: string) {
  const text = `A stack cannot import ${JSON.stringify(path)}: files, network, clock and environment would make another plan each time. Pass what it would read as a variable, or read a file with call("file", "./name").`;
  return { errors: [{ text }] };
}

let runtime: Promise<string> | undefined;

/** The program that stacks are run upon, in one piece. */
export function runtimeCode(): Promise<string> {
  runtime ??= bundleRuntime();
  return runtime;
}

async function bundleRuntime(): Promise<string> {
  // Sources are TypeScript in a checkout and JavaScript in a packed package.
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const entry = fileURLToPath(new URL(`../runtime/runtime.${ending}`, import.meta.url));
  const options = {
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    target: "es2024",
    charset: "utf8",
  } as const;
  const result = await build({ ...options, entryPoints: [entry], logLevel: "silent" });
  return result.outputFiles[0]!.text;
}
