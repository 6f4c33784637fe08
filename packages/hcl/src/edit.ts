import type { Diagnosed } from "@millwright/core/diagnostics";
import { invariant } from "@millwright/core/errors";
import { labelText, labelTokens } from "./format.ts";
import { layOut } from "./layout.ts";
import type {
  LosslessAttribute,
  LosslessBlock,
  LosslessBody,
  LosslessFile,
  LosslessFiller,
  LosslessItem,
  LosslessToken,
} from "./lossless.ts";
import { bodyTokens, endsLine } from "./lossless.ts";
import { parseFile } from "./parse.ts";
import { readLossless } from "./read-lossless.ts";
import { scan } from "./scanner.ts";
import type { SourceFile } from "./source-file.ts";
import { sourceFile } from "./source-file.ts";
import { TokenKind } from "./tokens.ts";

/** A file's tree to edit, beside what is wrong with its syntax; a tree with errors should not be edited. */
export function openForEdit(file: SourceFile): Diagnosed<LosslessFile> {
  return { value: readLossless(scan(file)), diagnostics: parseFile(file).diagnostics };
}

/** Blocks by their type, and by all their labels where these are given. */
export interface BlockSelector {
  readonly type: string;
  readonly labels?: readonly string[];
}

/** How new lines of a body are written. */
export interface LineStyle {
  readonly indentation: string;
  readonly newline: string;
}

/** A change of one body: {@link setAttribute}, {@link removeAttribute}, {@link appendBlock}, {@link removeBlocks}, {@link renameBlocks}. */
export type BodyEdit = (body: LosslessBody, style: LineStyle) => LosslessBody;

/** A block to be written: its attributes with the text of their expressions, and the blocks within. */
export interface NewBlock {
  readonly type: string;
  readonly labels?: readonly string[];
  readonly attributes?: readonly (readonly [name: string, expression: string])[];
  readonly blocks?: readonly NewBlock[];
}

/**
 * Changes the body at the end of `path` (each of them, where several blocks match; the file's own for an empty path).
 * Whatever the edit does not touch stays character for character, comments and spaces included.
 */
export function editBody(file: LosslessFile, path: readonly BlockSelector[], edit: BodyEdit): LosslessFile {
  const newline = bodyTokens(file.body).find((token) => token.kind === TokenKind.newline)?.text ?? "\n";
  const body = editAt(file.body, path, edit, { indentation: "", newline });
  return body === file.body ? file : { ...file, body };
}

/** The blocks of a body that a selector means. */
export function findBlocks(body: LosslessBody, selector: BlockSelector): LosslessBlock[] {
  return body.items.filter((item): item is LosslessBlock => item.kind === "block" && isSelected(item, selector));
}

export function findAttribute(body: LosslessBody, name: string): LosslessAttribute | undefined {
  return body.items.find((item): item is LosslessAttribute => item.kind === "attribute" && item.name[0]!.text === name);
}

/** The text of an attribute's expression, with its comments. */
export function expressionText({ expression }: LosslessAttribute): string {
  return expression.map((token, i) => (i === 0 ? "" : token.space) + token.text).join("");
}

/** Gives an attribute the expression of this text; a new one comes behind the last attribute there is. */
export function setAttribute(name: string, expression: string): BodyEdit {
  return (body, style) => {
    const attribute = findAttribute(body, name);
    if (attribute) return replaceItem(body, attribute, [withExpression(attribute, expression)]);
    const [added] = newItems({ attributes: [[name, expression]] }, style);
    const last = body.items.findLastIndex((item) => item.kind === "attribute");
    return insertItems(body, last < 0 ? firstPlace(body) : last + 1, [added!], style);
  };
}

/** Takes an attribute away, with the comments above it and on its line. */
export function removeAttribute(name: string): BodyEdit {
  return (body) => {
    const attribute = findAttribute(body, name);
    return attribute ? replaceItem(body, attribute, []) : body;
  };
}

/** Puts a block at the end, behind a blank line where something stands before it. */
export function appendBlock(block: NewBlock): BodyEdit {
  return (body, style) => {
    const items = newItems({ blocks: [block] }, style);
    const isFirst = !body.items.some((item) => item.kind !== "filler" || item.tokens.some(isComment));
    const blank = isFirst || isBlank(body.items.at(-1)) ? [] : [blankLine(style)];
    return insertItems(body, body.items.length, [...blank, ...items], style);
  };
}

