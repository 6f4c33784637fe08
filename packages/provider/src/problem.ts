import { OperationalError } from "@millwright/core/errors";
import type { Path, PathStep } from "@millwright/value/path";
import type { Type } from "@millwright/value/types";
import { numberValue, stringValue } from "@millwright/value/value";
import type { ProviderDiagnostic, ProviderDiagnostics } from "./protocol.ts";

/**
 * Something wrong, as an author of a provider says it: a summary of one line, and sentences that say what to do.
 * `at` leads to the attribute in the resource's object: `["rule", 0, "port"]`.
 */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail: string;
  readonly at?: ProblemPlace;
}
export type ProblemPlace = readonly (string | number)[];

export function problem(summary: string, detail: string, at?: ProblemPlace): Problem {
  return at ? { severity: "error", summary, detail, at } : { severity: "error", summary, detail };
}

export function warning(summary: string, detail: string, at?: ProblemPlace): Problem {
  return { ...problem(summary, detail, at), severity: "warning" };
}

/** Thrown by an author's function that cannot do what it was asked: what the user gets to read. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly problems: readonly Problem[];

  constructor(problems: Problem | readonly Problem[], options?: ErrorOptions) {
    const list = "summary" in problems ? [problems] : problems;
    super(list.map((p) => `${p.summary}: ${p.detail}`).join("\n"), options);
    this.problems = list;
  }
}

export function failure(summary: string, detail: string, at?: ProblemPlace): Failure {
  return new Failure(problem(summary, detail, at));
}

/** What a failing call was about, for {@link problemsOf}. */
export interface Attempt {
  /** What it tried to do, as the summary of what goes wrong. */
  readonly summary: string;
  readonly signal: AbortSignal;
  /** The provider's own words for an operational error. */
  readonly explain?: ((error: OperationalError) => Problem | undefined) | undefined;
}

/**
 * What a user gets to read of an error: the problems of a {@link Failure}, the message of an operational error, and for a
 * call that ended because it was told to, that. Undefined for anything else: that is a bug.
 */
export function problemsOf(error: unknown, { summary, signal, explain }: Attempt): readonly Problem[] | undefined {
  if (error instanceof Failure) return error.problems;
  if (signal.aborted && (error === signal.reason || (error instanceof Error && error.name === "AbortError"))) {
    return [problem(summary, "The operation was interrupted before it was complete.")];
  }
  if (error instanceof OperationalError) return [explain?.(error) ?? problem(summary, error.message)];
  return undefined;
}

/** Problems in the words of the protocol; `type` is that of the object they are in. */
export function toDiagnostics(problems: Iterable<Problem>, type: Type): ProviderDiagnostics {
  return [...problems].map(({ severity, summary, detail, at }): ProviderDiagnostic => {
    const said = { severity, summary, detail };
    return at ? { ...said, attribute: toPath(at, type) } : said;
  });
}

/** A place as a path of values. It ends at a set, as what is inside has no place of its own. */
export function toPath(place: ProblemPlace, type: Type): Path {
  const path: PathStep[] = [];
  let here: Type | undefined = type;
  for (const step of place) {
    if (here?.kind === "set") break;
    if (typeof step === "number") path.push({ index: numberValue(step) });
    else if (here?.kind === "map") path.push({ index: stringValue(step) });
    else path.push({ attribute: step });
    here = here && inside(here, step);
  }
  return path;
}

function inside(type: Type, step: string | number): Type | undefined {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return type.element;
    case "object":
      return type.attributes.get(String(step));
    case "tuple":
      return type.elements[Number(step)];
    default:
      return undefined;
  }
}
