import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { rangeBetween } from "./source-file.ts";
import type { TokenBuffer } from "./tokens.ts";
import { TokenKind, tokenText } from "./tokens.ts";

/** So many characters that are not of the language are said of one file; more are no help to anyone. */
const most = 100;

/**
 * What is wrong with the tokens themselves, wherever they stand. A mistake that tends to come in great number (a wrong
 * encoding, another language's quotes) is said once or a few times.
 */
export function lexicalFaults(tokens: TokenBuffer): Diagnostic[] {
  const found: Diagnostic[] = [];
  const told = new Map<Fault, number>();
  for (let i = 0; i < tokens.count && found.length < most; i++) {
    const kind = tokens.kinds[i]!;
    if (kind < TokenKind.ampersand) continue;
    const fault = faults.get(kind as TokenKind);
    if (!fault || repeatsNewline(tokens, i)) continue;
    const times = told.get(fault) ?? 0;
    told.set(fault, times + 1);
    if (fault.says ? !fault.says(times) : false) continue;
    const detail = typeof fault.detail === "string" ? fault.detail : fault.detail(tokenText(tokens, i));
    const subject = rangeBetween(tokens.file, tokens.starts[i]!, tokens.ends[i]!);
    found.push(errorDiagnostic(fault.summary, detail, { subject }));
  }
  return found;
}

interface Fault {
  readonly summary: string;
  readonly detail: string | ((text: string) => string);
  /** Whether it is said where it was met so many times before; always, where there is no such rule. */
  readonly says?: (before: number) => boolean;
}

const first = (before: number) => before === 0;
/** Of quotes that come in pairs only the opening ones; and not for ever. */
const everyOther = (before: number) => before % 2 === 0;

const bitwise: Fault = {
  summary: "Unsupported operator",
  detail: (text) => {
    const meant = { "&": 'the logical "and", &&', "|": 'the logical "or", ||', "~": 'the logical "not", !' }[text];
    return `There are no operators on bits.${meant ? ` Did you mean ${meant}?` : ""}`;
  },
  says: (before) => before < 4,
};

const faults: ReadonlyMap<TokenKind, Fault> = new Map<TokenKind, Fault>([
  [TokenKind.ampersand, bitwise],
  [TokenKind.pipe, bitwise],
  [TokenKind.tilde, bitwise],
  [TokenKind.caret, bitwise],
  [
    TokenKind.backtick,
    {
      summary: "Invalid character",
      detail: "A backtick has no meaning here. For text of several lines use a heredoc, which begins with <<EOT.",
      says: everyOther,
    },
  ],
  [
    TokenKind.apostrophe,
    {
      summary: "Invalid character",
      detail: 'Strings stand in double quotes ("), not in single ones.',
      says: everyOther,
    },
  ],
  [
    TokenKind.semicolon,
    {
      summary: "Invalid character",
      detail:
        "A semicolon has no meaning here. Put arguments and blocks on lines of their own, and commas between values.",
      says: first,
    },
  ],
  [
    TokenKind.brokenUtf8,
    {
      summary: "Invalid character encoding",
      detail:
        "This byte is not UTF-8, which every file is to be written in. Choose UTF-8 in your editor and save it again.",
      says: first,
    },
  ],
  [
    TokenKind.quotedNewline,
    {
      summary: "Invalid multi-line string",
      detail:
        'A string in quotes ends on the line it begins on. Perhaps its closing quote (") is missing; for a newline in it write \\n, for text of several lines use a heredoc (<<EOT).',
    },
  ],
  [
    TokenKind.invalid,
    {
      summary: "Invalid character",
      detail: (text) =>
        text === "“" || text === "”"
          ? 'Curly quotes have no meaning here; they come from word processors and web pages. Write a straight quote (").'
          : "This character has no place in the language.",
    },
  ],
]);

/** Whether a newline in quotes follows another of the same string, with a line of text between them. */
function repeatsNewline(tokens: TokenBuffer, i: number): boolean {
  if (tokens.kinds[i] !== TokenKind.quotedNewline) return false;
  const before = tokens.kinds[i - 1];
  return (
    (before === TokenKind.quotedText || before === TokenKind.invalid) && tokens.kinds[i - 2] === TokenKind.quotedNewline
  );
}
