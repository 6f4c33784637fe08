import type { Expression, FunctionCall, Node } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseExpressionHere } from "./parse-expression.ts";
import { TokenKind } from "./tokens.ts";

/** A function call, whose first name was just read: `name(…)` or `space::name(…)`. */
export function parseCall(cursor: Cursor, firstName: string): Expression {
  const start = cursor.lastStart;
  let name = firstName;
  let nameEnd = cursor.lastEnd;
  let kind = cursor.read();
  while (kind === TokenKind.doubleColon) {
    if (cursor.read() !== TokenKind.identifier) {
      const detail = "The symbol :: is followed by the name of a function, or of a further namespace.";
      return notACall(cursor, start, "Missing function name", detail);
    }
    name = `${name}::${cursor.lastText()}`;
    nameEnd = cursor.lastEnd;
    kind = cursor.read();
  }
  if (kind !== TokenKind.openParen) {
    const detail = "A name with :: is that of a function: its arguments follow in parentheses.";
    return notACall(cursor, start, "Missing open parenthesis", detail);
  }
  const openParen = cursor.lastNode();
  const { newlines } = cursor;
  cursor.newlines = false;
  cursor.parens++;
  const { args, expandFinal, closed } = parseArguments(cursor, start, openParen);
  cursor.parens--;
  if (!closed) cursor.skipPast(TokenKind.closeParen);
  cursor.newlines = newlines;
  const closeParen = cursor.lastNode();
  const { file } = cursor;
  const call: FunctionCall = {
    kind: "call",
    file,
    start,
    end: closeParen.end,
    name,
    nameNode: { file, start, end: nameEnd },
    args,
    expandFinal,
    openParen,
    closeParen,
  };
  return call;
}

/** Says what is wrong at the token just read, and goes past the next parentheses. */
function notACall(cursor: Cursor, start: number, summary: string, detail: string): Expression {
  const end = cursor.lastEnd;
  cursor.plainFault(summary, detail, cursor.lastSpan(), { start, end });
  for (let kind = cursor.lastKind; kind !== TokenKind.openParen && kind !== TokenKind.end; ) kind = cursor.read();
  cursor.skipPast(TokenKind.closeParen);
  return cursor.invalid(start, end);
}

interface Arguments {
  readonly args: readonly Expression[];
  readonly expandFinal: boolean;
  /** Whether the closing parenthesis was reached; otherwise there was a fault. */
  readonly closed: boolean;
}

/** The arguments up to and with the closing parenthesis. */
function parseArguments(cursor: Cursor, start: number, openParen: Node): Arguments {
  const args: Expression[] = [];
  let height = 0;
  let expandFinal = false;
  const { faults } = cursor;
  while (cursor.peek() !== TokenKind.closeParen) {
    args.push(parseExpressionHere(cursor));
    height = Math.max(height, cursor.height);
    if (cursor.faults > faults) return { args, expandFinal, closed: false };
    const separator = cursor.peek();
    if (separator === TokenKind.comma) cursor.read();
    else if (separator === TokenKind.ellipsis) {
      cursor.read();
      expandFinal = true;
      if (cursor.peek() !== TokenKind.closeParen) {
        const detail = "An argument with ... is the last one: a closing parenthesis is expected behind the dots.";
        const dots = cursor.lastSpan();
        cursor.fault("Missing closing parenthesis", detail, dots, { start, end: dots.end });
        return { args, expandFinal, closed: false };
      }
    } else if (separator !== TokenKind.closeParen) {
      faultSeparator(cursor, separator, start, openParen);
      return { args, expandFinal, closed: false };
    }
  }
  cursor.read();
  cursor.height = height + 1;
  return { args, expandFinal, closed: true };
}

function faultSeparator(cursor: Cursor, found: TokenKind, start: number, openParen: Node): void {
  if (found === TokenKind.end) {
    const detail =
      "The parenthesis of this function call is not closed before the file ends. Brackets elsewhere may not match.";
    cursor.plainFault("Unterminated function call", detail, { start, end: openParen.end });
  } else {
    const subject = cursor.nextSpan();
    const detail =
      "Arguments of a function are separated by commas, and the last one is followed by a closing parenthesis.";
    cursor.plainFault("Missing argument separator", detail, subject, { start, end: subject.end });
  }
}
