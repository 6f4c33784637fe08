import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { DefinedProvider } from "@millwright/provider/define";

/** The one provider among what a module exports. */
export function exportedProvider(exported: object, file: string): Diagnosed<DefinedProvider | undefined> {
  const found = Object.entries(exported).filter((entry): entry is [string, DefinedProvider] => isProvider(entry[1]));
  const different = new Map(found.map(([name, provider]) => [provider, name]));
  const [provider] = different.keys();
  if (provider && different.size === 1) return { value: provider, diagnostics: mistakesOf(provider, file) };
  const others = Object.keys(exported).length > 0 ? ` It exports ${Object.keys(exported).join(", ")}.` : "";
  const detail =
    different.size === 0
      ? `${file} exports no provider. Let it say: export const provider = defineProvider({ … }).${others}`
      : `${file} exports ${different.size} providers: ${[...different.values()].join(", ")}. A program serves one: put each into a file of its own.`;
  return { value: undefined, diagnostics: [errorDiagnostic("No provider to serve", detail)] };
}

function isProvider(value: unknown): value is DefinedProvider {
  if (typeof value !== "object" || value === null) return false;
  const { name, version, start } = value as Partial<Record<string, unknown>>;
  return typeof name === "string" && typeof version === "string" && typeof start === "function";
}

function mistakesOf({ name, version }: DefinedProvider, file: string): readonly Diagnostic[] {
  const wrong: string[] = [];
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name))
    wrong.push(`the name ${JSON.stringify(name)} has something else than small letters, digits and dashes`);
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version))
    wrong.push(`the version ${JSON.stringify(version)} is not three numbers, as 1.0.0 is`);
  if (wrong.length === 0) return [];
  return [errorDiagnostic("Provider cannot be named so", `In ${file}, ${wrong.join(", and ")}.`)];
}
