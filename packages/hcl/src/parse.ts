import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import type { Body, Expression, ScopeTraversal } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { lexicalFaults } from "./lexical-faults.ts";
import { parseBody } from "./parse-body.ts";
import { parseExpressionHere } from "./parse-expression.ts";
import { parseBareTemplate } from "./parse-template.ts";
import { parseTraversalHere } from "./parse-traversal.ts";
import { scan } from "./scanner.ts";
import type { SourceFile } from "./source-file.ts";
import { TokenKind } from "./tokens.ts";

/*
 * The HCL native syntax (the reference's specification "HCL Native Syntax Specification"), read into the tree of ast.ts.
 *
 * Nothing here throws, whatever the text; the time is linear in its length. What cannot be read gets diagnostics with the
 * reference's summaries and ranges, and the tree holds all that could be read.
 */

export interface ParseOptions {
  /** `warn` reads `"name" = value` too, as old files of variables have it, with a warning; otherwise it is an error. */
  readonly quotedNames?: "warn";
}

/** Reads a configuration file. A fault in one item leaves the others in the tree. */
export function parseFile(file: SourceFile, options: ParseOptions = {}): Diagnosed<Body> {
  const tokens = scan(file);
  const diagnostics = lexicalFaults(tokens);
  const quotedNames = options.quotedNames === "warn";
  const cursor = new Cursor(tokens, diagnostics, { quotedNames });
  const value = parseBody(cursor, TokenKind.end);
  if (!cursor.unclosed) return { value, diagnostics };
  return { value: repaired(file, quotedNames), diagnostics };
}

/**
 * The tree of a file where something is not closed before the end. Read again with more trust in how it is written than
 * the language has: a string ends with its line, and a block at the first column lies within no other.
 */
function repaired(file: SourceFile, quotedNames: boolean): Body {
  const ignored: Diagnostic[] = [];
  return parseBody(new Cursor(scan(file, "repair"), ignored, { repairing: true, quotedNames }), TokenKind.end);
}

/** Reads a text that is one expression; newlines do not count in it. */
export function parseExpression(file: SourceFile): Diagnosed<Expression> {
  const cursor = cursorOver(file);
  cursor.newlines = false;
  const value = parseExpressionHere(cursor);
  if (cursor.peek() !== TokenKind.end) {
    const detail = "The expression is complete before this. Remove what follows, or join it with an operator.";
    cursor.fault("Extra characters after expression", detail, cursor.nextSpan());
  }
  return { value, diagnostics: cursor.diagnostics };
}

/** Reads a text that is the inside of a template, as of a template file or of a string in JSON. */
export function parseTemplate(file: SourceFile): Diagnosed<Expression> {
  const tokens = scan(file, "template");
  const cursor = new Cursor(tokens, lexicalFaults(tokens));
  return { value: parseBareTemplate(cursor), diagnostics: cursor.diagnostics };
}

/**
 * Reads a text that is a reference with constant steps alone, `a.b["c"][0]`, as addresses are written. The value is what
 * was read before the first fault, and undefined where not even the first name was.
 */
export function parseTraversal(file: SourceFile): Diagnosed<ScopeTraversal | undefined> {
  const cursor = cursorOver(file);
  cursor.newlines = false;
  return { value: parseTraversalHere(cursor), diagnostics: cursor.diagnostics };
}

function cursorOver(file: SourceFile): Cursor {
  const tokens = scan(file);
  return new Cursor(tokens, lexicalFaults(tokens));
}
