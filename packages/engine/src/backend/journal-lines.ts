import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Sealing } from "./sealing.ts";

/** How the lines of a journal are written: each by itself, as one that was cut off must not spoil those before it. */
export interface JournalLines {
  /** What the file begins with. */
  readonly head: string;
  /** A line without its end. */
  encode(text: string): string;
  /** Throws where the line cannot be read. */
  decode(line: string): string;
}

export const clearLines: JournalLines = { head: "", encode: (text) => text, decode: (line) => line };

/**
 * Lines for a new journal beside a state that is sealed as `sealing` says. Where that is encrypted, each line is (AES-256-GCM),
 * with a key that is made for this journal and stands sealed in its first line.
 */
export async function newJournalLines(sealing: Sealing): Promise<JournalLines> {
  if (!sealing.sealed) return clearLines;
  const key = randomBytes(32);
  const sealed = Buffer.from(await sealing.seal(Buffer.from(JSON.stringify({ journal: key.toString("base64") }))));
  return sealedLines(key, `${JSON.stringify({ key: sealed.toString("base64") })}\n`);
}

/** Lines for a journal that is there already, by its first line. Rejects with `sealUnopened` where the key is another. */
export async function journalLinesOf(text: string, sealing: Sealing): Promise<JournalLines> {
  const end = text.indexOf("\n");
  const first = text.slice(0, Math.max(0, end));
  if (!first.startsWith('{"key":')) return clearLines;
  const { key: sealed } = JSON.parse(first) as { readonly key: string };
  const opened = await sealing.open(Buffer.from(sealed, "base64"));
  const { journal } = JSON.parse(Buffer.from(opened).toString("utf8")) as { readonly journal: string };
  return sealedLines(Buffer.from(journal, "base64"), `${first}\n`);
}

const nonceBytes = 12;
const tagBytes = 16;

function sealedLines(key: Uint8Array, head: string): JournalLines {
  return {
    head,
    encode: (text) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      const parts = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat(parts).toString("base64");
    },
    decode: (line) => {
      const bytes = Buffer.from(line, "base64");
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes));
      decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
      const body = bytes.subarray(nonceBytes, bytes.length - tagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
    },
  };
}
