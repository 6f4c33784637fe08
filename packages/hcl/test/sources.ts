import { readdirSync, readFileSync } from "node:fs";
import type { Chance } from "./chance.ts";

const folder = new URL("../testdata/parse/", import.meta.url);

/** The configurations that are kept to be read by tests, by their names. */
export const keptSources: ReadonlyMap<string, string> = new Map(
  readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(new URL(name, folder), "utf8")]),
);

/** Bytes of every value, more of them such as the language uses. */
export function randomBytes(chance: Chance): Uint8Array {
  const useful = '{}[]()"$%~<>=!&|?:.,*/+-#\n\r\\ab1 _E\ufeff';
  const length = chance.below(chance.pick([8, 30, 200]));
  return Uint8Array.from({ length }, () =>
    chance.percent(75) ? useful.charCodeAt(chance.below(useful.length)) : chance.below(256),
  );
}

const fragments = [
  ..."{}[]()\"$%~<>=!&|?:.,*/+-#\n\\'`; ",
  "${",
  "%{",
  "~}",
  "$${",
  "<<A\n",
  "A\n",
  "<<-EOT\n",
  "EOT\n",
  "/*",
  "*/",
  "//",
  "::",
  "...",
  "=>",
  "[*]",
  ".*",
  ".0",
  "for",
  "in",
  "if",
  "else",
  "endif",
  "endfor",
  "null",
  "\r\n",
  "\u0301",
  "👩‍👧",
  "\\u12",
  "1e999999999",
  "a = ",
  'b "c" {\n',
  "}\n",
];

/** A piece of a kept or grammatical source, with a few characters taken out, put in or moved. */
export function mutatedSource(chance: Chance): string {
  const whole = chance.percent(50) ? chance.pick([...keptSources.values()]) : grammaticalSource(chance);
  const from = chance.below(whole.length);
  let text = chance.percent(20) ? whole : whole.slice(from, from + 20 + chance.below(300));
  for (let times = 1 + chance.below(4); times > 0; times--) {
    const at = chance.below(text.length + 1);
    const other = chance.below(text.length + 1);
    const change = chance.below(4);
    if (change === 0) text = text.slice(0, at) + text.slice(at + 1 + chance.below(4));
    else if (change === 1) text = text.slice(0, Math.min(at, other)) + text.slice(Math.max(at, other));
    else if (change === 2) text = text.slice(0, at) + chance.pick(fragments) + text.slice(at);
    else text = text.slice(0, at) + text.slice(Math.min(at, other), Math.max(at, other)) + text.slice(at);
  }
  return text;
}

/** A configuration that the grammar allows, made up of all its forms. */
export function grammaticalSource(chance: Chance): string {
  return new Writer(chance).body(2 + chance.below(2));
}

/** An expression that the grammar allows. */
export function grammaticalExpression(chance: Chance): string {
  return new Writer(chance).expression(4);
}

/** The inside of a template that the grammar allows. */
export function grammaticalTemplate(chance: Chance): string {
  return new Writer(chance).template(3, 'text\n line $5 % "quotes" ');
}