/** Takes blocks away, with the comments above them and one of the blank lines around. */
export function removeBlocks(selector: BlockSelector): BodyEdit {
  return (body) => findBlocks(body, selector).reduce(removeBlock, body);
}

/** Gives blocks another type or other labels. */
export function renameBlocks(
  selector: BlockSelector,
  name: { readonly type?: string; readonly labels?: readonly string[] },
): BodyEdit {
  return (body) =>
    findBlocks(body, selector).reduce((edited, block) => replaceItem(edited, block, [renamed(block, name)]), body);
}

function editAt(body: LosslessBody, path: readonly BlockSelector[], edit: BodyEdit, style: LineStyle): LosslessBody {
  const [selector, ...rest] = path;
  if (!selector) return edit(body, style);
  return findBlocks(body, selector).reduce((edited, block) => {
    const outer = lineSpace(block);
    const inner: LineStyle = { ...style, indentation: innerIndentation(block, outer) };
    const changed = editAt(block.body, rest, edit, inner);
    if (changed === block.body) return edited;
    return replaceItem(edited, block, [inLines({ ...block, body: changed }, outer, inner)]);
  }, body);
}

function isSelected(block: LosslessBlock, { type, labels }: BlockSelector): boolean {
  if (block.type.text !== type) return false;
  if (!labels) return true;
  return labels.length === block.labels.length && labels.every((label, i) => label === labelText(block.labels[i]!));
}

function replaceItem(body: LosslessBody, item: LosslessItem, replacement: readonly LosslessItem[]): LosslessBody {
  return { items: body.items.flatMap((other) => (other === item ? replacement : [other])) };
}

/** Puts whole lines at a place, and ends the line before them where that is open. */
function insertItems(
  body: LosslessBody,
  place: number,
  items: readonly LosslessItem[],
  style: LineStyle,
): LosslessBody {
  const before = body.items.slice(0, place);
  const last = before.at(-1);
  if (last && !endsWithLine(last)) before[before.length - 1] = withLineEnd(last, style);
  return { items: [...before, ...items, ...body.items.slice(place)] };
}

/** Behind the rest of the opening brace's line. */
function firstPlace(body: LosslessBody): number {
  const first = body.items[0];
  return first?.kind === "filler" && endsWithLine(first) ? 1 : 0;
}

function withExpression(attribute: LosslessAttribute, text: string): LosslessAttribute {
  const space = attribute.expression[0]?.space ?? " ";
  return {
    ...attribute,
    expression: expressionTokens(text).map((token, i) => (i === 0 ? { ...token, space } : token)),
  };
}

/** The tokens of one expression. That it is one is the caller's promise. */
function expressionTokens(text: string): LosslessToken[] {
  const tree = readLossless(scan(sourceFile("", `x = ${text}\n`)));
  const [item] = tree.body.items;
  const isOne = tree.body.items.length === 1 && item?.kind === "attribute" && expressionText(item) === text.trim();
  invariant(
    isOne && parseFile(sourceFile("", `x = ${text}\n`)).diagnostics.length === 0,
    `${text} is not one expression`,
  );
  return [...item.expression];
}

/** New items in canonical layout, as lines of their own in a body of this style. */
function newItems(content: Omit<NewBlock, "type">, style: LineStyle): LosslessItem[] {
  const source = `${contentLines(content).join("\n")}\n`;
  const text = layOut(bodyTokens(readLossless(scan(sourceFile("", source))).body));
  const tree = readLossless(scan(sourceFile("", style.newline === "\n" ? text : text.replaceAll("\n", style.newline))));
  return indented(tree.body, style.indentation);
}

function contentLines({ attributes = [], blocks = [] }: Omit<NewBlock, "type">): string[] {
  const lines = attributes.map(([name, expression]) => `${name} = ${expression}`);
  for (const [i, block] of blocks.entries()) {
    if (i > 0 || attributes.length > 0) lines.push("");
    const header = [
      block.type,
      ...(block.labels ?? []).map((label) =>
        labelTokens(label)
          .map((t) => t.text)
          .join(""),
      ),
    ];
    lines.push(`${header.join(" ")} {`, ...contentLines(block), "}");
  }
  return lines;
}

