import { Chance } from "./chance.ts";

/** A valid configuration in an ugly layout: every form of the language, with spaces, comments and line breaks by chance. */
export function uglyConfiguration(seed: number): string {
  const text = new UglyWriter(new Chance(seed)).configuration();
  return seed % 5 === 0 ? text.replaceAll("\n", "\r\n") : text;
}

/** An ugly configuration with a character or two put in or taken away, so that most are no longer valid. */
export function damagedConfiguration(seed: number): string {
  const chance = new Chance(seed ^ 0x5bd1e995);
  const whole = uglyConfiguration(seed);
  let text = whole.length > 600 ? whole.slice(0, 600).replace(/[^\n]*$/, "") : whole;
  for (let damages = 1 + chance.below(2); damages > 0; damages--) {
    const at = chance.below(text.length + 1);
    const put = chance.percent(70) ? chance.pick(damage) : "";
    text = text.slice(0, at) + put + text.slice(at + chance.below(4));
  }
  return text;
}

const damage = [
  ..."{}()[]=,.:?!-*\\'`;\"#",
  ...[
    "\n",
    "\r\n",
    "\t",
    "\u00a0",
    "==",
    "=>",
    "...",
    "${",
    "%{",
    "~}",
    "<<X\n",
    "X\n",
    "/*",
    "*/",
    "//",
    "::",
    "&&",
    "||",
  ],
  ...["for ", " in ", "if", "null", "1", "1e", "0x", "é"],
];

const names = ["a", "b1", "count", "in", "for", "if", "type", "long_name", "with-dash", "größe", "x", "null", "self"];
const words = [
  "x",
  "hello world",
  "",
  "é",
  "日本",
  "a\\nb",
  "$",
  "100%",
  "$$",
  "$${x}",
  "%%{y}",
  '\\"q\\"',
  "#no",
  "//no",
];
const binary = ["+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||"];

class UglyWriter {
  readonly #chance: Chance;
  /** How many brackets within which a newline is no end are open. */
  #loose = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  configuration(): string {
    const body = this.#body(0, "");
    const end = this.#chance.percent(15) ? body.replace(/\n$/, "") : body;
    return end + (this.#chance.percent(10) ? this.#spaces() : "");
  }

