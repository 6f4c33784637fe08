import { stringValue } from "@millwright/value/value";
import type { ScopeTraversal, TraversalStep } from "./ast.ts";
import type { Cursor, Span } from "./cursor.ts";
import { parseQuotedText } from "./parse-body.ts";
import { numberHere } from "./parse-expression.ts";
import { TokenKind } from "./tokens.ts";

/** A traversal up to the end of the file; stops at the first fault. */
export function parseTraversalHere(cursor: Cursor): ScopeTraversal | undefined {
  const { file } = cursor;
  if (cursor.read() !== TokenKind.identifier) {
    const detail = "A reference begins with a name.";
    cursor.error("Variable name required", detail, cursor.lastSpan());
    return undefined;
  }
  const root = { ...cursor.lastNode(), name: cursor.lastText() };
  const steps: TraversalStep[] = [];
  while (cursor.peek() !== TokenKind.end) {
    const step = parseStep(cursor, root.start);
    if (!step) break;
    steps.push(step);
  }
  return { kind: "scopeTraversal", file, start: root.start, end: steps.at(-1)?.end ?? root.end, root, steps };
}

function parseStep(cursor: Cursor, rootStart: number): TraversalStep | undefined {
  const fault = (summary: string, detail: string, subject: Span): undefined => {
    cursor.error(summary, detail, subject, { start: rootStart, end: subject.end });
    return undefined;
  };
  switch (cursor.read()) {
    case TokenKind.dot: {
      const start = cursor.lastStart;
      const next = cursor.read();
      if (next === TokenKind.identifier) {
        return { kind: "attribute", file: cursor.file, start, end: cursor.lastEnd, name: cursor.lastText() };
      }
      const why =
        next === TokenKind.star ? "A splat (.*) cannot stand here" : "A dot is followed by the name of an attribute";
      return fault(
        "Attribute name required",
        `${why}; a key is written in brackets, as [0] or ["key"].`,
        cursor.lastSpan(),
      );
    }
    case TokenKind.openBracket:
      return parseIndex(cursor, fault);
    default:
      return fault(
        "Invalid character",
        "A reference goes on with a dot and a name, or with a key in brackets.",
        cursor.lastSpan(),
      );
  }
}

type Fault = (summary: string, detail: string, subject: Span) => undefined;

function parseIndex(cursor: Cursor, fault: Fault): TraversalStep | undefined {
  const start = cursor.lastStart;
  const said = cursor.diagnostics.length;
  const next = cursor.peek();
  if (next !== TokenKind.number && next !== TokenKind.openQuote) {
    if (next === TokenKind.star) {
      return fault(
        "Attribute name required",
        "A splat ([*]) cannot stand here; name one element by its key.",
        cursor.nextSpan(),
      );
    }
    return fault(
      "Index value required",
      'The key in brackets is a number or a string in quotes, as [0] or ["key"].',
      cursor.nextSpan(),
    );
  }
  if (next === TokenKind.number) cursor.read();
  const key = next === TokenKind.number ? numberHere(cursor) : stringValue(parseQuotedText(cursor));
  if (cursor.read() !== TokenKind.closeBracket) {
    const subject = cursor.lastSpan();
    const detail = "The key in brackets is followed by a closing bracket.";
    cursor.error("Unclosed index brackets", detail, subject, { start, end: subject.end });
  }
  if (cursor.diagnostics.length > said) return undefined;
  return { kind: "index", file: cursor.file, start, end: cursor.lastEnd, key };
}
