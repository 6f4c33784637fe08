import type { Diagnosed } from "@millwright/core/diagnostics";
import { hasErrors, warningDiagnostic } from "@millwright/core/diagnostics";
import { formatTree } from "./format.ts";
import type { LosslessAttribute, LosslessFile } from "./lossless.ts";
import { printLossless } from "./lossless.ts";
import { parseFile } from "./parse.ts";
import { readLossless } from "./read-lossless.ts";
import { scan } from "./scanner.ts";
import type { SourceFile } from "./source-file.ts";
import { rangeBetween, sourceFile } from "./source-file.ts";
import { TokenKind } from "./tokens.ts";

/**
 * The canonical form of a configuration file, as `terraform fmt` (1.11) writes it; see {@link formatTree}. Formatting
 * again changes nothing. Without a byte order mark; bytes in comments that are not UTF-8 stay as they are.
 *
 * A file with syntax errors is not formatted: the value is the source itself, beside the errors. In `.tfvars` files names
 * in quotes, which older versions took, are warned of, and such a file is left just as it is.
 */
export function formatFile(name: string, source: Uint8Array): Diagnosed<Uint8Array> {
  const file = sourceFile(name, source);
  const checked = check(file);
  if (hasErrors(checked.diagnostics) || checked.quotedNames) return { value: source, diagnostics: checked.diagnostics };
  const text = formatTree(readLossless(scan(file), textWithBytes(file, source)));
  return { value: encode(text), diagnostics: checked.diagnostics };
}

/** As {@link formatFile}, for text. */
export function formatText(name: string, source: string): Diagnosed<string> {
  const { value, diagnostics } = formatFile(name, new TextEncoder().encode(source));
  return { value: hasErrors(diagnostics) ? source : new TextDecoder().decode(value), diagnostics };
}

function check(file: SourceFile): Pick<Diagnosed<unknown>, "diagnostics"> & { readonly quotedNames: boolean } {
  const { diagnostics: found } = parseFile(file);
  if (!hasErrors(found) || !file.name.endsWith(".tfvars")) return { diagnostics: found, quotedNames: false };
  const tree = readLossless(scan(file));
  const quoted = quotedNames(tree);
  if (quoted.length === 0) return { diagnostics: found, quotedNames: false };
  const { diagnostics } = parseFile(sourceFile(file.name, printLossless(withBareNames(tree))));
  const warnings = quoted.map(({ start, end }) =>
    warningDiagnostic(
      "Quoted argument name",
      "The name of an argument is written without quotes: name = value. This form of older versions is still read.",
      { subject: rangeBetween(file, start, end) },
    ),
  );
  return { diagnostics: [...diagnostics, ...warnings], quotedNames: true };
}

/** Where names of the outermost attributes stand in quotes. */
function quotedNames(tree: LosslessFile): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let at = 0;
  for (const item of tree.body.items) {
    const width = printLossless({ body: { items: [item] }, endSpace: "" }).length;
    if (item.kind === "attribute" && isQuoted(item)) {
      const before = item.leadComments.reduce((sum, token) => sum + token.space.length + token.text.length, 0);
      const start = at + before + item.name[0]!.space.length;
      found.push({ start, end: start + nameText(item).length });
    }
    at += width;
  }
  return found;
}

/** The same text but for names in quotes, which become bare ones of the same length, so that all else can be checked. */
function withBareNames(tree: LosslessFile): LosslessFile {
  const items = tree.body.items.map((item) => {
    if (item.kind !== "attribute" || !isQuoted(item)) return item;
    const text = nameText(item).replace(/[^\p{ID_Continue}-]/gu, (character) => "_".repeat(character.length));
    return { ...item, name: [{ ...item.name[0]!, kind: TokenKind.identifier, text }] };
  });
  return { ...tree, body: { items } };
}

function isQuoted(attribute: LosslessAttribute): boolean {
  return attribute.name[0]!.kind === TokenKind.openQuote;
}

function nameText(attribute: LosslessAttribute): string {
  return attribute.name.map((token) => token.text).join("");
}

/** Stands for the byte `b` that is not UTF-8 as the lone surrogate U+DC00 + b, which no text that was read can hold. */
const byteBase = 0xdc00;

/** The text with its broken bytes still to be told apart. */
function textWithBytes(file: SourceFile, source: Uint8Array): string {
  let text = "";
  let end = 0;
  for (const offset of file.brokenBytes) {
    const byte = source[file.position(offset).byte]!;
    text += file.text.slice(end, offset) + String.fromCharCode(byteBase + byte);
    end = offset + 1;
  }
  return text + file.text.slice(end);
}

function encode(text: string): Uint8Array {
  if (text.isWellFormed()) return new TextEncoder().encode(text);
  const pieces = text.split(/([\udc00-\udcff])/u);
  return Buffer.concat(
    pieces.map((piece, i) => (i % 2 === 0 ? Buffer.from(piece) : Buffer.from([piece.charCodeAt(0) - byteBase]))),
  );
}
