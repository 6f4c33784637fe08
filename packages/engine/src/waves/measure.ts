import { configResourceText } from "../addresses.ts";
import type { InstanceChange, Plan } from "../plan/plan.ts";
import { isReplace } from "../plan/plan.ts";

/** How large a change is, beside what it could touch. */
export interface Measure {
  /** Objects that are made, changed or destroyed; and all that the plan knows of. */
  readonly touched: number;
  readonly known: number;
  /** Objects that stay as they are and were made after one that is touched. */
  readonly dependents: number;
  readonly irreversible: readonly Irreversible[];
}

/** A change that no later plan can undo wholly. */
export interface Irreversible {
  readonly address: string;
  readonly why: string;
}

/** Measures a plan's change. */
export function measureOf({ changes }: Plan): Measure {
  const touched = changes.filter(isTouched);
  const places = new Set(touched.map(placeOf));
  const dependents = changes.filter(
    (change) =>
      !isTouched(change) &&
      change.address.resource.mode === "managed" &&
      change.dependencies.some((place) => places.has(place)),
  );
  return {
    touched: touched.length,
    known: changes.filter(({ address }) => address.resource.mode === "managed").length,
    dependents: dependents.length,
    irreversible: touched.flatMap((change) => {
      const why = whyIrreversible(change);
      return why === undefined ? [] : [{ address: change.address.text, why }];
    }),
  };
}

/** What measures by name come to, with objects by names that say whose they are. */
export function sumOfMeasures(measures: ReadonlyMap<string, Measure>): Measure {
  const all = [...measures];
  const sum = (part: (measure: Measure) => number) => all.reduce((before, [, measure]) => before + part(measure), 0);
  return {
    touched: sum(({ touched }) => touched),
    known: sum(({ known }) => known),
    dependents: sum(({ dependents }) => dependents),
    irreversible: all.flatMap(([name, { irreversible }]) =>
      irreversible.map(({ address, why }) => ({ address: `${name}: ${address}`, why })),
    ),
  };
}

/** Why a change cannot be undone wholly; undefined where it can. */
export function whyIrreversible({ action, deposedKey }: InstanceChange): string | undefined {
  if (deposedKey !== undefined && action === "delete") return "an object that was replaced goes for good";
  if (action === "delete") return "what it holds goes with it; a new one would be empty, under a new identity";
  if (isReplace(action)) return "the old object goes with what it holds; going back makes a third one";
  return undefined;
}

function isTouched({ action, address }: InstanceChange): boolean {
  return address.resource.mode === "managed" && action !== "no-op" && action !== "read";
}

function placeOf({ address }: InstanceChange): string {
  return configResourceText(address.module, address.resource);
}
