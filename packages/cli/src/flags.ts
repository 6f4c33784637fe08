import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { parseDuration, toMilliseconds } from "@millwright/text/duration";

/**
 * Command-line flags as Go's `flag` package reads them: one dash or two, `-name=value` or `-name value`, a bool flag
 * stands alone or takes `=true`/`=false`, `--` ends the flags. With `order: "flags-first"` (what the well-known tools
 * do) the first other argument ends them too; with `order: "anywhere"` flags may follow arguments.
 *
 * `-h`, `-help` and `--help` give `help` wherever a flag may stand, unless the table defines them. A mistake comes back
 * as a diagnostic; nothing is thrown.
 */
export function parseFlags<const T extends FlagTable>(
  table: T,
  args: readonly string[],
  order: FlagOrder,
): ParsedFlags<T> {
  const occurrences: FlagOccurrence<T>[] = [];
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const token = args[i]!;
    if (token === "--") return collect(table, occurrences, [...rest, ...args.slice(i + 1)]);
    if (token.length < 2 || token[0] !== "-") {
      if (order === "flags-first") return collect(table, occurrences, args.slice(i));
      rest.push(token);
      continue;
    }
    const { name, given } = splitFlag(token);
    if (name === "" || name.startsWith("-"))
      return mistake(`bad flag syntax: ${token}`, "Write a flag as -name or -name=value.");
    const flag = lookUp(table, name);
    if (!flag) {
      if (name === "h" || name === "help") return { kind: "help" };
      return unknownFlag(table, name);
    }
    let text = given;
    if (text === undefined && flag.kind === "bool") text = "true";
    if (text === undefined && flag.kind === "string") text = flag.alone;
    if (text === undefined) text = args[++i];
    if (text === undefined) return mistake(`flag needs an argument: -${name}`, `Write -${name}=VALUE.`);
    const value = readValue(flag, text);
    if (value === undefined) {
      return mistake(`invalid value ${JSON.stringify(text)} for flag -${name}`, `Expected ${expected[flag.kind]}.`);
    }
    occurrences.push({ name, text, value });
  }
  return collect(table, occurrences, rest);
}

export type FlagOrder = "flags-first" | "anywhere";

/** One entry a flag, by its name without dashes. */
export type FlagTable = Readonly<Record<string, Flag>>;

/**
 * `strings` may be given several times; of any other kind the last one holds. `uint64` is a bigint, as its values need
 * not fit a number; `duration` is Go's (`1h30m`, `150ms`), in milliseconds.
 */
export type Flag =
  | { readonly kind: "bool"; readonly help: string }
  /** `alone` is the value where the flag stands without one; it takes one by `=` only, then. */
  | { readonly kind: "string"; readonly help: string; readonly value?: string; readonly alone?: string }
  | { readonly kind: "strings"; readonly help: string; readonly value?: string }
  | { readonly kind: "int"; readonly help: string; readonly value?: string }
  | { readonly kind: "uint64"; readonly help: string; readonly value?: string }
  | { readonly kind: "duration"; readonly help: string; readonly value?: string };

export type FlagValues<T extends FlagTable> = { readonly [N in keyof T]: CollectedValue<T[N]["kind"]> };

type CollectedValue<K extends Flag["kind"]> = K extends "bool"
  ? boolean
  : K extends "strings"
    ? readonly string[]
    : SingleValue<K> | undefined;

type SingleValue<K extends Flag["kind"]> = K extends "bool"
  ? boolean
  : K extends "string" | "strings"
    ? string
    : K extends "uint64"
      ? bigint
      : number;

/** One flag as it stood on the line; their order matters where flags override each other (`-var`, `-var-file`). */
export interface FlagOccurrence<T extends FlagTable> {
  readonly name: keyof T & string;
  readonly text: string;
  readonly value: string | boolean | number | bigint;
}

export type ParsedFlags<T extends FlagTable> =
  | {
      readonly kind: "parsed";
      /** Every flag of the table: a bool not given is false, `strings` not given are `[]`, others undefined. */
      readonly values: FlagValues<T>;
      readonly occurrences: readonly FlagOccurrence<T>[];
      readonly args: readonly string[];
    }
  | { readonly kind: "help" }
  | { readonly kind: "mistake"; readonly diagnostic: Diagnostic };

/** The table as help text, a flag a paragraph, in the table's order; `value` names the argument (`-var-file=FILE`). */
export function describeFlags(table: FlagTable): string {
  return Object.entries(table)
    .map(([name, flag]) => {
      const value = flag.kind === "bool" ? "" : `=${flag.value ?? defaultArgument[flag.kind]}`;
      const argument = flag.kind === "string" && flag.alone !== undefined ? `[${value}]` : value;
      return `  -${name}${argument}\n${wrap(flag.help, 74)
        .map((line) => `      ${line}\n`)
        .join("")}`;
    })
    .join("\n");
}

const defaultArgument = { string: "TEXT", strings: "TEXT", int: "N", uint64: "N", duration: "DURATION" } as const;

const expected = {
  bool: "true or false",
  string: "a text",
  strings: "a text",
  int: "a whole number, such as 10",
  uint64: "a whole number from 0 to 18446744073709551615",
  duration: "a duration, such as 30s, 5m or 1h30m",
} as const;

function splitFlag(token: string): { name: string; given: string | undefined } {
  const body = token.slice(token.startsWith("--") ? 2 : 1);
  const equals = body.indexOf("=");
  return equals < 0 ? { name: body, given: undefined } : { name: body.slice(0, equals), given: body.slice(equals + 1) };
}

function lookUp(table: FlagTable, name: string): Flag | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function collect<T extends FlagTable>(
  table: T,
  occurrences: readonly FlagOccurrence<T>[],
  args: readonly string[],
): ParsedFlags<T> {
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(table)) {
    const given = occurrences.filter((o) => o.name === name);
    if (flag.kind === "strings") values[name] = given.map((o) => o.text);
    else values[name] = given.at(-1)?.value ?? (flag.kind === "bool" ? false : undefined);
  }
  return { kind: "parsed", values: values as FlagValues<T>, occurrences, args };
}

function mistake(summary: string, detail: string): { kind: "mistake"; diagnostic: Diagnostic } {
  return { kind: "mistake", diagnostic: errorDiagnostic(summary, detail, { code: "bad-flag" }) };
}

function unknownFlag(table: FlagTable, name: string): { kind: "mistake"; diagnostic: Diagnostic } {
  const near = similar(name, Object.keys(table));
  const detail = near ? `Did you mean -${near}?` : "Use -help to see the flags of this command.";
  return mistake(`flag provided but not defined: -${name}`, detail);
}

function readValue(flag: Flag, text: string): string | boolean | number | bigint | undefined {
  switch (flag.kind) {
    case "bool":
      return readBool(text);
    case "string":
    case "strings":
      return text;
    case "int":
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    case "uint64":
      return readUint64(text);
    case "duration":
      return readDuration(text);
  }
}

function readBool(text: string): boolean | undefined {
  if (/^(1|t|true|T|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|false|F|FALSE|False)$/.test(text)) return false;
  return undefined;
}

function readUint64(text: string): bigint | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = BigInt(text);
  return value < 1n << 64n ? value : undefined;
}

function readDuration(text: string): number | undefined {
  const parsed = parseDuration(text);
  return parsed.ok ? toMilliseconds(parsed.duration) : undefined;
}

/** Text in lines of at most `width` columns, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? lines : [...lines, line];
}
