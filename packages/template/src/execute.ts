import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { FunctionTable } from "./function.ts";
import { LocatedFault } from "./located-fault.ts";
import type { MissingKey } from "./run.ts";
import { Run } from "./run.ts";
import { rangeIn } from "./source-place.ts";
import type { Template } from "./template.ts";
import type { Dependency, TemplateValue } from "./value.ts";

/** Where an execution stops with an error, so that every template comes to an end. */
export interface Limits {
  /** Templates, blocks and parentheses in each other. */
  readonly depth: number;
  /** UTF-16 units of the text, and of any text made on the way. */
  readonly text: number;
  /** Actions, values and calls evaluated. */
  readonly steps: number;
}

export const defaultLimits: Limits = { depth: 800, text: 32 * 1024 * 1024, steps: 20_000_000 };

export interface ExecuteOptions {
  readonly data?: TemplateValue;
  readonly functions?: FunctionTable;
  /** What a field of a map gives that has no such key: no value (`default`), the zero of its type, or an error. */
  readonly missingKey?: MissingKey;
  readonly limits?: Partial<Limits>;
}

export interface ExecutionError {
  /** Go's words: `template: name:1:2: executing "name" at <.x>: ...`. */
  readonly message: string;
  readonly diagnostic: Diagnostic;
}

/**
 * `used` are all dependencies that were asked for, in the order of their first use. `missing`: those of them that are not
 * there yet; there is no text until they are. An error on the way may come from a missing one's placeholder, and then
 * stands beside them: it counts only if it is still there when nothing is missing.
 */
export type Execution =
  | { readonly kind: "text"; readonly text: string; readonly used: readonly Dependency[] }
  | {
      readonly kind: "missing";
      readonly missing: readonly Dependency[];
      readonly used: readonly Dependency[];
      readonly error?: ExecutionError;
    }
  | { readonly kind: "error"; readonly error: ExecutionError; readonly used: readonly Dependency[] };

/** Applies a template to data. Reads nothing but its arguments, and always ends: see {@link Limits}. */
export function execute(template: Template, options: ExecuteOptions = {}): Execution {
  const run = new Run(template, {
    functions: options.functions ?? new Map(),
    missingKey: options.missingKey ?? "default",
    limits: { ...defaultLimits, ...options.limits },
  });
  const outcome = attempt(run, template.name, options.data ?? null);
  const used = [...run.used.values()];
  const missing = [...run.missing.values()];
  if (missing.length > 0) {
    return typeof outcome === "string"
      ? { kind: "missing", missing, used }
      : { kind: "missing", missing, used, error: outcome };
  }
  return typeof outcome === "string" ? { kind: "text", text: outcome, used } : { kind: "error", error: outcome, used };
}

function attempt(run: Run, name: string, data: TemplateValue): string | ExecutionError {
  try {
    return run.execute(name, data);
  } catch (error) {
    if (error instanceof LocatedFault) return report(error);
    // The depth is counted; what called this may have left less of the stack than that takes.
    if (isStackEnd(error)) return report(new LocatedFault(`template: ${name}: ${stackEnd}`, stackEnd, undefined));
    throw error;
  }
}

const stackEnd = "exceeded the limit of what can be nested here";

function isStackEnd(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith("Maximum call stack");
}

function report({ message, reason, place }: LocatedFault): ExecutionError {
  const detail = `${message}. Correct the template, or the data that it is given.`;
  const subject = place ? { subject: rangeIn(place.source, place.start, place.end) } : {};
  const summary = reason.includes("limit") ? "Template exceeds a limit" : "Template cannot be executed";
  return { message, diagnostic: errorDiagnostic(summary, detail, { code: "template-execution", ...subject }) };
}
