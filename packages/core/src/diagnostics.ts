import type { SourceRange } from "./source.ts";

export type Severity = "error" | "warning";

/**
 * What a user did that cannot be accepted (`error`), or that should be looked at (`warning`). A value, never thrown.
 *
 * `summary` is one short line without a full stop; `detail` are full sentences that say what was expected and what to do
 * next. `subject` is the smallest piece of source that is wrong, `context` a larger piece to show around it.
 * `code` is a stable kebab-case name, for tests and tools. `address` names the object it belongs to (`consul_keys.app`).
 */
export interface Diagnostic {
  readonly severity: Severity;
  readonly summary: string;
  readonly detail: string;
  readonly code?: string;
  readonly subject?: SourceRange;
  readonly context?: SourceRange;
  readonly address?: string;
  /** Lines such as `var.name is "x"`, printed under the snippet; never holds a sensitive value. */
  readonly expressionValues?: readonly string[];
}

/** Everything of a {@link Diagnostic} but its severity and its two sentences. */
export type DiagnosticPlace = Partial<Omit<Diagnostic, "severity" | "summary" | "detail">>;

export function errorDiagnostic(summary: string, detail: string, place: DiagnosticPlace = {}): Diagnostic {
  return { severity: "error", summary, detail, ...place };
}

export function warningDiagnostic(summary: string, detail: string, place: DiagnosticPlace = {}): Diagnostic {
  return { severity: "warning", summary, detail, ...place };
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === "error");
}

/** A result beside what there is to say of it: the value is the best that could be made, also when there are errors. */
export interface Diagnosed<T> {
  readonly value: T;
  readonly diagnostics: readonly Diagnostic[];
}
