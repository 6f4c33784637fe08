import { invariant } from "@millwright/core/errors";
import type { Regexp } from "./regexp.ts";
import { compileRegexp, quoteRegexp } from "./regexp.ts";

/** A compiled pattern over paths with forward slashes. */
export interface Glob {
  readonly pattern: string;
  /** Whether the whole path matches. Names that begin with a dot are as any other. */
  matches(path: string): boolean;
  /** Whether a path inside `folder` could match: where not, a search need not enter it. */
  mayMatchInside(folder: string): boolean;
}

export type CompiledGlob = { readonly ok: true; readonly glob: Glob } | { readonly ok: false; readonly error: string };

/**
 * Compiles a pattern as the reference's `fileset` takes it: `*` and `?` within a name, `[a-z]` and `[^a-z]`,
 * `{one,other}` within a name, `**` as a whole name for any number of folders (at the end for everything inside), and `\`
 * before a character that stands for itself. A match takes time linear to the path.
 */
export function compileGlob(pattern: string): CompiledGlob {
  const parts: Part[] = [];
  for (const name of pattern.split("/")) {
    const part = name === "**" ? anyFolders : compileName(name);
    if (part === undefined) return { ok: false, error: "syntax error in pattern" };
    parts.push(part);
  }
  return { ok: true, glob: new PartsGlob(pattern, parts) };
}

const anyFolders = Symbol("**");

/** What one name of a path must be: any number of names, a text, or a match. */
type Part = typeof anyFolders | string | Regexp;

class PartsGlob implements Glob {
  readonly pattern: string;
  readonly #parts: readonly Part[];

  constructor(pattern: string, parts: readonly Part[]) {
    this.pattern = pattern;
    this.#parts = parts;
  }

  matches(path: string): boolean {
    return this.#walk(path).has(this.#parts.length);
  }

  mayMatchInside(folder: string): boolean {
    const places = folder === "" ? this.#enter(0, new Set()) : this.#walk(folder);
    return [...places].some((place) => place < this.#parts.length);
  }

  /** The parts that may come next once all of the path's names are used; the number of parts where the path is complete. */
  #walk(path: string): Set<number> {
    let places = this.#enter(0, new Set());
    for (const name of path.split("/")) {
      const next = new Set<number>();
      for (const place of places) {
        const part = this.#parts[place];
        if (part === undefined) continue;
        if (part === anyFolders) {
          this.#enter(place, next);
          if (place === this.#parts.length - 1) next.add(place + 1);
        } else if (typeof part === "string" ? part === name : part.test(name)) {
          this.#enter(place + 1, next);
        }
      }
      places = next;
    }
    return places;
  }

  /** `**` may stand for no folder at all, but at the end it needs something inside. */
  #enter(place: number, places: Set<number>): Set<number> {
    places.add(place);
    if (this.#parts[place] === anyFolders && place < this.#parts.length - 1) this.#enter(place + 1, places);
    return places;
  }
}

/** The expression for one name; undefined where the pattern is wrong. */
function compileName(name: string): string | Regexp | undefined {
  const reader: NameReader = { rest: name, depth: 0 };
  const source = readName(reader);
  if (source === undefined) return undefined;
  if (!/[*?[{\\]/.test(name)) return name;
  const compiled = compileRegexp(`^(?s:${source})$`);
  invariant(compiled.ok, `the glob ${name} became a wrong expression`);
  return compiled.regexp;
}

interface NameReader {
  rest: string;
  /** How many braces are open. */
  depth: number;
}

function readName(reader: NameReader): string | undefined {
  let source = "";
  while (reader.rest !== "") {
    const character = String.fromCodePoint(reader.rest.codePointAt(0)!);
    if (reader.depth > 0 && (character === "," || character === "}")) return source;
    reader.rest = reader.rest.slice(character.length);
    const piece = readPiece(reader, character);
    if (piece === undefined) return undefined;
    source += piece;
  }
  return reader.depth > 0 ? undefined : source;
}

function readPiece(reader: NameReader, character: string): string | undefined {
  switch (character) {
    case "*":
      return ".*";
    case "?":
      return ".";
    case "[":
      return readClass(reader);
    case "{":
      return readAlternatives(reader);
    case "\\": {
      const escaped = takeCharacter(reader);
      return escaped === undefined ? undefined : quoteRegexp(escaped);
    }
    default:
      return quoteRegexp(character);
  }
}

function readAlternatives(reader: NameReader): string | undefined {
  const alternatives: string[] = [];
  reader.depth++;
  for (;;) {
    const source = readName(reader);
    if (source === undefined) return undefined;
    alternatives.push(source);
    if (takeCharacter(reader) === "}") break;
  }
  reader.depth--;
  return `(?:${alternatives.join("|")})`;
}

/** Ranges behind an opening bracket. A range backwards holds nothing. */
function readClass(reader: NameReader): string | undefined {
  const isNegated = reader.rest.startsWith("^");
  if (isNegated) reader.rest = reader.rest.slice(1);
  const ranges: string[] = [];
  while (!reader.rest.startsWith("]")) {
    const low = readClassCharacter(reader);
    const isRange = reader.rest.startsWith("-");
    if (isRange) reader.rest = reader.rest.slice(1);
    const high = isRange ? readClassCharacter(reader) : low;
    if (low === undefined || high === undefined) return undefined;
    if (low.codePointAt(0)! <= high.codePointAt(0)!) ranges.push(`${quoteInClass(low)}-${quoteInClass(high)}`);
    else ranges.push("");
  }
  reader.rest = reader.rest.slice(1);
  if (ranges.length === 0 && !isNegated) return undefined;
  const inside = ranges.join("");
  if (inside === "") return isNegated ? "." : "[^\\x{0}-\\x{10FFFF}]";
  return `[${isNegated ? "^" : ""}${inside}]`;
}

function readClassCharacter(reader: NameReader): string | undefined {
  const character = takeCharacter(reader);
  if (character === "\\") return takeCharacter(reader);
  return character === "-" || character === "]" ? undefined : character;
}

function takeCharacter(reader: NameReader): string | undefined {
  const code = reader.rest.codePointAt(0);
  if (code === undefined) return undefined;
  const character = String.fromCodePoint(code);
  reader.rest = reader.rest.slice(character.length);
  return character;
}

function quoteInClass(character: string): string {
  return `\\x{${character.codePointAt(0)!.toString(16)}}`;
}
