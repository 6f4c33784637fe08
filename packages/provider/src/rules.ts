import type { Problem } from "./problem.ts";
import { problem } from "./problem.ts";

/** A configuration as `validate` sees it: `undefined` stands where a value is not known yet. */
type Configured<N extends string> = { readonly [K in N]: unknown };

/** One of the attributes has to be set, and no other. Says nothing while one of them is not known. */
export function* exactlyOneOf<const N extends string>(config: Configured<N>, names: readonly N[]): Iterable<Problem> {
  if (names.some((name) => config[name] === undefined)) return;
  const set = names.filter((name) => config[name] !== null);
  if (set.length === 0) {
    yield problem("Invalid attribute combination", `None of ${listed(names)} is set. Set exactly one of them.`);
  } else if (set.length > 1) {
    yield problem(
      "Invalid attribute combination",
      `${listed(set)} cannot be set together. Set exactly one of ${listed(names)}.`,
      [set[1]!],
    );
  }
}

/** No two of the attributes may be set. An attribute that is not known yet counts as not set. */
export function* atMostOneOf<const N extends string>(config: Configured<N>, names: readonly N[]): Iterable<Problem> {
  const set = names.filter((name) => config[name] !== null && config[name] !== undefined);
  if (set.length > 1) {
    yield problem(
      "Conflicting configuration arguments",
      `${listed(set)} cannot be set together. Leave all but one of them out.`,
      [set[1]!],
    );
  }
}

function listed(names: readonly string[]): string {
  const quoted = names.map((name) => JSON.stringify(name));
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} and ${quoted.at(-1)}`;
}
