import { dynamicValue, stringValue } from "@millwright/value/value";
import type { Value } from "@millwright/value/value";
import type { Expression, Node, SplatItem, TraversalStep } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { maximumHeight, maximumNesting } from "./cursor.ts";
import { faultTooLong, numberHere, parseExpressionHere } from "./parse-expression.ts";
import { TokenKind } from "./tokens.ts";

/**
 * What follows a term: `.name`, `[key]`, the splats `[*]` and `.*`, and the legacy `.0`. Steps that are constant are
 * gathered into one traversal; the others each make a node around what is before them.
 */
export function parseSteps(cursor: Cursor, term: Expression): Expression {
  const { file } = cursor;
  let count = 0;
  while (cursor.kindAhead(2 * count) === TokenKind.dot && cursor.kindAhead(2 * count + 1) === TokenKind.identifier)
    count++;
  // An array of the right size: most have one or two elements, and one that grows takes room for seventeen.
  const names = new Array<TraversalStep>(count);
  for (let i = 0; i < count; i++) {
    const start = cursor.nextStart;
    cursor.read();
    cursor.read();
    names[i] = { kind: "attribute", file, start, end: cursor.lastEnd, name: cursor.lastText() };
    cursor.peek();
  }
  const next = cursor.peek();
  if (next === TokenKind.dot || next === TokenKind.openBracket) return new Steps(cursor, term, names).all();
  return withSteps(cursor, term, names);
}

/** An expression and constant steps from it, as one traversal. */
function withSteps(cursor: Cursor, source: Expression, steps: readonly TraversalStep[]): Expression {
  const last = steps.at(-1);
  if (!last) return source;
  const { file, start } = source;
  const { end } = last;
  if (source.kind === "scopeTraversal") return { kind: "scopeTraversal", file, start, end, root: source.root, steps };
  cursor.height++;
  return { kind: "relativeTraversal", file, start, end, source, steps };
}

const nameNeeded = "A dot is followed by the name of an attribute; for any other key write it in brackets, as [key].";

class Steps {
  readonly #cursor: Cursor;
  readonly #start: number;
  #expression: Expression;
  /** Constant steps that are not part of `#expression` yet. */
  #steps: TraversalStep[];

  constructor(cursor: Cursor, term: Expression, steps: TraversalStep[]) {
    this.#cursor = cursor;
    this.#start = term.start;
    this.#expression = term;
    this.#steps = steps;
  }

  all(): Expression {
    const cursor = this.#cursor;
    for (;;) {
      const next = cursor.peek();
      if (next !== TokenKind.dot && next !== TokenKind.openBracket) break;
      if (cursor.height >= maximumHeight) {
        faultTooLong(cursor);
        skipSteps(cursor);
        break;
      }
      if (next === TokenKind.dot) this.#dot();
      else this.#bracket();
    }
    this.#gather();
    return this.#expression;
  }

