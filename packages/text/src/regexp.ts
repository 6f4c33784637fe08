import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";

/** A place where a {@link Regexp} matched. Offsets are UTF-16 offsets into the text. */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The text of each group, the whole match at 0; undefined for a group that took no part. */
  readonly groups: readonly (string | undefined)[];
}

/** A compiled RE2 expression with Go's semantics: leftmost-first, in time linear to the text. */
export interface Regexp {
  readonly pattern: string;
  /** The name of each group, the whole match at 0; undefined for one without a name. */
  readonly groupNames: readonly (string | undefined)[];
  test(text: string): boolean;
  /** The leftmost match. */
  find(text: string): Match | undefined;
  /** The successive matches, without an empty one right behind another; at most `limit`. */
  findAll(text: string, limit?: number): Match[];
  /** The text with each match replaced; `$1`, `$name` and `${name}` in `template` stand for groups, `$$` for a dollar. */
  replaceAll(text: string, template: string): string;
  /** The text with each match replaced by `replacement` as it is. */
  replaceAllLiteral(text: string, replacement: string): string;
}

export type CompiledRegexp =
  | { readonly ok: true; readonly regexp: Regexp }
  | {
      readonly ok: false /** Go's wording: ``error parsing regexp: missing closing ): `(` ``. */;
      readonly error: string;
    };

const cacheLimit = 500;
const cache = new Map<string, CompiledRegexp>();

/**
 * Compiles `pattern`, in Go's regular expression syntax (RE2 with Perl's classes and groups; https://pkg.go.dev/regexp/syntax).
 * The last few hundred patterns are kept compiled.
 */
export function compileRegexp(pattern: string): CompiledRegexp {
  const known = cache.get(pattern);
  if (known) {
    // Reinserting keeps the map in the order of last use, so that the first entry is the one to drop.
    cache.delete(pattern);
    cache.set(pattern, known);
    return known;
  }
  const compiled = compile(pattern);
  if (cache.size >= cacheLimit) cache.delete(cache.keys().next().value!);
  cache.set(pattern, compiled);
  return compiled;
}

/** `text` with every character that means something in an expression escaped. */
export function quoteRegexp(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

function compile(pattern: string): CompiledRegexp {
  const { source, names } = withUniqueNames(pattern);
  try {
    return { ok: true, regexp: new Re2Regexp(pattern, RE2JS.compile(source), names) };
  } catch (error) {
    if (error instanceof RE2JSException) return { ok: false, error: goMessage(error, names) };
    throw error;
  }
}

/**
 * Go lets several groups have one name, RE2JS does not: repeated names get others, which `names` leads back to theirs.
 * Passes over escapes, classes and literal stretches, in which a group's opening is text.
 */
function withUniqueNames(pattern: string): { source: string; names: ReadonlyMap<string, string> } {
  const names = new Map<string, string>();
  const seen = new Set<string>();
  const pieces = /\\Q[^]*?(?:\\E|$)|\\[^]|\[\^?\]?(?:\[:\w+:\]|\\[^]|[^\]])*\]?|\(\?P?<(\w+)>/g;
  const source = pattern.replace(pieces, (piece, name?: string) => {
    if (name === undefined) return piece;
    if (!seen.has(name)) {
      seen.add(name);
      return piece;
    }
    const unique = `${name}__again${names.size}`;
    names.set(unique, name);
    return piece.replace(`<${name}>`, `<${unique}>`);
  });
  return { source, names };
}

class Re2Regexp implements Regexp {
  readonly pattern: string;
  readonly groupNames: readonly (string | undefined)[];
  readonly #compiled: RE2JS;

  constructor(pattern: string, compiled: RE2JS, repeated: ReadonlyMap<string, string>) {
    this.pattern = pattern;
    this.#compiled = compiled;
    const names = new Array<string | undefined>(compiled.groupCount() + 1).fill(undefined);
    for (const [name, index] of Object.entries(compiled.namedGroups())) names[index] = repeated.get(name) ?? name;
    this.groupNames = names;
  }

  test(text: string): boolean {
    return this.#compiled.test(text);
  }

  find(text: string): Match | undefined {
    return this.findAll(text, 1)[0];
  }

  findAll(text: string, limit = Number.POSITIVE_INFINITY): Match[] {
    // The engine under RE2JS keeps Go's own rule for successive matches; its Matcher, which follows Java, does not.
    const found = this.#compiled.re2().findAllSubmatchIndex(text, Math.min(limit, text.length + 1)) as
      | number[][]
      | null;
    return (found ?? []).map((offsets) => this.#match(text, offsets));
  }

  replaceAll(text: string, template: string): string {
    if (!template.includes("$")) return this.replaceAllLiteral(text, template);
    const parts = parseTemplate(template);
    return replaceMatches(text, this.findAll(text), (match) => parts.map((part) => this.#expand(part, match)).join(""));
  }

  replaceAllLiteral(text: string, replacement: string): string {
    return replaceMatches(text, this.findAll(text), () => replacement);
  }

  #match(text: string, offsets: readonly number[]): Match {
    const groups = this.groupNames.map((_, i) => {
      const start = offsets[2 * i] ?? -1;
      return start < 0 ? undefined : text.slice(start, offsets[2 * i + 1]);
    });
    return { start: offsets[0]!, end: offsets[1]!, text: groups[0]!, groups };
  }

  #expand(part: TemplatePart, match: Match): string {
    if (typeof part === "string") return part;
    if ("index" in part) return match.groups[part.index] ?? "";
    return match.groups.find((group, i) => group !== undefined && this.groupNames[i] === part.name) ?? "";
  }
}

function replaceMatches(text: string, matches: readonly Match[], replacement: (match: Match) => string): string {
  let result = "";
  let end = 0;
  for (const match of matches) {
    result += text.slice(end, match.start) + replacement(match);
    end = match.end;
  }
  return result + text.slice(end);
}

type TemplatePart = string | { readonly name: string } | { readonly index: number };

const reference = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/** A dollar that begins no reference stands for itself; a name is as long as it can be (`$1x` is the group named `1x`). */
function parseTemplate(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const found of template.matchAll(reference)) {
    parts.push(template.slice(end, found.index));
    end = found.index + found[0].length;
    const name = found[1] ?? found[2];
    if (name === undefined) parts.push("$");
    else if (/^(?:0|[1-9][0-9]{0,8})$/.test(name)) parts.push({ index: Number(name) });
    else parts.push({ name });
  }
  parts.push(template.slice(end));
  return parts;
}

/** RE2JS leaves the culprit out where it is empty; Go always names it. */
function goMessage(error: RE2JSException, repeated: ReadonlyMap<string, string>): string {
  let { message } = error;
  for (const [unique, name] of repeated) message = message.replaceAll(unique, name);
  const isBare = error instanceof RE2JSSyntaxException && !error.input;
  return isBare ? `${message}: \`\`` : message;
}
