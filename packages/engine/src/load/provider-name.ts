import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";

/** What is wrong with a local name of a provider: its form, or capital letters. */
export function badProviderName(name: string, subject: SourceRange): Diagnostic | undefined {
  const summary = "Invalid provider local name";
  if (!/^[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?$/.test(name)) {
    const detail = `${name} is an invalid provider local name: must contain only letters, digits, and dashes, and may not use leading or trailing dashes`;
    return errorDiagnostic(summary, detail, { subject });
  }
  const plain = name.toLowerCase();
  if (plain === name) return undefined;
  return errorDiagnostic(
    summary,
    `Provider names must be normalized. Replace "${name}" with "${plain}" to fix this error.`,
    {
      subject,
    },
  );
}