  /** Makes the constant steps so far part of the expression. */
  #gather(): void {
    this.#expression = withSteps(this.#cursor, this.#expression, this.#steps);
    this.#steps = [];
  }

  #attribute(start: number, name: string): void {
    const { file, lastEnd: end } = this.#cursor;
    this.#steps.push({ kind: "attribute", file, start, end, name });
  }

  #index(start: number, key: Value): void {
    const { file, lastEnd: end } = this.#cursor;
    this.#steps.push({ kind: "index", file, start, end, key });
  }

  #dot(): void {
    const cursor = this.#cursor;
    cursor.read();
    const dot = cursor.lastStart;
    switch (cursor.peek()) {
      case TokenKind.identifier:
        cursor.read();
        return this.#attribute(dot, cursor.lastText());
      case TokenKind.number:
        cursor.read();
        return this.#index(dot, legacyIndex(cursor, ""));
      case TokenKind.star:
        cursor.read();
        return this.#attributeSplat(dot);
      default:
        this.#gather();
        cursor.plainFault("Invalid attribute name", nameNeeded, cursor.nextSpan());
        this.#expression = cursor.invalid(this.#start, dot + 1);
    }
  }

  /** `.*` and the steps behind it, which all belong to each element; its dot and star were read. */
  #attributeSplat(dot: number): void {
    this.#gather();
    const cursor = this.#cursor;
    const { file } = cursor;
    const marker = cursor.node(dot, cursor.lastEnd);
    const item: SplatItem = { kind: "splatItem", file, start: marker.start, end: marker.end };
    const each = new Steps(cursor, item, []);
    const stepsStart = cursor.nextSpan().start;
    while (cursor.peek() === TokenKind.dot) {
      cursor.read();
      const start = cursor.lastStart;
      const next = cursor.peek();
      if (next === TokenKind.identifier) {
        cursor.read();
        each.#attribute(start, cursor.lastText());
      } else if (next === TokenKind.number) {
        cursor.read();
        each.#index(start, legacyIndex(cursor, " with a full splat"));
      } else {
        const subject = cursor.nextSpan();
        if (next === TokenKind.star) {
          const detail = "A splat .* takes attributes only, not another splat. Write both as [*].";
          cursor.fault("Nested splat expression not allowed", detail, subject);
        } else cursor.fault("Invalid attribute name", nameNeeded, subject);
        break;
      }
    }
    const end = each.#steps.at(-1)?.end ?? marker.end;
    const source = this.#expression;
    const eachExpression: Expression =
      each.#steps.length === 0
        ? item
        : { kind: "relativeTraversal", file, start: stepsStart, end, source: item, steps: each.#steps };
    this.#expression = { kind: "splat", file, start: this.#start, end, source, each: eachExpression, item, marker };
    cursor.height += 2;
  }

  #bracket(): void {
    const cursor = this.#cursor;
    cursor.read();
    const open = cursor.lastStart;
    if (cursor.peek() === TokenKind.star) return this.#fullSplat(open);
    const { newlines, faults, height } = cursor;
    cursor.newlines = false;
    cursor.brackets++;
    const key = parseExpressionHere(cursor);
    cursor.brackets--;
    if (cursor.faults > faults) cursor.skipPast(TokenKind.closeBracket);
    else if (cursor.peek() === TokenKind.closeBracket) cursor.read();
    else {
      const detail = "The key in brackets is followed by a closing bracket.";
      cursor.fault("Missing close bracket on index", detail, cursor.nextSpan());
      cursor.skipPast(TokenKind.closeBracket);
    }
    cursor.newlines = newlines;
    const constant = constantKey(key);
    if (constant) {
      cursor.height = height;
      return this.#index(open, constant);
    }
    this.#gather();
    const { file, lastEnd: end } = cursor;
    const brackets: Node = { file, start: open, end };
    this.#expression = { kind: "index", file, start: this.#start, end, collection: this.#expression, key, brackets };
    cursor.height = Math.max(height, cursor.height) + 1;
  }

  /** `[*]`, which takes all steps behind it for each element; its opening bracket was read. */
  #fullSplat(open: number): void {
    this.#gather();
    const cursor = this.#cursor;
    const { file } = cursor;
    cursor.read();
    if (cursor.peek() === TokenKind.closeBracket) cursor.read();
    else {
      const detail = "The star of a splat stands alone in its brackets: [*].";
      cursor.fault("Missing close bracket on splat index", detail, cursor.nextSpan());
      cursor.skipPast(TokenKind.closeBracket);
    }
    const marker = cursor.node(open, cursor.lastEnd);
    const item: SplatItem = { kind: "splatItem", file, start: marker.start, end: marker.end };
    const each = this.#eachOf(item);
    const source = this.#expression;
    this.#expression = { kind: "splat", file, start: this.#start, end: each.end, source, each, item, marker };
    cursor.height++;
  }

  #eachOf(item: SplatItem): Expression {
    const cursor = this.#cursor;
    if (cursor.depth >= maximumNesting) {
      const detail = `Splats can be nested at most ${maximumNesting} levels deep. Use the function flatten, or a for expression.`;
      cursor.fault("Nesting too deep", detail, item);
      skipSteps(cursor);
      return item;
    }
    cursor.depth++;
    const each = parseSteps(cursor, item);
    cursor.depth--;
    return each;
  }
}

/** Goes past all steps that follow, so that no level further out takes them up again. */
function skipSteps(cursor: Cursor): void {
  for (;;) {
    const next = cursor.peek();
    if (next !== TokenKind.dot && next !== TokenKind.openBracket) return;
    cursor.read();
    if (next === TokenKind.openBracket) cursor.skipPast(TokenKind.closeBracket);
    else if (cursor.peek() === TokenKind.identifier) cursor.read();
  }
}

/** The key that an index has where no evaluation is needed for it. */
function constantKey(key: Expression): Value | undefined {
  if (key.kind === "literal") return key.value;
  if (key.kind === "invalid") return dynamicValue;
  if (key.kind !== "template") return undefined;
  const [part, more] = key.parts;
  if (!part) return stringValue("");
  return part.kind === "literal" && !more ? part.value : undefined;
}

/** The key of a legacy index, whose number was just read; `0.1` is said to be two keys. */
function legacyIndex(cursor: Cursor, how: string): Value {
  const [first, second] = cursor.lastText().split(".", 2);
  if (second === undefined) return numberHere(cursor);
  const detail = `Two indexes in a row cannot be written with dots. Write them in brackets${how}, as [${first}][${second}].`;
  cursor.error("Invalid legacy index syntax", detail, cursor.lastSpan());
  return dynamicValue;
}
