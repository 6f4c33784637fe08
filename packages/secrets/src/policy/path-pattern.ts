/** What a rule is about: `secret/app`, `secret/*` (a prefix), `secret/+/app` (one whole segment, whichever). */
export interface PathPattern {
  /** As it is written, without a slash before it and without a star behind it. */
  readonly text: string;
  readonly isPrefix: boolean;
  /** Where each part is literal text or, undefined, any segment; only for a pattern with `+`. */
  readonly segments?: readonly (string | undefined)[];
}

/** A pattern, or why it is none. A star that is not at the end is a star, as Vault has it. */
export type ParsedPattern =
  | { readonly ok: true; readonly pattern: PathPattern }
  | { readonly ok: false; readonly why: string };

export function parsePathPattern(written: string): ParsedPattern {
  const path = written.replace(/^\/+/, "");
  if (path === "") return { ok: false, why: "The path is empty. Write what is allowed, such as secret/data/app." };
  if (path.includes("{{")) {
    const why =
      "Templates such as {{identity.entity.name}} are not there: this server has no entities. Write the path out.";
    return { ok: false, why };
  }
  const isPrefix = path.endsWith("*");
  const text = isPrefix ? path.slice(0, -1) : path;
  if (isPrefix && (text === "+" || text.endsWith("/+"))) {
    const why = `A + stands for one whole segment, so nothing can follow it but a slash: write ${text}/* or ${text}.`;
    return { ok: false, why };
  }
  const parts = text.split("/").map((part) => (part === "+" ? undefined : part));
  if (!parts.includes(undefined)) return { ok: true, pattern: { text, isPrefix } };
  return { ok: true, pattern: { text, isPrefix, segments: parts } };
}

/** One spelling for one pattern, to put rules about the same together. */
export function patternKey({ text, isPrefix }: PathPattern): string {
  return isPrefix ? `${text}*` : text;
}

/** Whether it names one path and no other. */
export function isExact(pattern: PathPattern): boolean {
  return !pattern.isPrefix && pattern.segments === undefined;
}

export function matchesPattern({ text, isPrefix, segments }: PathPattern, path: string): boolean {
  if (!segments) return isPrefix ? path.startsWith(text) : path === text;
  const parts = path.split("/");
  if (isPrefix ? parts.length < segments.length : parts.length !== segments.length) return false;
  return segments.every((segment, i) => {
    if (segment === undefined) return true;
    const isLast = i === segments.length - 1;
    return isPrefix && isLast ? parts[i]!.startsWith(segment) : parts[i] === segment;
  });
}

/**
 * Sorts the pattern that decides first, of those that match a path: the one whose first wildcard comes later, then one that
 * does not end with a star, then the one with fewer `+`, then the longer, then the one later in the alphabet
 * (Vault's documentation, "Policies", priority matching).
 */
export function byPriority(a: PathPattern, b: PathPattern): number {
  return (
    firstWildcard(b) - firstWildcard(a) ||
    Number(a.isPrefix) - Number(b.isPrefix) ||
    countWildcards(a) - countWildcards(b) ||
    patternKey(b).length - patternKey(a).length ||
    Buffer.compare(Buffer.from(patternKey(b)), Buffer.from(patternKey(a)))
  );
}

function firstWildcard({ text, segments }: PathPattern): number {
  if (!segments) return text.length;
  const literal = segments.slice(0, segments.indexOf(undefined)) as readonly string[];
  return literal.reduce((length, part) => length + part.length + 1, 0);
}

function countWildcards({ segments }: PathPattern): number {
  return segments?.filter((segment) => segment === undefined).length ?? 0;
}
