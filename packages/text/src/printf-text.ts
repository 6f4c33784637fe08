import type { Directive } from "./printf-directive.ts";
import { canBackquote, quote, quoteToAscii } from "./quote.ts";

/** `text` filled up to the directive's width, which counts code points; with zeros where the zero flag has its way. */
export function pad(directive: Directive, text: string): string {
  const missing = (directive.width ?? 0) - countCodePoints(text);
  if (missing <= 0) return text;
  if (directive.minus) return text + " ".repeat(missing);
  return (directive.zero ? "0" : " ").repeat(missing) + text;
}

/** A string by one of the verbs that strings have (`v s q x X`); undefined for another. */
export function formatText(directive: Directive, text: string): string | undefined {
  switch (directive.verb) {
    case "v":
      return directive.goSyntax ? formatQuoted(directive, text) : pad(directive, truncate(directive, text));
    case "s":
      return pad(directive, truncate(directive, text));
    case "q":
      return formatQuoted(directive, text);
    case "x":
    case "X":
      return formatHex(directive, new TextEncoder().encode(text));
    default:
      return undefined;
  }
}

function truncate({ precision }: Directive, text: string): string {
  return precision === undefined ? text : Array.from(text).slice(0, precision).join("");
}

function formatQuoted(directive: Directive, text: string): string {
  const cut = truncate(directive, text);
  if (directive.sharp && canBackquote(cut)) return pad(directive, `\`${cut}\``);
  return pad(directive, directive.plus ? quoteToAscii(cut) : quote(cut));
}

/** Two digits a byte; the precision counts bytes, a space stands between them, and sharp puts 0x in front. */
function formatHex(directive: Directive, bytes: Uint8Array): string {
  const shown = bytes.subarray(0, directive.precision);
  const upper = directive.verb === "X";
  const digits = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0"));
  const prefix = directive.sharp ? (upper ? "0X" : "0x") : "";
  const text = upper ? digits.map((d) => d.toUpperCase()) : digits;
  if (shown.length === 0) return pad(directive, "");
  return pad(directive, directive.space ? text.map((d) => prefix + d).join(" ") : prefix + text.join(""));
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