class Writer {
  readonly #chance: Chance;
  #names = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  #name(): string {
    return this.#chance.pick(["a", "b-c", "_d", "é", "for", "in", "if", "null", "true", "foo"]);
  }

  /** White space and comments, with newlines where they do not count. */
  #gap(): string {
    return this.#chance.pick(["", " ", "", "\n", " /* c */ ", " # c\n", "\r\n  ", "\t"]);
  }

  #space(): string {
    return this.#chance.pick(["", " ", " ", "/* c */"]);
  }

  #some(most: number, part: () => string, separator: () => string): string {
    return Array.from({ length: this.#chance.below(most + 1) }, part).join(separator());
  }

  body(depth: number): string {
    return this.#some(
      4,
      () => this.#item(depth),
      () => "",
    );
  }

  #item(depth: number): string {
    const chance = this.#chance;
    const name = `n${this.#names++}`;
    if (depth > 0 && chance.percent(35)) {
      const labels = chance.pick(["", ' "label"', " label", ' "a" "b$c"']);
      if (chance.percent(30))
        return `${name}${labels} { x${this.#space()}=${this.#space()}${this.expression(2)}${this.#oneLineEnd()} }\n`;
      return `${name}${labels}${this.#space()}{\n${this.body(depth - 1)}}${chance.pick(["\n", " # c\n"])}`;
    }
    if (chance.percent(15)) return chance.pick(["# c\n", "// c\n", "/* c\n */\n", "\n", "\r\n"]);
    const heredoc = chance.percent(20) ? this.#heredoc(depth) : undefined;
    return `${name}${this.#space()}=${this.#space()}${heredoc ?? this.expression(depth + 1) + chance.pick(["\n", " // c\n", "\r\n"])}`;
  }

  /** Nothing; a place to see that a comment may stand before the closing brace. */
  #oneLineEnd(): string {
    return this.#chance.pick(["", " /* c */"]);
  }

  #heredoc(depth: number): string {
    const mark = this.#chance.pick(["<<", "<<-"]);
    const line = () => `${this.#chance.pick(["", "  ", "    ", "\t"])}${this.template(depth, "text $5 \\n ")}\n`;
    return `${mark}EOT\n${this.#some(3, line, () => "")}${this.#chance.pick(["", "  "])}EOT\n`;
  }

  template(depth: number, text: string): string {
    const strip = () => this.#chance.pick(["", "", "~"]);
    const part = (): string => {
      const choice = depth > 0 ? this.#chance.below(6) : 0;
      if (choice === 1 || choice === 2)
        return `\${${strip()}${this.#gap()}${this.#interpolated(depth)}${this.#gap()}${strip()}}`;
      if (choice === 3) {
        const otherwise = this.#chance.percent(50)
          ? `%{${strip()} else ${strip()}}${this.template(depth - 1, text)}`
          : "";
        return `%{${strip()} if ${this.expression(depth - 1)} ${strip()}}${this.template(depth - 1, text)}${otherwise}%{ endif ${strip()}}`;
      }
      if (choice === 4) {
        const names = this.#chance.pick(["v", "k, v"]);
        return `%{ for ${names} in ${this.expression(depth - 1)} ${strip()}}${this.template(depth - 1, text)}%{${strip()} endfor }`;
      }
      return this.#chance.pick([text, "$${", "%%{", "$", "%", " ", "é"]) + this.#chance.pick(["a", " "]);
    };
    return this.#some(3, part, () => "");
  }

  /** An expression, but not null alone, which no template can hold. */
  #interpolated(depth: number): string {
    const expression = this.expression(depth - 1);
    return expression === "null" ? "a" : expression;
  }

  expression(depth: number): string {
    if (depth <= 0) return this.#leaf();
    const inner = () => this.expression(depth - 1);
    const gap = this.#gap();
    switch (this.#chance.below(14)) {
      case 0:
        return `${inner()} ${this.#chance.pick(["+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||"])} ${inner()}`;
      case 1:
        return `(${gap}${inner()}${gap})`;
      case 2:
        return `[${gap}${this.#some(3, inner, () => `,${gap}`)}${gap}]`;
      case 3:
        return `{${this.#some(
          3,
          () => `${this.#key(depth)}${this.#space()}${this.#chance.pick(["=", ":"])} ${inner()}`,
          () => this.#chance.pick([", ", "\n", ",\n"]),
        )}}`;
      case 4:
        return `${this.#chance.pick(["", "ns::", "a::b::"])}f(${gap}${this.#some(3, inner, () => `,${gap}`)}${gap})`;
      case 5:
        return `"${this.template(depth - 1, 'text \\n \\" \\u00e9 ')}"`;
      case 6:
        return `${this.#chance.pick(["-", "!"])}${this.#leaf()}`;
      case 7:
        return `${inner()} ? ${inner()} : ${inner()}`;
      case 8:
        return this.#reference(depth);
      case 9:
        return `[${gap}for ${this.#chance.pick(["v", "k, v"])} in ${inner()} : ${inner()}${this.#condition(depth)}${gap}]`;
      case 10:
        return `{${gap}for k, v in ${inner()} : ${inner()} => ${inner()}${this.#chance.pick(["", "..."])}${this.#condition(depth)}}`;
      case 11:
        return `(${inner()})${this.#chance.pick([".a", "[0]", "[*].b", ".*.c"])}`;
      default:
        return this.#leaf();
    }
  }

  #condition(depth: number): string {
    return this.#chance.percent(40) ? ` if ${this.expression(depth - 1)}` : "";
  }

  #key(depth: number): string {
    return this.#chance.pick([this.#keyName(), '"k"', "12", `(${this.expression(depth - 1)})`, '"${a}"']);
  }

  /** A bare key. The word `for` would begin another form. */
  #keyName(): string {
    const name = this.#name();
    return name === "for" ? "fore" : name;
  }

  #reference(depth: number): string {
    const steps = [
      ".a",
      ".0",
      '["k"]',
      "[0]",
      "[*]",
      ".*",
      "[*].b",
      ".*.c",
      `[${this.#gap()}${this.expression(depth - 1)}]`,
      ".é-x",
    ];
    return `x${this.#some(
      3,
      () => this.#chance.pick(steps),
      () => "",
    )}`;
  }

  #leaf(): string {
    const word = this.#chance.pick(["a", "true", "null", "x.y.z", 'x["k"]', '"s"', '""', "each.value"]);
    return this.#chance.pick([word, String(this.#chance.below(1000)), "1.5", "2e-3", "0.10"]);
  }
}
