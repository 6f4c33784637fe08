export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text that the bytes are in UTF-8, a byte order mark included; undefined where they are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
