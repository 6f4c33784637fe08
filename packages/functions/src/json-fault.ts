import { quoteCharacter } from "@millwright/text/quote";

/**
 * What is wrong with a text that is not JSON, as Go's `encoding/json` says it: `invalid character '}' looking for beginning
 * of value`, `unexpected EOF`.
 */
export function jsonFault(text: string): string {
  const reader = new JsonReader(text);
  try {
    reader.value(" looking for beginning of value");
    return "extraneous data after JSON object";
  } catch (error) {
    if (error instanceof Misread) return error.message;
    throw error;
  }
}

/** Ends the reading; never leaves {@link jsonFault}. */
class Misread extends Error {
  override readonly name = "Misread";
}

/** More brackets than this in each other are taken for a fault, whatever else is wrong. */
const deepest = 1000;

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(context: string): void {
    const character = this.#peek();
    if (character === "{" || character === "[") {
      if (++this.#depth > deepest) throw new Misread("exceeded max depth");
      if (character === "{") this.#object();
      else this.#array();
      this.#depth--;
      return;
    }
    if (character === '"') return this.#string();
    if (/[-0-9]/.test(character)) return this.#number();
    const literal = ["true", "false", "null"].find((word) => word[0] === character);
    if (literal === undefined) this.#wrong(character, context);
    for (const [i, wanted] of [...literal].entries()) {
      const found = this.#take();
      if (found !== wanted) this.#wrong(found, ` in literal ${literal} (expecting ${quoteCharacter(literal[i]!)})`);
    }
  }

  #object(): void {
    this.#at++;
    if (this.#peek() === "}") return this.#skip();
    for (let context = ""; ; context = " looking for beginning of object key string") {
      if (this.#peek() !== '"') this.#wrong(this.#peek(), context);
      this.#string();
      if (this.#peek() !== ":") this.#wrong(this.#peek(), " after object key");
      this.#at++;
      this.value(" looking for beginning of value");
      const next = this.#peek();
      this.#at++;
      if (next === "}") return;
      if (next !== ",") this.#wrong(next, " after object key:value pair");
    }
  }

  #array(): void {
    this.#at++;
    if (this.#peek() === "]") return this.#skip();
    for (;;) {
      this.value(" looking for beginning of value");
      const next = this.#peek();
      this.#at++;
      if (next === "]") return;
      if (next !== ",") this.#wrong(next, " after array element");
    }
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const character = this.#take();
      if (character === '"') return;
      if (character < " ") this.#wrong(character, " in string literal");
      if (character !== "\\") continue;
      const selector = this.#take();
      if (!/["\\/bfnrtu]/.test(selector)) this.#wrong(selector, " in string escape code");
      for (let i = 0; selector === "u" && i < 4; i++) {
        const digit = this.#take();
        if (!/[0-9a-fA-F]/.test(digit)) this.#wrong(digit, " in \\u hexadecimal character escape");
      }
    }
  }

  #number(): void {
    if (this.#text[this.#at] === "-") this.#at++;
    const first = this.#take();
    if (!/[0-9]/.test(first)) this.#wrong(first, " in numeric literal");
    if (first !== "0") this.#digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      this.#digit(" after decimal point in numeric literal");
    }
    if (!/[eE]/.test(this.#text[this.#at] ?? "")) return;
    this.#at++;
    if (/[-+]/.test(this.#text[this.#at] ?? "")) this.#at++;
    this.#digit(" in exponent of numeric literal");
  }

  #digit(context: string): void {
    const character = this.#take();
    if (!/[0-9]/.test(character)) this.#wrong(character, context);
    this.#digits();
  }

  #digits(): void {
    while (/[0-9]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #skip(): void {
    this.#at++;
  }

  /** The next character behind white space, which stays. */
  #peek(): string {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at++;
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw new Misread("EOF");
    return String.fromCodePoint(code);
  }

  /** The very next character, which is used up. */
  #take(): string {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw new Misread("unexpected EOF");
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }

  #wrong(character: string, context: string): never {
    // Go looks at bytes, and shows one as the character of that number.
    const [byte] = new TextEncoder().encode(character);
    throw new Misread(`invalid character ${quoteCharacter(String.fromCharCode(byte!))}${context}`);
  }
}
