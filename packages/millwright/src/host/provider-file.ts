import { realpathSync } from "node:fs";
import { SourceMap } from "node:module";
import { basename, dirname, relative } from "node:path";
import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import { asSentence } from "@millwright/core/sentence";
import type { DefinedProvider } from "@millwright/provider/define";
import { exportedProvider } from "./exported-provider.ts";
import { printToStderr } from "./print-to-stderr.ts";
import { bundleForHere } from "./provider-bundle.ts";

/** Compiles and loads the provider of a file, and gives the one that it exports. `file` is said as it is given. */
export async function loadProviderFile(file: string): Promise<Diagnosed<DefinedProvider | undefined>> {
  const { value: code, diagnostics } = await bundleForHere(file);
  if (code === undefined) return { value: undefined, diagnostics };
  // What it throws later is at places of its files, and what it prints is not taken for a command's answer.
  process.setSourceMapsEnabled(true);
  printToStderr();
  try {
    const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
    return exportedProvider((await import(url)) as object, nameOf(file));
  } catch (error) {
    return { value: undefined, diagnostics: [thrownWhileLoading(error, code, file)] };
  }
}

function thrownWhileLoading(error: unknown, code: string, file: string): Diagnostic {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const place = placeInFolder(stack, dirname(realpathSync(file))) ?? placeInProgram(stack, code);
  const detail = `${nameOf(file)} throws while it is loaded${place ? `, at ${place}` : ""}: ${messageOf(error)}`;
  return errorDiagnostic("Provider cannot be loaded", asSentence(detail));
}

/** The innermost place of the user's own files that a stack leads through, where Node knows them: `client.ts, line 3`. */
function placeInFolder(stack: string, folder: string): string | undefined {
  const found = [...stack.matchAll(/(\/[^\s:()]+):(\d+):\d+/g)].find(([, path = ""]) => path.startsWith(`${folder}/`));
  return found && `${basename(found[1]!)}, line ${found[2]}`;
}

/** The same, where the stack has places in the program that was made of them. */
function placeInProgram(stack: string, code: string): string | undefined {
  const [, encoded = ""] = /sourceMappingURL=data:application\/json;base64,(\S+)/.exec(code) ?? [];
  const map = new SourceMap(JSON.parse(Buffer.from(encoded, "base64").toString()));
  for (const [, line, column] of stack.matchAll(/data:text\/javascript;base64,[A-Za-z0-9+/=]+:(\d+):(\d+)/g)) {
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
    if ("originalSource" in entry && entry.originalSource)
      return `${basename(entry.originalSource)}, line ${entry.originalLine + 1}`;
  }
  return undefined;
}

function nameOf(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith("..") ? file : short;
}
