import type { PrintfValue } from "./printf-value.ts";

/** One `%…` of a format, its stars already replaced by their arguments. */
export interface Directive {
  readonly verb: string;
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width?: number;
  readonly precision?: number;
  /** `%#v`: the value as Go source. The sharp flag is off then. */
  readonly goSyntax: boolean;
  /** `%+v`: with the names of fields. The plus flag is off then. */
  readonly detailed: boolean;
}

/** A directive without flags, width or precision; give it a verb. */
export const plainDirective: Directive = {
  verb: "v",
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  goSyntax: false,
  detailed: false,
};

export interface ParsedDirective {
  readonly kind: "directive" | "badIndex" | "noVerb";
  readonly directive: Directive;
  /** Where the format goes on. */
  readonly end: number;
  /** The argument this directive takes. */
  readonly next: number;
  readonly reordered: boolean;
  /** `%!(BADWIDTH)` and `%!(BADPREC)`, which come before what is formatted. */
  readonly complaints: readonly string[];
}

/** Numbers in a format beyond this are not taken, as in Go. */
const largestNumber = 1_000_000;

/** Reads the directive that begins at the percent sign at `start`; `next` is the argument that would be used. */
export function parseDirective(
  format: string,
  start: number,
  args: readonly PrintfValue[],
  next: number,
): ParsedDirective {
  const reader = new DirectiveReader(format, start + 1, args, next);
  const flags = reader.flags();
  reader.index();
  const width = reader.number("width");
  const isDotted = !reader.isAtLast && reader.take(".");
  if (isDotted) reader.forbidIndexBefore();
  if (isDotted) reader.index();
  const precision = isDotted ? reader.number("precision") : undefined;
  if (!reader.afterIndex) reader.index();
  const verb = reader.verb();
  const minus = flags.has("-") || (width !== undefined && width < 0);
  const goSyntax = verb === "v" && flags.has("#");
  const detailed = verb === "v" && flags.has("+");
  const directive: Directive = {
    verb: verb ?? "",
    plus: flags.has("+") && !detailed,
    minus,
    sharp: flags.has("#") && !goSyntax,
    space: flags.has(" "),
    // Zeros never go to the right of a number.
    zero: flags.has("0") && !(width !== undefined && width < 0),
    goSyntax,
    detailed,
    ...(width === undefined ? {} : { width: Math.abs(width) }),
    ...(precision === undefined ? (isDotted && !reader.droppedPrecision ? { precision: 0 } : {}) : { precision }),
  };
  const kind = verb === undefined ? "noVerb" : reader.isIndexGood ? "directive" : "badIndex";
  return {
    kind,
    directive,
    end: reader.offset,
    next: reader.next,
    reordered: reader.reordered,
    complaints: reader.complaints,
  };
}

class DirectiveReader {
  offset: number;
  next: number;
  reordered = false;
  isIndexGood = true;
  droppedPrecision = false;
  /** Whether an index was just read: what follows must be a star or a verb. */
  afterIndex = false;
  readonly complaints: string[] = [];
  readonly #format: string;
  readonly #args: readonly PrintfValue[];

  constructor(format: string, offset: number, args: readonly PrintfValue[], next: number) {
    this.#format = format;
    this.offset = offset;
    this.#args = args;
    this.next = next;
  }

  /** At the last character of the format, which can only be a verb. */
  get isAtLast(): boolean {
    return this.offset === this.#format.length - 1;
  }

  take(character: string): boolean {
    if (this.#format[this.offset] !== character) return false;
    this.offset++;
    return true;
  }

  flags(): ReadonlySet<string> {
    const flags = new Set<string>();
    while ("+-# 0".includes(this.#format[this.offset] ?? "x")) flags.add(this.#format[this.offset++]!);
    return flags;
  }

  /** `[n]`, which says what argument is meant. */
  index(): void {
    this.afterIndex = false;
    if (this.#format[this.offset] !== "[") return;
    this.reordered = true;
    const close = this.#format.indexOf("]", this.offset);
    if (close < 0) {
      this.isIndexGood = false;
      this.offset++;
      return;
    }
    const text = this.#format.slice(this.offset + 1, close);
    this.offset = close + 1;
    this.afterIndex = /^[0-9]+$/.test(text);
    const index = this.afterIndex ? Number(text) - 1 : -1;
    if (index >= 0 && index < this.#args.length) this.next = index;
    else this.isIndexGood = false;
  }

  forbidIndexBefore(): void {
    if (this.afterIndex) this.isIndexGood = false;
  }

  /** A width or precision: digits, or a star that takes an argument. */
  number(what: "width" | "precision"): number | undefined {
    if (this.take("*")) return this.#star(what);
    const digits = /^[0-9]*/.exec(this.#format.slice(this.offset, this.offset + 8))![0];
    if (digits === "") return undefined;
    if (this.afterIndex) this.isIndexGood = false;
    this.offset += digits.length;
    return Number(digits) > largestNumber ? undefined : Number(digits);
  }

  verb(): string | undefined {
    const code = this.#format.codePointAt(this.offset);
    if (code === undefined) return undefined;
    const verb = String.fromCodePoint(code);
    this.offset += verb.length;
    return verb;
  }

  #star(what: "width" | "precision"): number | undefined {
    this.afterIndex = false;
    const argument = this.#args[this.next];
    if (argument) this.next++;
    const value = argument?.kind === "integer" ? Number(argument.value) : Number.NaN;
    const isNumber = Math.abs(value) <= largestNumber;
    if (!isNumber) this.complaints.push(what === "width" ? "%!(BADWIDTH)" : "%!(BADPREC)");
    if (what === "precision" && (!isNumber || value < 0)) {
      // A negative precision is none at all; Go counts it as bad when it comes from an argument.
      this.droppedPrecision = true;
      if (isNumber) this.complaints.push("%!(BADPREC)");
      return undefined;
    }
    return isNumber ? value : undefined;
  }
}