/** The items with every line further in. */
function indented(body: LosslessBody, indentation: string): LosslessItem[] {
  let atLineStart = true;
  const tokens = bodyTokens(body).map((token) => {
    const isFirst = atLineStart && token.kind !== TokenKind.newline;
    atLineStart = endsLine(token);
    return isFirst ? { ...token, space: indentation + token.space } : token;
  });
  const text = tokens.map((token) => token.space + token.text).join("");
  return [...readLossless(scan(sourceFile("", text))).body.items];
}

function removeBlock(body: LosslessBody, block: LosslessBlock): LosslessBody {
  const at = body.items.indexOf(block);
  const before = body.items[at - 1];
  const after = body.items[at + 1];
  const removed = replaceItem(body, block, []);
  if (isBlank(before) && (after === undefined || isBlank(after))) return replaceItem(removed, before!, []);
  return before === undefined && isBlank(after) ? replaceItem(removed, after!, []) : removed;
}

function renamed(
  block: LosslessBlock,
  name: { readonly type?: string; readonly labels?: readonly string[] },
): LosslessBlock {
  const labels = name.labels?.map((label) => {
    const tokens = labelTokens(label);
    return { comments: [], tokens: tokens.map((token, i) => (i === 0 ? { ...token, space: " " } : token)) };
  });
  return { ...block, type: { ...block.type, text: name.type ?? block.type.text }, labels: labels ?? block.labels };
}

/** Breaks a block on one line into lines, where what it holds now needs them. */
function inLines(block: LosslessBlock, outer: string, inner: LineStyle): LosslessBlock {
  const [first] = block.body.items;
  const needsLines = block.body.items.some(endsWithLine);
  if (!first || !needsLines || (first.kind === "filler" && endsWithLine(first))) return block;
  const items = block.body.items.map((item) => {
    const ended = endsWithLine(item) ? item : withLineEnd(item, inner);
    return withFirstSpace(ended, inner.indentation);
  });
  const close = block.close.map((token, i) => (i === 0 ? { ...token, space: outer } : token));
  return { ...block, body: { items: [blankLine(inner), ...items] }, close };
}

function withFirstSpace(item: LosslessItem, space: string): LosslessItem {
  if (item.kind !== "attribute" || item.leadComments.length > 0) return item;
  return { ...item, name: item.name.map((token, i) => (i === 0 ? { ...token, space } : token)) };
}

function endsWithLine(item: LosslessItem): boolean {
  const last = item.kind === "filler" ? item.tokens.at(-1) : item.lineEnd.at(-1);
  return last !== undefined && endsLine(last);
}

function withLineEnd(item: LosslessItem, style: LineStyle): LosslessItem {
  const newline: LosslessToken = { kind: TokenKind.newline, text: style.newline, space: "" };
  if (item.kind === "filler") return { ...item, tokens: [...item.tokens, newline] };
  return { ...item, lineEnd: [...item.lineEnd, newline] };
}

function blankLine(style: LineStyle): LosslessFiller {
  return { kind: "filler", tokens: [{ kind: TokenKind.newline, text: style.newline, space: "" }] };
}

function isBlank(item: LosslessItem | undefined): boolean {
  return item?.kind === "filler" && item.tokens.every((token) => token.kind === TokenKind.newline);
}

function isComment(token: LosslessToken): boolean {
  return token.kind === TokenKind.comment;
}

/** The space before the first token of a block's line. */
function lineSpace(block: LosslessBlock): string {
  return (block.leadComments[0] ?? block.type).space;
}

/** As far in as what the block holds already, else two further than the block. */
function innerIndentation(block: LosslessBlock, outer: string): string {
  const isOnLine = block.body.items[0]?.kind === "filler" && endsWithLine(block.body.items[0]);
  for (const item of isOnLine ? block.body.items : []) {
    if (item.kind === "attribute") return (item.leadComments[0] ?? item.name[0]!).space;
    if (item.kind === "block") return lineSpace(item);
  }
  return `${outer}  `;
}
