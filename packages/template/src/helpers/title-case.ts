import { toTitle } from "@millwright/text/case";

/**
 * The first letter of each word in title case, the others as they are. Words are Unicode's (UAX 29): an apostrophe or a
 * point between letters does not end one, nor does an underscore.
 */
export function titleCase(text: string): string {
  return text.replace(/[\p{L}\p{M}\p{N}_]+(?:['’.:·][\p{L}\p{M}]+)*/gu, (word) => {
    const [before = "", first = ""] = /^([^\p{L}]*)(\p{L})/u.exec(word)?.slice(1) ?? [];
    return first === "" ? word : before + titleOf(first) + word.slice(before.length + first.length);
  });
}

/** Also where it becomes several letters: `ß` is `Ss`. */
function titleOf(letter: string): string {
  const upper = letter.toUpperCase();
  return Array.from(upper).length > 1 ? upper[0] + upper.slice(1).toLowerCase() : toTitle(letter);
}
