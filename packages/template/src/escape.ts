import { isPrintable } from "@millwright/text/quote";

const htmlEscapes: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

/** Text for HTML, as Go's `html` writes it. */
export function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (character) => htmlEscapes[character]!);
}

/** Text for a JavaScript string literal, as Go's `js` writes it. */
export function escapeJs(text: string): string {
  return text.replace(/[\\'"]|[^ -~]|[<>&=]/gu, (character) => {
    if (/[\\'"]/.test(character)) return `\\${character}`;
    if (character >= "\x7f" && (character === "\x7f" || isPrintable(character))) return character;
    return `\\u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

/** Text for the query of a URL, as Go's `urlquery` writes it. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
