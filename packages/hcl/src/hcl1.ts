import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { boolValue, numberValue, stringValue } from "@millwright/value/value";
import type { Value } from "@millwright/value/value";
import type { Body, Node } from "./ast.ts";
import { maximumNesting } from "./cursor.ts";
import type { Hcl1Token } from "./hcl1-scanner.ts";
import { Hcl1Scanner } from "./hcl1-scanner.ts";
import { hcl1HeredocValue, hcl1StringValue } from "./hcl1-text.ts";
import type { Hcl1Item, Hcl1Key, Hcl1Object, Hcl1Value } from "./hcl1-tree.ts";
import { bodyOfObject } from "./hcl1-tree.ts";
import type { SourceFile } from "./source-file.ts";
import { rangeBetween } from "./source-file.ts";

/**
 * Reads a file in HCL 1, the grammar that these tools had before HCL 2 (hashicorp/hcl, version 1), into the same tree.
 *
 * Newlines mean nothing, commas between items may be left out, keys may be quoted, numbers may be hexadecimal or octal,
 * and there are no expressions: `${…}` and `%{…}` stay in strings as text. An item with an equals sign is an attribute,
 * one without is a block with its further keys as labels; as HCL 1 does not tell `x = { … }` from `x { … }`, a schema
 * that asks for the other form gets it ({@link Body.interchangeable}). Of attributes with one name the last holds.
 *
 * Never throws; a fault in one item leaves the others.
 */
export function parseHcl1File(file: SourceFile): Diagnosed<Body> {
  const parser = new Hcl1Parser(file);
  const root = parser.file();
  return { value: bodyOfObject(root, parser.diagnostics), diagnostics: parser.diagnostics };
}

/** How many faults are told; a text that is no HCL 1 at all would have one a line. */
const mostFaults = 50;

class Hcl1Parser {
  readonly diagnostics: Diagnostic[] = [];
  readonly #file: SourceFile;
  readonly #scanner: Hcl1Scanner;
  #token: Hcl1Token;
  #depth = 0;

  constructor(file: SourceFile) {
    this.#file = file;
    this.#scanner = new Hcl1Scanner(file, (summary, detail, start, end) => this.#tell(summary, detail, { start, end }));
    this.#token = this.#scanner.next();
  }

