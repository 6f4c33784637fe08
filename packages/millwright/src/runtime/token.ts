import type { Frames, StackExpression } from "./expression.ts";
import { describe } from "./expression.ts";
import { here, refuse } from "./fault.ts";

/**
 * A reference inside a JavaScript string is a token: a run of private-use characters around a cased pair, with a number and
 * its check digits. No text of a user holds such characters, so that a token that was cut, turned to another case or mixed
 * up is always seen; and each token must come back in an input, so that one that was only looked at is seen too.
 */
interface Issued {
  readonly expression: StackExpression;
  readonly at: Frames;
  found: boolean;
}

const issued: Issued[] = [];

const open = String.fromCodePoint(0xf5a10);
const close = String.fromCodePoint(0xf5a11);
const canary = "\u{10400}\u{10428}";
const digit = (n: number) => String.fromCodePoint(0xf5a20 + n);
const whole = /\u{f5a10}\u{10400}\u{10428}([\u{f5a20}-\u{f5a2f}]{8})\u{f5a11}/u;
const anyPart = /[\u{f5a10}\u{f5a11}\u{f5a20}-\u{f5a2f}\u{10400}\u{10428}]/u;

/** A new token for an expression. Every token is told apart, so that each use is accounted for. */
export function tokenFor(expression: StackExpression): string {
  const id = issued.length;
  issued.push({ expression, at: here(), found: false });
  const number = id * 256 + check(id);
  let digits = "";
  for (let shift = 28; shift >= 0; shift -= 4) digits += digit(Math.floor(number / 2 ** shift) & 15);
  return open + canary + digits + close;
}

function check(id: number): number {
  return (id * 167 + 91) & 255;
}

/** How deep the runtime itself is in work on texts: what it does to tokens is meant. */
const ownWork = { depth: 0 };

/** Does work of the runtime's own, which may look at tokens. */
export function asOwnWork<T>(work: () => T): T {
  ownWork.depth++;
  try {
    return work();
  } finally {
    ownWork.depth--;
  }
}

/** Whether a program's text holds a token, or what is left of one. */
export function holdsToken(text: unknown): text is string {
  return typeof text === "string" && ownWork.depth === 0 && asOwnWork(() => anyPart.test(text));
}

/** The parts of a text: plain strings, and the expressions of its tokens. A damaged token is refused. */
export function partsOf(text: string): (string | StackExpression)[] {
  return asOwnWork(() => split(text));
}

function split(text: string): (string | StackExpression)[] {
  if (!anyPart.test(text)) return [text];
  const parts: (string | StackExpression)[] = [];
  let rest = text;
  for (let match = whole.exec(rest); match; match = whole.exec(rest)) {
    const before = rest.slice(0, match.index);
    if (anyPart.test(before)) damaged();
    if (before !== "") parts.push(before);
    const token = lookUp(match[1]!);
    token.found = true;
    parts.push(token.expression);
    rest = rest.slice(match.index + match[0].length);
  }
  if (anyPart.test(rest)) damaged();
  if (rest !== "") parts.push(rest);
  return parts;
}

function lookUp(digits: string): Issued {
  let number = 0;
  for (const character of digits) number = number * 16 + (character.codePointAt(0)! - 0xf5a20);
  const id = Math.floor(number / 256);
  const token = issued[id];
  if (!token || number % 256 !== check(id)) return damaged();
  return token;
}

function damaged(): never {
  return refuse(
    "Reference in a damaged text",
    "This text was made from a reference, whose value is known later, and was then cut or changed. Compute it with derive(reference, (value) => …), which runs once the value is known.",
  );
}

/** A text with its tokens in words, for messages. The tokens count as found. */
export function inWords(text: string): string {
  return partsOf(text)
    .map((part) => (typeof part === "string" ? part : `\${${describe(part)}}`))
    .join("");
}

/** The tokens that never came back: what was made of them was only looked at, and the plan would not follow the value. */
export function lostTokens(): readonly { readonly text: string; readonly at: Frames }[] {
  return issued.filter((token) => !token.found).map(({ expression, at }) => ({ text: describe(expression), at }));
}
