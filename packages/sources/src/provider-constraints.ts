import {
  type Constraint,
  compareVersions,
  isInOrder,
  parseConstraints,
  parseVersion,
  type Version,
} from "@millwright/text/versions";

/**
 * What is asked of a provider's version: constraints that all have to hold. They are read as those of modules and of the
 * program are, but for two things: `~> 2` is `~> 2.0`, and a prerelease is only ever taken where it is asked for by name.
 * Source: Terraform's documentation of version constraints; measured with 1.11.4.
 */
export type ProviderConstraints = readonly Constraint[];

/** Reads `>= 1.0, < 2.0`; empty for an empty text, undefined where it is not of that form. */
export function parseProviderConstraints(text: string): ProviderConstraints | undefined {
  if (text.trim() === "") return [];
  return parseConstraints(text)?.map((constraint) =>
    constraint.operator === "~>" && constraint.written === 1 ? { ...constraint, written: 2 } : constraint,
  );
}

export function allowsProvider(constraints: ProviderConstraints, version: Version): boolean {
  const isNamed = constraints.some((one) => one.operator === "=" && compareVersions(one.version, version) === 0);
  if (version.prerelease !== "" && !isNamed) return false;
  return constraints.every((constraint) => isInOrder(constraint, version));
}

/** The newest of these versions that is allowed; undefined where none is. Texts that are no versions are left out. */
export function newestAllowed(versions: readonly string[], constraints: ProviderConstraints): string | undefined {
  return newestFirst(versions).find((text) => allowsProvider(constraints, parseVersion(text)!));
}

export function newestFirst(versions: readonly string[]): string[] {
  return versions
    .flatMap((text) => {
      const version = parseVersion(text);
      return version ? [{ text, version }] : [];
    })
    .sort((a, b) => compareVersions(b.version, a.version))
    .map(({ text }) => text);
}

/** The constraints as lock files and messages have them: without doubles, in one order, each version written out. */
export function constraintsText(constraints: ProviderConstraints): string {
  const sorted = [...constraints].sort((a, b) => compareVersions(a.version, b.version) || rank(a) - rank(b));
  return [...new Set(sorted.map(constraintText))].join(", ");
}

function constraintText({ operator, version, written }: Constraint): string {
  const prerelease = version.prerelease === "" ? "" : `-${version.prerelease}`;
  const numbers = operator === "~>" && written === 2 ? version.numbers.slice(0, 2) : version.numbers;
  return `${operator === "=" ? "" : `${operator} `}${numbers.join(".")}${prerelease}`;
}

const ranks = [">", ">=", "=", "~>", "<=", "<", "!="] as const;

// Of two pessimistic ones, the narrower one is first.
function rank({ operator, written }: Constraint): number {
  return ranks.indexOf(operator) + (operator === "~>" && written === 2 ? 0.5 : 0);
}