  #spaces(): string {
    return this.#chance.pick(["", "", " ", " ", "  ", "\t", "      ", " \t "]);
  }

  /** What may stand between two tokens here. */
  #gap(): string {
    if (this.#chance.percent(4)) return `${this.#spaces()}/* c */${this.#spaces()}`;
    if (this.#loose > 0 && this.#chance.percent(8)) return this.#lineBreak();
    return this.#spaces();
  }

  #lineBreak(): string {
    const comment = this.#chance.percent(25) ? this.#chance.pick(["# c", "// d", "#", "/* e */", "/* f\n g */"]) : "";
    return `${this.#spaces()}${comment}\n${this.#chance.percent(20) ? `${this.#spaces()}\n` : ""}${this.#spaces()}`;
  }

  #lineEnd(): string {
    if (this.#chance.percent(15)) return `${this.#spaces()}${this.#chance.pick(["# c", "// dd", "#", "/* e */"])}\n`;
    return `${this.#spaces()}\n`;
  }

  #body(depth: number, inside: string): string {
    let text = "";
    const taken = new Set<string>();
    for (let items = this.#chance.below(depth === 0 ? 9 : 5); items > 0; items--) {
      if (this.#chance.percent(15)) text += `${this.#spaces()}\n`;
      if (this.#chance.percent(15))
        text += `${this.#spaces()}${this.#chance.pick(["# note", "// note", "/* n */", "/* m\n  m */"])}\n`;
      const name = this.#chance.pick(names);
      if (depth < 3 && this.#chance.percent(30)) text += this.#block(depth);
      else if (!taken.has(name)) text += this.#attribute(name, inside);
      taken.add(name);
    }
    return text;
  }

  #attribute(name: string, inside: string): string {
    const isType = inside === "variable" && name === "type" && this.#chance.percent(60);
    const value = isType
      ? this.#chance.pick(['"string"', '"list"', '"map"', "list", "map", "set", "string", '"number"', "list(string)"])
      : this.#value();
    return `${this.#spaces()}${name}${this.#inline()}=${this.#inline()}${value}${this.#lineEnd()}`;
  }

  /** Spaces where neither a newline nor a comment line may be. */
  #inline(): string {
    return this.#chance.percent(4) ? `${this.#spaces()}/* c */${this.#spaces()}` : this.#spaces();
  }

  #value(): string {
    if (this.#chance.percent(10)) return this.#heredoc();
    if (this.#chance.percent(15)) return this.#wrapped();
    return this.#expression(0);
  }

  #wrapped(): string {
    this.#loose++;
    const breaks = this.#chance.percent(25) ? ["\n", "\n"] : ["", ""];
    const strip = this.#chance.percent(5) ? "~" : "";
    const inner = this.#expression(1);
    this.#loose--;
    // One within another, or a comment line at an end, are where the reference is known to go wrong.
    const value = inner.startsWith('"${') || /(?:#|\/\/)/.test(inner) ? "var.c" : inner;
    return `"\${${strip}${breaks[0]}${this.#spaces()}${value}${this.#spaces()}${breaks[1]}${strip}}"`;
  }

  #block(depth: number): string {
    const type = this.#chance.pick(["resource", "variable", "locals", "dynamic", "x"]);
    let header = type;
    for (let labels = this.#chance.below(3); labels > 0; labels--) {
      const label = this.#chance.pick(['"a"', '"b_c"', "name", '"é"', '"q\\"q"', '"sp ace"', '""', '"\\u0041"']);
      header += `${label.startsWith('"') ? this.#inline() : this.#inline() || " "}${label}`;
    }
    header += `${this.#inline()}{`;
    const end = this.#lineEnd();
    if (this.#chance.percent(10)) return `${this.#spaces()}${header}${this.#spaces()}}${end}`;
    if (this.#chance.percent(15)) {
      const attribute = `${this.#chance.pick(names)}${this.#spaces()}=${this.#spaces()}${this.#expression(1)}`;
      return `${this.#spaces()}${header}${this.#inline()}${attribute}${this.#inline()}}${end}`;
    }
    return `${this.#spaces()}${header}${this.#lineEnd()}${this.#body(depth + 1, depth === 0 ? type : "")}${this.#spaces()}}${end}`;
  }

  #heredoc(): string {
    const flush = this.#chance.percent(50) ? "-" : "";
    const marker = this.#chance.pick(["EOT", "X", "END_1"]);
    let text = `<<${flush}${marker}\n`;
    for (let lines = this.#chance.below(4); lines > 0; lines--) {
      text += `${this.#spaces()}${this.#chance.pick(words)}${this.#templatePart()}${this.#chance.pick(["", " ", "\ttail"])}\n`;
    }
    return `${text}${this.#spaces()}${marker}`;
  }

  #templatePart(): string {
    this.#loose++;
    const inside = () => `${this.#spaces()}${this.#expression(3)}${this.#spaces()}`;
    const parts = [
      () => "",
      () => `\${${inside()}}`,
      () => `\${~${inside()}~}`,
      () =>
        `%{${this.#spaces()}if ${inside()}}yes%{${this.#spaces()}else${this.#spaces()}}no%{ endif${this.#spaces()}}`,
      () => `%{ for x in ${inside()}~}\${${inside()}}%{~endfor }`,
      () => `\${${inside()}}\${${inside()}}`,
    ];
    const part = this.#chance.pick(parts)();
    this.#loose--;
    return part;
  }

  #quoted(): string {
    const before = this.#loose;
    // A template inside quotes keeps to its line.
    this.#loose = Number.NEGATIVE_INFINITY;
    let text = "";
    for (let parts = this.#chance.below(3); parts > 0; parts--) {
      text += this.#chance.percent(50) ? this.#chance.pick(words) : this.#templatePart();
    }
    this.#loose = before;
    // A lone sign at the end of a word would begin a sequence with what follows.
    const apart = text.replaceAll(/([$%])(?=[$%]\{(?![xy]\}))/g, "$1 ");
    return /^\$\{~?\s*"\$\{/.test(apart) ? `"x${apart}"` : `"${apart}"`;
  }

  #expression(depth: number): string {
    const leaf = depth > 3 || this.#chance.percent(35);
    if (leaf) return this.#leaf();
    const next = () => this.#expression(depth + 1);
    const gap = () => this.#gap();
    const forms = [
      () => `${next()}${gap()}${this.#chance.pick(binary)}${gap() || " "}${next()}`,
      () => `${next()}${gap()}?${gap()}${next()}${gap()}:${gap()}${next()}`,
      () => `${this.#chance.pick(["-", "!"])}${this.#spaces()}${this.#leaf()}`,
      () => this.#enclosed("(", ")", () => `${gap()}${next()}${gap()}`),
      () => this.#call(depth),
      () => this.#tuple(depth),
      () => this.#object(depth),
      () => this.#for(depth),
      () => this.#steps(),
      () => this.#quoted(),
    ];
    return this.#chance.pick(forms)();
  }

  #enclosed(open: string, close: string, inside: () => string): string {
    this.#loose++;
    const text = open + inside() + close;
    this.#loose--;
    return text;
  }

  #leaf(): string {
    return this.#chance.pick([
      "1",
      "2.5",
      "1e3",
      "true",
      "null",
      "var.a",
      "local.x[0]",
      '"s"',
      "x",
      "-1",
      '"${var.b}"',
      "[]",
      "{}",
    ]);
  }

  #steps(): string {
    let text = this.#chance.pick(["a", "data.b", "module.c"]);
    for (let steps = this.#chance.below(4); steps > 0; steps--) {
      text += this.#chance.pick([".b", "[0]", '["k"]', "[*]", ".*", " . c", "[ 1 ]", "[each.key]", "[ -1 ]", ".0"]);
    }
    return text;
  }

  #call(depth: number): string {
    const name = this.#chance.pick(["f", "provider::p::g", "max"]);
    return `${name}${this.#spaces()}${this.#enclosed("(", ")", () => this.#list(depth, ",", this.#chance.pick(["", "", "..."])))}`;
  }

  /** Expressions with commas; the last perhaps with a comma, or with what expands it. */
  #list(depth: number, separator: string, final: string): string {
    let text = this.#gap();
    const count = this.#chance.below(4);
    for (let i = 0; i < count; i++) {
      text += `${this.#expression(depth + 1)}${this.#gap()}`;
      if (i < count - 1) text += `${separator}${this.#gap()}`;
    }
    if (count === 0) return text;
    return text + (final !== "" ? final + this.#spaces() : this.#chance.percent(25) ? separator + this.#gap() : "");
  }

  #tuple(depth: number): string {
    return this.#enclosed("[", "]", () => this.#list(depth, ",", ""));
  }

  #object(depth: number): string {
    const outer = this.#loose;
    // Within braces a newline ends an item.
    this.#loose = outer < 0 ? outer : 0;
    const isBroken = outer >= 0 && this.#chance.percent(60);
    const items: string[] = [];
    for (let count = this.#chance.below(4); count > 0; count--) {
      const key = this.#chance.pick(["a", '"k"', "(x)", "long_key", "1", '"a.b"', "b"]);
      items.push(
        `${key}${this.#inline()}${this.#chance.pick(["=", "=", ":"])}${this.#inline()}${this.#expression(depth + 1)}`,
      );
    }
    const lineEnd = () => this.#chance.pick(["", "", ",", " ,"]) + this.#lineBreak();
    const inside = isBroken
      ? this.#lineBreak() + items.map((item) => item + lineEnd()).join("")
      : this.#spaces() + items.join(`${this.#spaces()},${this.#spaces()}`) + this.#spaces();
    this.#loose = outer;
    return `{${inside}}`;
  }

  #for(depth: number): string {
    const next = () => this.#expression(depth + 1);
    const gap = () => this.#gap();
    const space = () => this.#gap() || " ";
    const condition = () => (this.#chance.percent(40) ? `${space()}if${space()}${next()}` : "");
    const intro = () =>
      `for${space()}${this.#chance.pick(["v", "k,v", "k , v"])}${space()}in${space()}${next()}${gap()}:`;
    if (this.#chance.percent(50))
      return this.#enclosed("[", "]", () => `${gap()}${intro()}${gap()}${next()}${condition()}${gap()}`);
    const group = this.#chance.pick(["", "", "..."]);
    return this.#enclosed(
      "{",
      "}",
      () => `${gap()}${intro()}${gap()}${next()}${gap()}=>${gap()}${next()}${group}${condition()}${gap()}`,
    );
  }
}
