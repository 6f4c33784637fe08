/** How a text is written: as it is, in one of two kinds of quotes, or as lines of its own. */
export type ScalarStyle = "plain" | "single" | "double" | "literal";

/** The style of a text as yaml.v2 chooses it; a key never has lines of its own. */
export function styleOf(text: string, isKey: boolean): ScalarStyle {
  const form = analyze(text);
  if (text.includes("\n")) return form.isBlock && !isKey ? "literal" : "double";
  if (resolvesToOther(text)) return "double";
  if (form.isPlain) return "plain";
  return form.isSingle ? "single" : "double";
}

interface Form {
  readonly isPlain: boolean;
  readonly isSingle: boolean;
  readonly isBlock: boolean;
}

function analyze(text: string): Form {
  const isSpecial = !/^[\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/.test(text);
  const hasBreaks = /[\r\n\x85\u2028\u2029]/.test(text);
  const breakSpace = /[\r\n\x85\u2028\u2029] /.test(text);
  const spaceBreak = / [\r\n\x85\u2028\u2029]/.test(text);
  const hasIndicators = /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[?:-](?:\s|$))|:(?:\s|$)|\s#/.test(text);
  const hasOuterSpace = /^[ \n]|[ \n]$/.test(text);
  const isOdd = spaceBreak || isSpecial;
  return {
    isPlain: !hasIndicators && !hasOuterSpace && !isOdd && !hasBreaks,
    isSingle: !isOdd && !breakSpace,
    isBlock: !isOdd && !text.endsWith(" "),
  };
}

/** Whether a reader would take the text as something else than a text. */
function resolvesToOther(text: string): boolean {
  if (
    /^(?:|~|null|Null|NULL|[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/.test(
      text,
    )
  ) {
    return true;
  }
  if (/^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/.test(text)) return true;
  if (/^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text)) return true;
  if (
    /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)?$/.test(
      text,
    )
  ) {
    return true;
  }
  if (!/^[-+.0-9]/.test(text)) return false;
  const plain = text.replaceAll("_", "");
  return /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[0-9]+|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)$/.test(
    plain,
  );
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["\0", "\\0"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\v", "\\v"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ["\x1b", "\\e"],
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\x85", "\\N"],
  ["\u2028", "\\L"],
  ["\u2029", "\\P"],
]);

/** A character between double quotes. */
export function escapeCharacter(character: string): string {
  const known = escapes.get(character);
  if (known) return known;
  if (/^[\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/.test(character)) return character;
  const code = character.toWellFormed().codePointAt(0)!;
  const hex = code.toString(16).toUpperCase();
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
