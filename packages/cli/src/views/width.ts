import { graphemes } from "@millwright/text/graphemes";

/** How many columns a terminal gives to a text: East Asian wide characters and emoji take two, marks on a letter none. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return graphemes(text).reduce((width, cluster) => width + clusterWidth(cluster), 0);
}

/** The text with spaces behind it, up to `width` columns. */
export function padToWidth(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

// Source: the blocks that Unicode's EastAsianWidth.txt lists as W and F, which regular expressions have no property for.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;

function clusterWidth(cluster: string): number {
  if (/^[\p{Cc}\p{Cf}\p{Mn}]+$/u.test(cluster)) return 0;
  return wide.test(cluster) || /\p{Emoji_Presentation}|\ufe0f|\p{Regional_Indicator}/u.test(cluster) ? 2 : 1;
}
