/** Why a text is not JSON, in the words of Go's `encoding/json`. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
}

/** How deep arrays and objects may stand in each other: what the stack of a small thread holds. */
const deepest = 1_000;

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;

/** Reads one JSON document (RFC 8259). What becomes of a number is for `number` to say, which gets its text. */
export class JsonParser {
  readonly #text: string;
  readonly #number: (text: string) => unknown;
  #at = 0;
  #depth = 0;

  constructor(text: string, number: (text: string) => unknown) {
    this.#text = text;
    this.#number = number;
  }

  /** The document; throws {@link JsonSyntaxError}. */
  parse(): unknown {
    const value = this.#value(this.#next());
    if (this.#at < this.#text.length && !Number.isNaN(this.#next())) {
      throw new JsonSyntaxError("extraneous data after JSON object");
    }
    return value;
  }

  /** Passes over white space. The code of the character that is next then; NaN at the end. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at++;
    }
  }

  #value(code: number): unknown {
    switch (code) {
      case quote:
        return this.#string();
      case openBrace:
        return this.#nested(() => this.#object());
      case openBracket:
        return this.#nested(() => this.#array());
      case 0x74:
        return this.#literal("true", true);
      case 0x66:
        return this.#literal("false", false);
      case 0x6e:
        return this.#literal("null", null);
      default:
        if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.#numeric();
        throw this.#invalid("looking for beginning of value");
    }
  }

  #nested(read: () => unknown): unknown {
    if (++this.#depth > deepest) throw new JsonSyntaxError("exceeded max depth");
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #array(): unknown[] {
    const elements: unknown[] = [];
    let code = this.#next();
    if (code === closeBracket) {
      this.#at++;
      return elements;
    }
    for (;;) {
      elements.push(this.#value(code));
      code = this.#next();
      if (code !== comma && code !== closeBracket) throw this.#invalid("after array element");
      this.#at++;
      if (code === closeBracket) return elements;
      code = this.#next();
    }
  }

  #object(): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    let code = this.#next();
    if (code === closeBrace) {
      this.#at++;
      return record;
    }
    for (;;) {
      if (code !== quote) throw this.#invalid("looking for beginning of object key string");
      const key = this.#string();
      if (this.#next() !== colon) throw this.#invalid("after object key");
      this.#at++;
      setKey(record, key, this.#value(this.#next()));
      code = this.#next();
      if (code !== comma && code !== closeBrace) throw this.#invalid("after object key:value pair");
      this.#at++;
      if (code === closeBrace) return record;
      code = this.#next();
    }
  }

  #literal(word: string, value: unknown): unknown {
    if (this.#text.startsWith(word, this.#at)) {
      this.#at += word.length;
      return value;
    }
    let i = 1;
    while (this.#text[this.#at + i] === word[i]) i++;
    this.#at += i;
    throw this.#invalid(`in literal ${word} (expecting '${word[i]}')`);
  }

  #numeric(): unknown {
    numberPattern.lastIndex = this.#at;
    const text = numberPattern.exec(this.#text)?.[0];
    if (text === undefined) {
      this.#at++;
      throw this.#invalid("in numeric literal");
    }
    this.#at += text.length;
    const code = this.#text.charCodeAt(this.#at);
    // The pattern stops before a point or an exponent that no digit follows.
    if (code === 0x2e && !text.includes(".") && !/[eE]/.test(text)) {
      this.#at++;
      throw this.#invalid("after decimal point in numeric literal");
    }
    if ((code === 0x65 || code === 0x45) && !/[eE]/.test(text)) {
      this.#at += /[+-]/.test(this.#text[this.#at + 1] ?? "") ? 2 : 1;
      throw this.#invalid("in exponent of numeric literal");
    }
    return this.#number(text);
  }

  #string(): string {
    const start = ++this.#at;
    const end = this.#text.indexOf('"', start);
    const body = end < 0 ? "\n" : this.#text.slice(start, end);
    if (!needsCare.test(body)) {
      this.#at = end + 1;
      return body;
    }
    let text = "";
    for (;;) {
      plainStretch.lastIndex = this.#at;
      text += plainStretch.exec(this.#text)![0];
      this.#at = plainStretch.lastIndex;
      const code = this.#text.charCodeAt(this.#at);
      if (code === quote) break;
      if (code !== backslash) throw this.#invalid("in string literal");
      text += this.#escape();
    }
    this.#at++;
    return text.toWellFormed();
  }

  #escape(): string {
    const letter = this.#text[++this.#at];
    const simple = letter === undefined ? undefined : simpleEscapes[letter];
    if (simple === undefined && letter !== "u") throw this.#invalid("in string escape code");
    this.#at++;
    if (simple !== undefined) return simple;
    const hex = /^[0-9a-fA-F]{0,4}/.exec(this.#text.slice(this.#at, this.#at + 4))![0];
    this.#at += hex.length;
    if (hex.length < 4) throw this.#invalid("in \\u hexadecimal character escape");
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  /** What is wrong with the character that is next. */
  #invalid(where: string): JsonSyntaxError {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return new JsonSyntaxError("unexpected EOF");
    return new JsonSyntaxError(`invalid character ${quoted(String.fromCodePoint(code))} ${where}`);
  }
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const needsCare = /[\\\u0000-\u001f\ud800-\udfff]/;
const plainStretch = /[^"\\\u0000-\u001f]*/y;

const simpleEscapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

function quoted(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}

/** Sets a key of a record, `__proto__` like any other. */
export function setKey(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") record[key] = value;
  else Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
}
