export type DecodedBase64 =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** `offset` is where Go's decoder gives up: the wrong character, or the start of a group that is not complete. */
  | { readonly ok: false; readonly offset: number };

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/**
 * Reads standard Base64 as Go's `base64.StdEncoding`: padding is needed, line breaks are skipped, and nothing else may be
 * there. Node's own decoder takes anything.
 */
export function decodeBase64(text: string): DecodedBase64 {
  const fault = faultOf(text);
  if (fault !== undefined) return { ok: false, offset: fault };
  return { ok: true, bytes: new Uint8Array(Buffer.from(text, "base64")) };
}

function faultOf(text: string): number | undefined {
  let inGroup = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === "\r" || character === "\n") continue;
    if (character === "=") return paddingFault(text, i, inGroup);
    if (!alphabet.includes(character)) return i;
    inGroup = (inGroup + 1) % 4;
  }
  return inGroup === 0 ? undefined : text.length - inGroup;
}

/** `at` is the first padding character. */
function paddingFault(text: string, at: number, inGroup: number): number | undefined {
  if (inGroup < 2) return at;
  const rest = text.slice(at + 1);
  const wanted = inGroup === 2 ? "=" : "";
  const found = rest.replace(/[\r\n]/g, "");
  if (found === wanted) return undefined;
  if (wanted !== "" && !found.startsWith(wanted)) return found === "" ? text.length : at;
  // Something stands behind the padding.
  return at + 1 + rest.search(wanted === "" ? /[^\r\n]/ : /(?<==[\r\n]*)[^\r\n]/);
}
