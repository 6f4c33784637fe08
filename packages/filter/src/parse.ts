import { compileRegexp } from "@millwright/text/regexp";
import { unquote } from "@millwright/text/quote";
import type { Binding, Expression, Match, Selector } from "./expression.ts";

/** Why a text is no filter. */
export interface FilterFault {
  /** What was expected, and what to do. */
  readonly message: string;
  /** Where, counted in characters from 1. */
  readonly position: number;
}

export type ParsedExpression =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly fault: FilterFault };

/** Parses a filter; the grammar is that of go-bexpr (https://github.com/hashicorp/go-bexpr, `grammar/grammar.peg`). */
export function parseExpression(text: string): ParsedExpression {
  const parser = new Parser(text);
  try {
    return { ok: true, expression: parser.whole() };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ok: false, fault: { message: error.message, position: error.at + 1 } };
  }
}

/** Leaves the parser where the text cannot be one; never leaves this module. */
class Fault extends Error {
  override readonly name = "Fault";
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Braces and parentheses within each other; more would be a stack overflow waiting to happen. */
const deepest = 100;

const identifier = /[a-zA-Z][a-zA-Z0-9_/]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?=[\s)}]|$)/y;
const quoted = /"[^"]*"|`[^`]*`/y;
const pointer = /"(?:\/[\p{L}\p{N}\-_.~:|]+)+"/uy;
const digits = /[0-9]+/y;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Expression {
    const expression = this.#or();
    this.#space();
    if (this.#at === this.#text.length) return expression;
    if (this.#text[this.#at] === ")") throw this.#fault("this parenthesis was not opened");
    throw this.#fault('expected "and", "or" or the end');
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#word("or")) left = { kind: "or", left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#word("and")) left = { kind: "and", left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    // `not` may also be a field's name, as in `not == "x"`: an operator behind it tells.
    if (this.#startsWord("not") && !this.#operatorFollows("not")) {
      this.#word("not");
      return { kind: "not", operand: this.#nested(() => this.#not()) };
    }
    return this.#group();
  }

  #group(): Expression {
    if (this.#symbol("(")) {
      const expression = this.#nested(() => this.#or());
      if (!this.#symbol(")")) throw this.#fault('expected ")"');
      return expression;
    }
    for (const kind of ["any", "all"] as const) {
      if (this.#startsWord(kind) && !this.#operatorFollows(kind)) return this.#collection(kind);
    }
    return this.#match();
  }

  #collection(kind: "any" | "all"): Expression {
    this.#word(kind);
    const selector = this.#selector();
    if (!selector) throw this.#fault(`expected the name of a list or map behind "${kind}"`);
    if (!this.#word("as")) throw this.#fault(`expected "as", as in: ${kind} Tags as tag { tag == "web" }`);
    const binding = this.#binding();
    if (!this.#symbol("{")) throw this.#fault('expected "{"');
    const inner = this.#nested(() => this.#or());
    if (!this.#symbol("}")) throw this.#fault('expected "}"');
    return { kind, selector, binding, inner };
  }

  #binding(): Binding {
    const first = this.#bound();
    const comma = this.#symbol(",");
    if (!comma && first === "_") throw this.#fault('expected "," behind "_"');
    if (!comma) return { kind: "one", name: first };
    this.#space();
    const from = this.#at;
    const second = this.#bound();
    if (first === second) throw new Fault(from, "the two names must differ");
    const named = (name: string) => (name === "_" ? undefined : name);
    return { kind: "two", index: named(first), value: named(second) };
  }

  #bound(): string {
    this.#space();
    if (this.#text[this.#at] === "_") {
      this.#at++;
      return "_";
    }
    const name = this.#take(identifier);
    if (name === undefined) throw this.#fault("expected a name for the items");
    return name;
  }

  #match(): Match {
    const from = this.#at;
    const selector = this.#selector();
    if (selector) {
      const match = this.#behindSelector(selector);
      if (match) return match;
    }
    this.#at = from;
    return this.#valueFirst();
  }

  #behindSelector(selector: Selector): Match | undefined {
    if (this.#symbol("==")) return { kind: "equals", negated: false, selector, value: this.#value() };
    if (this.#symbol("!=")) return { kind: "equals", negated: true, selector, value: this.#value() };
    if (this.#word("is")) {
      const negated = this.#word("not");
      if (this.#word("empty")) return { kind: "is-empty", negated, selector };
      throw this.#fault(`expected "${negated ? "" : 'not empty" or "'}empty"`);
    }
    const from = this.#at;
    const negated = this.#word("not");
    if (this.#word("contains")) return { kind: "contains", negated, selector, value: this.#value() };
    if (this.#word("matches")) return { kind: "matches", negated, selector, value: this.#pattern() };
    this.#at = from;
    return undefined;
  }

  #valueFirst(): Match {
    this.#space();
    const from = this.#at;
    const value = this.#optionalValue();
    if (value === undefined) throw this.#fault("expected a selector, as in: Service == web");
    const negated = this.#word("not");
    if (!this.#word("in")) {
      const known = '"==", "!=", "in", "contains", "matches" or "is empty"';
      // Nothing stands in front of what follows: then the value itself is what is odd.
      if (this.#at < this.#text.length || negated) throw this.#fault(`expected ${known}`);
      throw new Fault(this.#at, `expected ${known} behind ${this.#text.slice(from).trim()}`);
    }
    const selector = this.#selector();
    if (!selector) throw this.#fault('expected a selector behind "in"');
    return { kind: "contains", negated, selector, value };
  }

  #pattern(): string {
    this.#space();
    const from = this.#at;
    const pattern = this.#value();
    const compiled = compileRegexp(pattern);
    if (!compiled.ok) throw new Fault(from, compiled.error);
    return pattern;
  }

  #value(): string {
    const value = this.#optionalValue();
    if (value === undefined) throw this.#fault("expected a value: a word, a number or a quoted text");
    return value;
  }

  #optionalValue(): string | undefined {
    this.#space();
    const literal = this.#take(quoted);
    if (literal !== undefined) return this.#unquoted(literal);
    const found = this.#take(number);
    if (found !== undefined) return found;
    if (this.#at < this.#text.length && /["`]/.test(this.#text[this.#at]!))
      throw this.#fault("this quote is not closed");
    return this.#selector()?.join(".");
  }

  #selector(): Selector | undefined {
    this.#space();
    const jsonPointer = this.#take(pointer);
    // RFC 6901: ~1 is a slash within a name, ~0 a tilde.
    if (jsonPointer !== undefined) {
      const parts = jsonPointer.slice(2, -1).split("/");
      return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    }
    const first = this.#take(identifier);
    if (first === undefined) return undefined;
    const path = [first];
    for (let next = this.#pathStep(); next !== undefined; next = this.#pathStep()) path.push(next);
    return path;
  }

  #pathStep(): string | undefined {
    if (this.#text[this.#at] === ".") {
      this.#at++;
      const name = this.#take(identifier) ?? this.#take(digits);
      if (name === undefined) throw this.#fault('expected a name behind "."');
      return name;
    }
    if (this.#text[this.#at] !== "[") return undefined;
    this.#at++;
    this.#space();
    const literal = this.#take(quoted);
    if (literal === undefined) throw this.#fault('expected a quoted name, as in: Meta["env"]');
    const name = this.#unquoted(literal);
    if (!this.#symbol("]")) throw this.#fault('expected "]"');
    return name;
  }

  #unquoted(literal: string): string {
    const text = unquote(literal);
    if (text === undefined) throw new Fault(this.#at - literal.length, `${literal} has an escape that does not exist`);
    return text;
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > deepest) throw this.#fault(`more than ${deepest} levels deep`);
    const result = parse();
    this.#depth--;
    return result;
  }

  // Whether what follows the word makes it a selector and no keyword.
  #operatorFollows(word: string): boolean {
    this.#space();
    return /^(?:[.[]|\s*(?:==|!=)|\s+(?:(?:not\s+)?(?:in|contains|matches)|is\s+(?:not\s+)?empty)(?:\s|$))/.test(
      this.#text.slice(this.#at + word.length),
    );
  }

  #startsWord(word: string): boolean {
    this.#space();
    if (!this.#text.startsWith(word, this.#at)) return false;
    return !/[a-zA-Z0-9_/]/.test(this.#text[this.#at + word.length] ?? "");
  }

  #word(word: string): boolean {
    if (!this.#startsWord(word)) return false;
    this.#at += word.length;
    return true;
  }

  #symbol(symbol: string): boolean {
    this.#space();
    if (!this.#text.startsWith(symbol, this.#at)) return false;
    this.#at += symbol.length;
    return true;
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fault(message: string): Fault {
    this.#space();
    return new Fault(this.#at, message);
  }
}
