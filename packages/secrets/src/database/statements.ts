/** One SQL statement of a text that may hold several. */
export interface Statement {
  readonly text: string;
  /** The same with what is quoted or a comment left out: what keywords can be looked for in. */
  readonly code: string;
}

export type SplitStatements =
  | { readonly ok: true; readonly statements: readonly Statement[] }
  /** A sentence: what was opened where and is never closed. */
  | { readonly ok: false; readonly fault: string };

/**
 * Cuts SQL at its semicolons as psql does: not at those in quotes (`'…'`, `E'…'`, `"…"`, `$tag$…$tag$`), comments or
 * parentheses. What holds nothing but comments is left out.
 */
export function splitStatements(sql: string): SplitStatements {
  const statements: Statement[] = [];
  let start = 0;
  let code = "";
  let depth = 0;
  const finish = (end: number) => {
    if (code.trim() !== "") statements.push({ text: sql.slice(start, end).trim(), code: code.trim() });
    start = end + 1;
    code = "";
    depth = 0;
  };
  for (let at = 0; at < sql.length; ) {
    const opening = openingAt(sql, at);
    if (opening) {
      const end = opening.endOf(sql, at);
      if (end === undefined) return { ok: false, fault: `${opening.name} that begins ${placeOf(sql, at)} has no end.` };
      // A quoted name or text is something, a comment is nothing.
      code += opening.isComment ? " " : "''";
      at = end;
      continue;
    }
    const char = sql[at]!;
    if (char === "(") depth++;
    if (char === ")") depth = Math.max(0, depth - 1);
    if (char === ";" && depth === 0) finish(at);
    else code += char;
    at++;
  }
  finish(sql.length);
  return { ok: true, statements };
}

/**
 * A field of statements as the API takes it: a list, or one text, each with statements with `;` between; one text may also be
 * a JSON list of texts; and each may be in base64.
 */
export function statementTexts(field: unknown): readonly string[] | undefined {
  if (typeof field === "string") {
    const text = decoded(field);
    const list = text.trimStart().startsWith("[") ? jsonTexts(text) : undefined;
    return list ?? (text.trim() === "" ? [] : [text]);
  }
  if (!Array.isArray(field) || !field.every((part) => typeof part === "string")) return undefined;
  return field.map(decoded).filter((text) => text.trim() !== "");
}

export type Placeholders = Readonly<Record<string, string>>;

const placeholder = /\{\{\s*(\w+)\s*\}\}/g;

/** Puts values in the places of `{{name}}`; those that are not among them stay. */
export function fillPlaceholders(text: string, values: Placeholders): string {
  return text.replace(placeholder, (whole, name: string) => values[name] ?? whole);
}

/** The names in `{{…}}`, each once. */
export function placeholdersIn(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => [...text.matchAll(placeholder)].map(([, name = ""]) => name)))];
}

interface Opening {
  readonly name: string;
  readonly isComment: boolean;
  /** Behind the end of what opens at `at`. */
  endOf(sql: string, at: number): number | undefined;
}

const lineComment: Opening = {
  name: "A comment",
  isComment: true,
  endOf: (sql, at) => {
    const end = sql.indexOf("\n", at);
    return end < 0 ? sql.length : end;
  },
};

const blockComment: Opening = {
  name: "A comment",
  isComment: true,
  endOf: (sql, at) => {
    const marks = /\/\*|\*\//g;
    marks.lastIndex = at;
    let depth = 0;
    for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
      depth += mark[0] === "/*" ? 1 : -1;
      if (depth === 0) return marks.lastIndex;
    }
    return undefined;
  },
};

const quotedName: Opening = {
  name: "A quoted name",
  isComment: false,
  endOf: (sql, at) => behindQuote(sql, at, '"', false),
};
const quotedText: Opening = {
  name: "A quoted text",
  isComment: false,
  endOf: (sql, at) => behindQuote(sql, at, "'", false),
};
const escapedText: Opening = {
  name: "A quoted text",
  isComment: false,
  endOf: (sql, at) => behindQuote(sql, at, "'", true),
};

const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const wordEnd = /[\w$\u0080-\uffff]$/;

function openingAt(sql: string, at: number): Opening | undefined {
  switch (sql[at]) {
    case "-":
      return sql[at + 1] === "-" ? lineComment : undefined;
    case "/":
      return sql[at + 1] === "*" ? blockComment : undefined;
    case '"':
      return quotedName;
    case "'":
      return /(?:^|[^\w$\u0080-\uffff])[eE]$/.test(sql.slice(Math.max(0, at - 2), at)) ? escapedText : quotedText;
    case "$":
      return dollarQuote(sql, at);
    default:
      return undefined;
  }
}

function dollarQuote(sql: string, at: number): Opening | undefined {
  dollarTag.lastIndex = at;
  const tag = dollarTag.exec(sql)?.[0];
  if (tag === undefined || wordEnd.test(sql.slice(Math.max(0, at - 1), at))) return undefined;
  return {
    name: `The text quoted with ${tag}`,
    isComment: false,
    endOf: () => {
      const end = sql.indexOf(tag, at + tag.length);
      return end < 0 ? undefined : end + tag.length;
    },
  };
}

function behindQuote(sql: string, at: number, quote: string, hasBackslashes: boolean): number | undefined {
  for (let i = at + 1; i < sql.length; i++) {
    if (hasBackslashes && sql[i] === "\\") i++;
    else if (sql[i] === quote) {
      if (sql[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  return undefined;
}

function placeOf(sql: string, at: number): string {
  const lines = sql.slice(0, at).split("\n");
  return `at line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}

/** SQL has spaces in it, base64 has not: so neither is taken for the other. */
function decoded(text: string): string {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/]{8,}={0,2}$/.test(trimmed) || trimmed.length % 4 !== 0) return text;
  const plain = Buffer.from(trimmed, "base64").toString();
  return /\s/.test(plain) && !plain.includes("\ufffd") ? plain : text;
}

function jsonTexts(text: string): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((part) => typeof part === "string") ? list : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