  file(): Hcl1Object {
    const start = this.#node(0, 0);
    const items: Hcl1Item[] = [];
    for (;;) {
      this.#items(items);
      if (this.#token.kind === "end") break;
      this.#tell("Unexpected closing brace", "This closing brace matches no opening one: remove it.", this.#token);
      this.#next();
    }
    const end = this.#node(this.#token.start, this.#token.start);
    return { kind: "object", ...this.#node(0, this.#token.start), items, open: start, close: end };
  }

  #next(): Hcl1Token {
    const token = this.#token;
    this.#token = this.#scanner.next();
    return token;
  }

  #node(start: number, end: number): Node {
    return { file: this.#file, start, end };
  }

  #tell(summary: string, detail: string, place: { readonly start: number; readonly end: number }): void {
    if (this.diagnostics.length >= mostFaults) return;
    const subject = rangeBetween(this.#file, place.start, place.end);
    this.diagnostics.push(errorDiagnostic(summary, detail, { subject }));
  }

  /** What is wrong with a token; an invalid one was told by the scanner. */
  #tellToken(summary: string, detail: string): void {
    if (this.#token.kind !== "invalid") this.#tell(summary, detail, this.#token);
  }

  /** Items up to a closing brace or the end. */
  #items(items: Hcl1Item[]): void {
    while (this.#token.kind !== "closeBrace" && this.#token.kind !== "end") {
      const item = this.#item();
      if (item) items.push(item);
      else this.#skipItem();
      if (this.#token.kind === "comma") this.#next();
    }
  }

  #item(): Hcl1Item | undefined {
    const keys: Hcl1Key[] = [];
    while (this.#token.kind === "identifier" || this.#token.kind === "string") keys.push(this.#key());
    const [first] = keys;
    if (!first) {
      const detail = "A name is expected here, with or without quotes: name = value, or name { … }.";
      this.#tellToken("Missing name", detail);
      return undefined;
    }
    if (this.#token.kind === "assign") {
      if (keys.length > 1) {
        const detail = "An equals sign gives a value to one name. With several names write { … } and no equals sign.";
        this.#tell("Several names before an equals sign", detail, { start: first.start, end: keys.at(-1)!.end });
      }
      this.#next();
      const value = this.#value();
      return value && { keys: [first], isAssigned: true, value };
    }
    if (this.#token.kind === "openBrace") return { keys, isAssigned: false, value: this.#object() };
    const name = keys.map((key) => this.#file.text.slice(key.start, key.end)).join(" ");
    this.#tellToken("Missing value", `Behind ${name} an equals sign and a value is expected, or an opening brace.`);
    return undefined;
  }

  #key(): Hcl1Key {
    const { kind, start, end } = this.#next();
    const text = kind === "string" ? this.#text(start, end) : this.#file.text.slice(start, end);
    return { ...this.#node(start, end), text, isQuoted: kind === "string" };
  }

  #text(start: number, end: number): string {
    return hcl1StringValue(this.#file.text, start, end, (summary, detail, from, to) =>
      this.#tell(summary, detail, { start: from, end: to }),
    );
  }

  #value(): Hcl1Value | undefined {
    const { kind, start, end } = this.#token;
    const text = this.#file.text.slice(start, end);
    switch (kind) {
      case "openBrace":
        return this.#object();
      case "openBracket":
        return this.#list();
      case "string":
        return this.#literal(stringValue(this.#text(start, end)));
      case "heredoc":
        return this.#literal(stringValue(hcl1HeredocValue(text)));
      case "boolean":
        return this.#literal(boolValue(text === "true"));
      case "number":
        return this.#literal(numberValue(numberOf(text)));
      case "identifier": {
        const detail = `There are no references in this syntax. Write "${text}" for text, or "\${${text}}" for what the program puts in.`;
        this.#tell("Missing quotes", detail, this.#token);
        return undefined;
      }
      default: {
        const detail = "A value is expected here: text in quotes, a number, true, false, a list [ … ], or { … }.";
        this.#tellToken("Missing value", detail);
        return undefined;
      }
    }
  }

  #literal(value: Value): Hcl1Value {
    const { start, end } = this.#next();
    return { kind: "literal", ...this.#node(start, end), value };
  }

  #object(): Hcl1Object {
    const open = this.#next();
    const items: Hcl1Item[] = [];
    if (this.#depth >= maximumNesting) this.#skipNested(open, "openBrace", "closeBrace");
    else {
      this.#depth++;
      this.#items(items);
      this.#depth--;
    }
    const { start, end } = this.#token;
    if (this.#token.kind === "closeBrace") this.#next();
    else if (this.#depth < maximumNesting) {
      const detail =
        "The brace that opens here is not closed before the file ends. A brace may be missing further up, too.";
      this.#tell("Unclosed brace", detail, open);
    }
    const openNode = this.#node(open.start, open.end);
    return { kind: "object", ...this.#node(open.start, end), items, open: openNode, close: this.#node(start, end) };
  }

  #list(): Hcl1Value {
    const open = this.#next();
    const elements: Hcl1Value[] = [];
    if (this.#depth >= maximumNesting) this.#skipNested(open, "openBracket", "closeBracket");
    else {
      this.#depth++;
      this.#elements(elements);
      this.#depth--;
    }
    const { end } = this.#token;
    if (this.#token.kind === "closeBracket") this.#next();
    else if (this.#depth < maximumNesting) {
      this.#tell(
        "Unclosed list",
        "The bracket that opens here is not closed. The elements are separated by commas.",
        open,
      );
    }
    return { kind: "list", ...this.#node(open.start, end), elements, open: this.#node(open.start, open.end) };
  }

  /** Elements and commas, in any number; up to a closing bracket, or to what can be no part of a list. */
  #elements(elements: Hcl1Value[]): void {
    let wantsComma = false;
    for (;;) {
      const { kind } = this.#token;
      if (kind === "comma") {
        this.#next();
        wantsComma = false;
      } else if (kind === "closeBracket" || kind === "closeBrace" || kind === "assign" || kind === "end") {
        return;
      } else {
        if (wantsComma) this.#tellToken("Missing comma", "The elements of a list are separated by commas.");
        const element = this.#value();
        if (element) elements.push(element);
        else this.#next();
        wantsComma = element !== undefined && element.kind !== "list";
      }
    }
  }

  /** What lies too deep: up to the closing token of this one. */
  #skipNested(open: Hcl1Token, opener: Hcl1Token["kind"], closer: Hcl1Token["kind"]): void {
    this.#tell("Nesting too deep", `Lists and braces can be nested at most ${maximumNesting} levels deep.`, open);
    let nested = 0;
    for (; this.#token.kind !== "end"; this.#next()) {
      if (this.#token.kind === opener) nested++;
      else if (this.#token.kind === closer && nested-- === 0) return;
    }
  }

  /** After a fault: to the next line that begins with a name, at the same level of braces. */
  #skipItem(): void {
    let nested = 0;
    for (;;) {
      const { kind } = this.#token;
      if (kind === "end" || (kind === "closeBrace" && nested === 0)) return;
      if (kind === "openBrace") nested++;
      else if (kind === "closeBrace") nested--;
      this.#next();
      const { kind: next, isFirstOnLine } = this.#token;
      if (nested === 0 && isFirstOnLine && (next === "identifier" || next === "string")) return;
    }
  }
}

/** A number's value: an integer of any size exactly, a fraction as the nearest double, as HCL 1 has them. */
function numberOf(text: string): number | bigint {
  if (/^-?0[0-7]+$/.test(text)) return signed(text, (digits) => BigInt(`0o${digits.slice(1)}`));
  if (/^-?(?:0[xX]|[0-9]+$)/.test(text)) return signed(text, BigInt);
  return Number(text);
}

function signed(text: string, read: (digits: string) => bigint): bigint {
  return text.startsWith("-") ? -read(text.slice(1)) : read(text);
}
