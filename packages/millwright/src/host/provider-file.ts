import { relative } from "node:path";
import type { Diagnosed } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { DefinedProvider } from "@millwright/provider/define";
import { exportedProvider } from "./exported-provider.ts";
import { printToStderr } from "./print-to-stderr.ts";
import { bundleForHere } from "./provider-bundle.ts";

/** Compiles and loads the provider of a file, and gives the one that it exports. `file` is said as it is given. */
export async function loadProviderFile(file: string): Promise<Diagnosed<DefinedProvider | undefined>> {
  const { value: code, diagnostics } = await bundleForHere(file);
  if (code === undefined) return { value: undefined, diagnostics };
  // Places in what is thrown are then those of the user's file, and what it prints is not taken for a command's answer.
  process.setSourceMapsEnabled(true);
  printToStderr();
  try {
    const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
    return exportedProvider((await import(url)) as object, nameOf(file));
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const detail = `${nameOf(file)} throws while it is loaded: ${shortened(said)}`;
    return { value: undefined, diagnostics: [errorDiagnostic("Provider cannot be loaded", detail)] };
  }
}

function nameOf(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith("..") ? file : short;
}

// The module's own address is the whole program.
function shortened(stack: string): string {
  return stack.replace(/data:text\/javascript;base64,[A-Za-z0-9+/=]+/g, "the program");
}
