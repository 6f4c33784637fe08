import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { JobPart } from "./job-part.ts";
import { partKey } from "./job-part.ts";

/** What was found wrong with a job, each with the part that it belongs to. */
export class Findings {
  readonly diagnostics: Diagnostic[] = [];
  readonly #places: ReadonlyMap<string, SourceRange>;

  constructor(places: ReadonlyMap<string, SourceRange>) {
    this.#places = places;
  }

  /** `summary` is a fault in Nomad's words, `advice` what to do about it. */
  refuse(part: JobPart, summary: string, advice: string): void {
    this.diagnostics.push(errorDiagnostic(summary, this.#detail(part, advice), this.#place(part)));
  }

  warn(part: JobPart, summary: string, advice: string): void {
    this.diagnostics.push(warningDiagnostic(summary, this.#detail(part, advice), this.#place(part)));
  }

  #detail([group, task]: JobPart, advice: string): string {
    if (group === undefined) return advice;
    return task === undefined ? `In group "${group}": ${advice}` : `In task "${task}" of group "${group}": ${advice}`;
  }

  #place(part: JobPart): { readonly subject?: SourceRange; readonly address?: string } {
    const subject = this.#places.get(partKey(part)) ?? this.#places.get(partKey([]));
    return { ...(subject ? { subject } : {}), ...(part.length === 0 ? {} : { address: part.join(".") }) };
  }
}

/** One rule about an object: what it says where it does not hold. */
export type Rule<T> = readonly [holds: (one: T) => boolean, summary: (one: T) => string, advice: string];

/** Tells each rule of a table that does not hold. */
export function checkRules<T>(one: T, rules: readonly Rule<T>[], part: JobPart, findings: Findings): void {
  for (const [holds, summary, advice] of rules) if (!holds(one)) findings.refuse(part, summary(one), advice);
}
