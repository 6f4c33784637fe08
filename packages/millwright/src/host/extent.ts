/**
 * Where the piece of TypeScript that starts at `start` ends, as a reader sees it: the name or literal there, with what is
 * called on it, up to the comma, bracket or line end behind it. It only serves to underline, and never fails.
 */
export function extentOf(text: string, start: number): number {
  return scan(text, start, /^[,;\n]/, /\s(as|satisfies)\s[^()]*$/);
}

/** The same for one operand of an operator. */
export function operandExtent(text: string, start: number): number {
  return scan(
    text,
    start,
    /^([,;\n]|\s*(===?|!==?|[<>]=?|&&|\|\||\?\??(?!\.)|[-+*/%]|as\s|satisfies\s|in\s|instanceof\s))/,
    /^$/,
  );
}

function scan(text: string, start: number, stop: RegExp, behind: RegExp): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text[at]!;
    if (character === '"' || character === "'" || character === "`") {
      at = endOfQuoted(text, at);
      continue;
    }
    if ("([{".includes(character)) depth++;
    else if (")]}".includes(character)) {
      if (depth === 0) break;
      depth--;
    } else if (depth === 0 && at > start && (character === ":" || stop.test(text.slice(at, at + 16)))) break;
    at++;
  }
  const end = start + text.slice(start, at).replace(behind, "").trimEnd().length;
  return Math.max(end, Math.min(start + 1, text.length));
}

/** The end of a declaration's header: what stands before the object of its arguments, on the same line. */
export function headerExtent(text: string, start: number): number {
  const line = text.slice(start, endOfLine(text, start));
  const brace = line.search(/[{]/);
  const header = (brace < 0 ? line : line.slice(0, brace)).replace(/[\s,;(]+$/, "");
  return start + Math.max(1, header.length);
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end < 0 ? text.length : end;
}

function endOfQuoted(text: string, start: number): number {
  const quote = text[start]!;
  let at = start + 1;
  while (at < text.length && text[at] !== quote) {
    if (text[at] === "\n" && quote !== "`") return at;
    at += text[at] === "\\" ? 2 : 1;
  }
  return Math.min(at + 1, text.length);
}
