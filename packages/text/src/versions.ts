/** A version as tools number them: three numbers, and what comes before a release (`1.2.0-beta1`). */
export interface Version {
  readonly numbers: readonly number[];
  readonly prerelease: string;
}

export interface Constraint {
  readonly operator: "=" | "!=" | ">" | ">=" | "<" | "<=" | "~>";
  readonly version: Version;
  /** How many numbers were written: `~> 1.2` allows 1.x, `~> 1.2.0` only 1.2.x. */
  readonly written: number;
}

export function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text.trim());
  if (!match) return undefined;
  const numbers = match[1]!.split(".").map(Number);
  while (numbers.length < 3) numbers.push(0);
  return { numbers, prerelease: match[2] ?? "" };
}

/** Reads `>= 1.0, < 2.0`; undefined where it is not of that form. */
export function parseConstraints(text: string): readonly Constraint[] | undefined {
  const constraints: Constraint[] = [];
  for (const part of text.split(",")) {
    const match = /^\s*(=|!=|>=|<=|>|<|~>)?\s*(\S+)\s*$/.exec(part);
    const version = match && parseVersion(match[2]!);
    if (!match || !version) return undefined;
    const written = match[2]!.replace(/^v/, "").split(/[-+]/, 1)[0]!.split(".").length;
    constraints.push({ operator: (match[1] ?? "=") as Constraint["operator"], version, written });
  }
  return constraints;
}

/** Whether a version meets all constraints. A prerelease meets only a constraint that names exactly it. */
export function allows(constraints: readonly Constraint[], version: Version): boolean {
  return constraints.every((constraint) => allowsOne(constraint, version));
}

function allowsOne(constraint: Constraint, version: Version): boolean {
  const { operator, version: wanted } = constraint;
  if (version.prerelease !== "" && operator !== "=" && wanted.prerelease === "") return false;
  return isInOrder(constraint, version);
}

/** Whether a version stands to a constraint's as its operator says, without what is said of prereleases. */
export function isInOrder({ operator, version: wanted, written }: Constraint, version: Version): boolean {
  const order = compareVersions(version, wanted);
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "~>": {
      // All but the last number that was written is fixed, so "~> 1" is no more than ">= 1".
      const fixed = written - 1;
      return order >= 0 && wanted.numbers.slice(0, fixed).every((n, i) => version.numbers[i] === n);
    }
  }
}

export function compareVersions(a: Version, b: Version): number {
  const length = Math.max(a.numbers.length, b.numbers.length);
  for (let i = 0; i < length; i++) {
    const order = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0);
    if (order !== 0) return order;
  }
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === "") return 1;
  if (b.prerelease === "") return -1;
  return comparePrereleases(a.prerelease.split("."), b.prerelease.split("."));
}

// Dot by dot: numbers by value and before words, words by letters, and fewer parts before more.
function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const x = a[i];
    const y = b[i];
    if (x === y) continue;
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    const [m, n] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (m && n) return Number(x) - Number(y);
    if (m !== n) return m ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}
