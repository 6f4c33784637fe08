import type { Diagnostic, Severity } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { parseBigFloat } from "@millwright/value/number";
import { numberValue } from "@millwright/value/value";
import type { Expression, JsonNode, JsonProperty, Node } from "./ast.ts";
import type { Span } from "./cursor.ts";
import { maximumNesting, mostDiagnostics } from "./cursor.ts";
import type { DecodedString } from "./json-string.ts";
import { decodeJsonString, templateInString } from "./json-string.ts";
import type { SourceFile } from "./source-file.ts";
import { rangeBetween } from "./source-file.ts";

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const assign = 0x3d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
/** What stands behind the last character. */
const endOfFile = -1;

type Closer = typeof closeBrace | typeof closeBracket;

const numberSyntax = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const numberCharacters = /[-+.eE0-9]+/y;
const wordCharacters = /[A-Za-z_]+/y;

const valueNeeded =
  "A value is expected here: an object { … }, an array [ … ], a string in double quotes, a number, true, false or null.";

/**
 * Reads JSON text in one pass. Where an object or array goes wrong it says so, keeps what it has, and goes on behind its
 * closing bracket.
 */
export class JsonReader {
  readonly #file: SourceFile;
  readonly #text: string;
  readonly #diagnostics: Diagnostic[];
  #at = 0;
  #depth = 0;
  /** How many arrays and objects are open. */
  #arrays = 0;
  #objects = 0;
  /** Whether it was said that something is not closed before the end. */
  #saidUnclosed = false;
  /** Whether a string without its closing quote was just read, so that what follows may belong to it. */
  #lost = false;

  constructor(file: SourceFile, diagnostics: Diagnostic[]) {
    this.#file = file;
    this.#text = file.text;
    this.#diagnostics = diagnostics;
  }

  /** The one value of the text; undefined where none begins. */
  document(): JsonNode | undefined {
    const broken = this.#file.brokenBytes[0];
    if (broken !== undefined) {
      const detail = "This byte is not UTF-8, and was replaced. Choose UTF-8 in your editor and save the file again.";
      this.#say("warning", "Invalid character encoding", detail, { start: broken, end: broken + 1 });
    }
    const said = this.#diagnostics.length;
    const value = this.#value();
    if (this.#diagnostics.length === said && this.#peek() !== endOfFile) {
      this.#fault("Extraneous data after value", "The JSON value is complete before this. Remove what follows.");
    }
    return value;
  }

