import type { ProviderDiagnostic, ProviderDiagnostics } from "@millwright/provider/protocol";
import type { DiagnosticMessage } from "./common.ts";
import type { Draft } from "./message.ts";
import { fromPathMessage, toPathMessage } from "./paths.ts";

/** A severity that is not known counts as an error. */
export function fromDiagnosticMessages(diagnostics: readonly DiagnosticMessage[]): ProviderDiagnostics {
  return diagnostics.map(({ severity, summary, detail, attribute }): ProviderDiagnostic => {
    const path = attribute ? fromPathMessage(attribute) : [];
    return {
      severity: severity === "warning" ? "warning" : "error",
      summary,
      detail,
      ...(path.length > 0 ? { attribute: path } : {}),
    };
  });
}

export function toDiagnosticMessages(diagnostics: ProviderDiagnostics): readonly Draft<DiagnosticMessage>[] {
  return diagnostics.map(({ severity, summary, detail, attribute }) => ({
    severity,
    summary,
    detail,
    ...(attribute && attribute.length > 0 ? { attribute: toPathMessage(attribute) } : {}),
  }));
}