  /** Goes past white space and gives the character there. */
  #peek(): number {
    const text = this.#text;
    let i = this.#at;
    for (; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
    }
    this.#at = i;
    return i < text.length ? text.charCodeAt(i) : endOfFile;
  }

  #node(start: number, end: number): Node {
    return { file: this.#file, start, end };
  }

  #say(severity: Severity, summary: string, detail: string, subject: Span, context?: Span): void {
    if (this.#diagnostics.length >= mostDiagnostics) return;
    const range = (span: Span) => rangeBetween(this.#file, span.start, span.end);
    const place = { subject: range(subject), ...(context ? { context: range(context) } : {}) };
    this.#diagnostics.push({ severity, summary, detail, ...place });
  }

  /** Says what is wrong, at the token that comes next unless told where. */
  #fault(summary: string, detail: string, subject: Span = this.#tokenHere(), context?: Span): undefined {
    this.#say("error", summary, detail, subject, context);
    return undefined;
  }

  /** The stretch of what would be read as one token here. */
  #tokenHere(): Span {
    const c = this.#peek();
    const start = this.#at;
    if (c === endOfFile) return { start, end: start };
    if (c === quote) return { start, end: decodeJsonString(this.#text, start).end };
    const characters = startsNumber(c) ? numberCharacters : startsWord(c) ? wordCharacters : undefined;
    if (characters) return { start, end: this.#endOf(characters, start) };
    return { start, end: start + (this.#text.codePointAt(start)! > 0xffff ? 2 : 1) };
  }

  #endOf(characters: RegExp, start: number): number {
    characters.lastIndex = start;
    characters.test(this.#text);
    return characters.lastIndex;
  }

  #value(): JsonNode | undefined {
    const c = this.#peek();
    switch (c) {
      case openBrace:
      case openBracket:
        return this.#nested(c);
      case quote:
        return this.#string();
      case closeBrace:
        return this.#fault("Missing JSON value", valueNeeded);
      case closeBracket:
        return this.#fault("Missing array element value", valueNeeded);
      case endOfFile:
        return this.#fault("Missing value", "A JSON value is expected here, but the file ends.");
    }
    if (startsNumber(c)) return this.#number();
    if (startsWord(c)) return this.#word();
    return this.#fault("Invalid start of value", valueNeeded);
  }

  #nested(opener: number): JsonNode {
    const start = this.#at;
    if (this.#depth >= maximumNesting) {
      this.#fault("Nesting too deep", `JSON can be nested at most ${maximumNesting} levels deep.`);
      this.#at++;
      this.#skipTo(opener === openBrace ? closeBrace : closeBracket);
      this.#at = Math.min(this.#at + 1, this.#text.length);
      return { kind: "jsonNull", ...this.#node(start, this.#at) };
    }
    this.#depth++;
    const value = opener === openBrace ? this.#object() : this.#array();
    this.#depth--;
    return value;
  }

  #object(): JsonNode {
    const open = this.#node(this.#at, ++this.#at);
    this.#objects++;
    const properties: JsonProperty[] = [];
    if (this.#peek() !== closeBrace) {
      while (this.#property(properties, open) && this.#separated(closeBrace, open));
    }
    const close = this.#close(closeBrace);
    this.#objects--;
    return { kind: "jsonObject", ...this.#node(open.start, close.end), properties, open, close };
  }

  #array(): JsonNode {
    const open = this.#node(this.#at, ++this.#at);
    this.#arrays++;
    const elements: JsonNode[] = [];
    if (this.#peek() !== closeBracket) {
      for (;;) {
        const element = this.#peek() === endOfFile ? this.#unclosed(open) : this.#value();
        if (!element) break;
        elements.push(element);
        if (!this.#separated(closeBracket, open)) break;
      }
    }
    const close = this.#close(closeBracket);
    this.#arrays--;
    return { kind: "jsonArray", ...this.#node(open.start, close.end), elements, open };
  }

  /** Goes past the closing bracket, over all that is before it after a fault. */
  #close(closer: Closer): Node {
    this.#skipTo(closer);
    const start = this.#at;
    const found = start < this.#text.length && this.#text.charCodeAt(start) === closer;
    if (found) this.#at++;
    return this.#node(start, this.#at);
  }

  /** Reads `"name": value`; false where the object cannot go on behind it. */
  #property(properties: JsonProperty[], open: Node): boolean {
    const c = this.#peek();
    if (c === endOfFile) return this.#unclosed(open) ?? false;
    if (c !== quote) {
      this.#fault("Invalid object property name", "The name of a property is a string in double quotes.");
      return false;
    }
    const start = this.#at;
    const name = this.#decode();
    const nameNode = this.#node(start, name.end);
    if (!this.#colon()) return false;
    const value = this.#value();
    if (!value) return false;
    properties.push({
      ...this.#node(start, value.end),
      name: name.text,
      nameNode,
      nameTemplate: this.#template(nameNode, name),
      value,
    });
    return true;
  }

  #colon(): boolean {
    if (this.#lost) return false;
    const c = this.#peek();
    if (c === colon) {
      this.#at++;
      return true;
    }
    if (c === closeBrace || c === comma) {
      const detail =
        'Each property of an object has a value: "name": value. Without values, it is an array, in square brackets.';
      this.#fault("Missing object value", detail);
    } else {
      const detail =
        c === assign
          ? "In JSON a colon stands between name and value, not an equals sign."
          : "A colon stands between the name of a property and its value.";
      this.#fault("Missing property value colon", detail);
    }
    return false;
  }

  /** Goes past the comma behind a property or element; false where there is none, or none may be. */
  #separated(closer: Closer, open: Node): boolean {
    if (this.#lost) return false;
    const what = closer === closeBrace ? "object" : "array";
    const c = this.#peek();
    if (c === closer) return false;
    if (c === endOfFile) return this.#unclosed(open) ?? false;
    if (c === comma) {
      const start = this.#at++;
      if (this.#peek() !== closer) return true;
      const detail = `In JSON no comma follows the last ${closer === closeBrace ? "property of an object" : "element of an array"}. Remove it.`;
      return this.#fault(`Trailing comma in ${what}`, detail, { start, end: start + 1 }) ?? false;
    }
    if (c === closeBracket) this.#fault("Mismatched braces", "An object is closed with a brace, }.");
    else if (c === closeBrace) this.#fault("Mismatched brackets", "An array is closed with a square bracket, ].");
    else if (c === colon && closer === closeBracket) {
      this.#fault(
        "Invalid array value",
        "An array has values without names; for names and values use an object, in braces.",
      );
    } else this.#fault("Missing attribute separator comma", `A comma stands between each two values of an ${what}.`);
    return false;
  }

  #unclosed(open: Node): undefined {
    if (this.#saidUnclosed) return undefined;
    this.#saidUnclosed = true;
    const what = this.#text.charCodeAt(open.start) === openBrace ? "object" : "array";
    return this.#fault(`Unclosed ${what}`, `The ${what} that begins here is not closed before the file ends.`, open);
  }

  /** Goes to the next `closer` that closes nothing opened on the way, or to what closes something further out. */
  #skipTo(closer: Closer): void {
    this.#lost = false;
    const open: number[] = [];
    for (let c = this.#peek(); c !== endOfFile; c = this.#peek()) {
      if (c === closeBrace || c === closeBracket) {
        if (open.length > 0) {
          if (open.at(-1) === c) open.pop();
        } else if (c === closer || (c === closeBrace ? this.#objects : this.#arrays) > 0) return;
      } else if (c === openBrace) open.push(closeBrace);
      else if (c === openBracket) open.push(closeBracket);
      this.#at = c === quote ? decodeJsonString(this.#text, this.#at).end : this.#at + 1;
    }
  }

  #string(): JsonNode {
    const start = this.#at;
    const decoded = this.#decode();
    const place = this.#node(start, decoded.end);
    return { kind: "jsonString", ...place, text: decoded.text, template: this.#template(place, decoded) };
  }

  #decode(): DecodedString {
    const start = this.#at;
    const decoded = decodeJsonString(this.#text, start);
    this.#at = decoded.end;
    this.#lost = !decoded.closed;
    for (const { subject, detail } of decoded.faults) {
      const isPart = subject.start > start;
      this.#fault("Invalid JSON string", detail, subject, isPart ? { start, end: decoded.end } : undefined);
    }
    return decoded;
  }

  #template(place: Node, { text, hasEscapes }: DecodedString): () => Expression {
    const file = this.#file;
    let template: Expression | undefined;
    return () => {
      template ??= templateInString(file, place, text, hasEscapes);
      return template;
    };
  }

  #number(): JsonNode {
    const start = this.#at;
    this.#at = this.#endOf(numberCharacters, start);
    const place = this.#node(start, this.#at);
    const text = this.#text.slice(start, this.#at);
    const number = numberSyntax.test(text) ? parseBigFloat(text) : undefined;
    if (number) return { kind: "jsonNumber", ...place, value: numberValue(number) };
    const detail =
      "A number in JSON is digits without leading zeros, perhaps a dot and digits, perhaps e and an exponent.";
    this.#fault("Invalid JSON number", detail, place);
    return { kind: "jsonNull", ...place };
  }

  #word(): JsonNode {
    const start = this.#at;
    this.#at = this.#endOf(wordCharacters, start);
    const place = this.#node(start, this.#at);
    const word = this.#text.slice(start, this.#at);
    if (word === "true" || word === "false") return { kind: "jsonBool", ...place, value: word === "true" };
    if (word !== "null") {
      const meant = similar(word.toLowerCase(), ["true", "false", "null"]);
      const hint = meant ? `Did you mean ${meant}?` : "A text is written in double quotes.";
      this.#fault(
        "Invalid JSON keyword",
        `"${word}" is no word of JSON, which has true, false and null. ${hint}`,
        place,
      );
    }
    return { kind: "jsonNull", ...place };
  }
}

function startsNumber(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x2b || c === 0x2e;
}

function startsWord(c: number): boolean {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a);
}
